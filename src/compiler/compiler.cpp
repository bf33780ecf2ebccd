#include "compiler/compiler.h"

#include "base/shared_library.h"
#include "compiler/library_api.h"

namespace memside::compiler {
namespace {

constexpr SharedLibrary::Name library_name{"compiler", "libmemside-compiler.so",
                                           "MEMSIDE_COMPILER"};

}  // namespace

// The addresses of the library's functions; it stays open as long as this lives.
struct Compiler::Library {
    explicit Library(SharedLibrary opened) : file(std::move(opened)) {}

    SharedLibrary file;
    decltype(&memside_compiler_interface) interface = nullptr;
    decltype(&memside_compile) compile = nullptr;

    bool bind_all() {
        return file.bind("memside_compiler_interface", interface) &&
               file.bind("memside_compile", compile);
    }
};

Result<Compiler> Compiler::open(const std::string& path) {
    MEMSIDE_TRY(SharedLibrary opened, SharedLibrary::open(library_name, path));
    const auto library = std::make_shared<Library>(std::move(opened));
    if (!library->bind_all() || library->interface() != interface_id) {
        return library->file.other_version();
    }
    return Compiler(library);
}

Result<Compilation> Compiler::compile(const CompileRequest& request, std::string* log) const {
    CompileAnswer answer;
    library_->compile(&request, &answer);
    if (log != nullptr) *log = answer.made.log;
    if (answer.error) return *answer.error;
    return std::move(answer.made);
}

}  // namespace memside::compiler
