#include "codegen/conv_compiler.h"

#include "base/shared_library.h"
#include "codegen/library_api.h"

namespace memside::codegen {
namespace {

constexpr SharedLibrary::Name library_name{"code generator", "libmemside-codegen.so",
                                           "MEMSIDE_CODEGEN"};

}  // namespace

// The addresses of the library's functions; it stays open as long as this lives.
struct ConvCompiler::Library {
    explicit Library(SharedLibrary opened) : file(std::move(opened)) {}

    SharedLibrary file;
    decltype(&memside_codegen_interface) interface = nullptr;
    decltype(&memside_codegen_free) free = nullptr;
    decltype(&memside_conv_compile) compile = nullptr;
    decltype(&memside_conv_release) release = nullptr;
    decltype(&memside_conv_object) object = nullptr;
    decltype(&memside_conv_text) text = nullptr;

    bool bind_all() {
        return file.bind("memside_codegen_interface", interface) &&
               file.bind("memside_codegen_free", free) &&
               file.bind("memside_conv_compile", compile) &&
               file.bind("memside_conv_release", release) &&
               file.bind("memside_conv_object", object) && file.bind("memside_conv_text", text);
    }

    // Takes the library's message.
    Error error(char* message) const {
        Error result{"code generator", message != nullptr ? message : "failed without a message",
                     Error::Kind::environment};
        free(message);
        return result;
    }
};

Result<ConvCompiler> ConvCompiler::open(const std::string& path) {
    MEMSIDE_TRY(SharedLibrary opened, SharedLibrary::open(library_name, path));
    const auto library = std::make_shared<Library>(std::move(opened));
    if (!library->bind_all() || library->interface() != interface_id) {
        return library->file.other_version();
    }
    return ConvCompiler(library);
}

Result<CompiledConv> ConvCompiler::compile(const conv::ConvProblem& problem, conv::Target target,
                                           const conv::Schedule& schedule) const {
    MEMSIDE_CHECK(conv::valid(problem, target, schedule));
    const ConvRequest request{problem, target, schedule};
    ConvKernel function = nullptr;
    char* error = nullptr;
    void* handle = library_->compile(&request, &function, &error);
    if (handle == nullptr) return library_->error(error);
    // The kernel's memory is managed by the library, which must stay open until it is released.
    const auto release = [library = library_](void* kernel) { library->release(kernel); };
    return CompiledConv(std::shared_ptr<void>(handle, release), function);
}

Result<std::vector<std::uint8_t>> ConvCompiler::compile_object(const conv::ConvProblem& problem,
                                                               conv::Target target,
                                                               const conv::Schedule& schedule,
                                                               const std::string& symbol) const {
    MEMSIDE_CHECK(conv::valid(problem, target, schedule));
    const ConvRequest request{problem, target, schedule};
    std::size_t size = 0;
    char* error = nullptr;
    unsigned char* bytes = library_->object(&request, symbol.c_str(), &size, &error);
    if (bytes == nullptr) return library_->error(error);
    std::vector<std::uint8_t> result(bytes, bytes + size);
    library_->free(bytes);
    return result;
}

Result<std::string> ConvCompiler::dump(const conv::ConvProblem& problem, conv::Target target,
                                       const conv::Schedule& schedule, Dump stage) const {
    MEMSIDE_CHECK(conv::valid(problem, target, schedule));
    const ConvRequest request{problem, target, schedule};
    char* error = nullptr;
    char* text = library_->text(&request, static_cast<std::int32_t>(stage), &error);
    if (text == nullptr) return library_->error(error);
    std::string result(text);
    library_->free(text);
    return result;
}

bool runs_here(conv::Target target) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (target == conv::Target::x86_avx2) return __builtin_cpu_supports("avx2") != 0;
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("avx512vnni") != 0;
#else
    static_cast<void>(target);
    return false;
#endif
}

}  // namespace memside::codegen
