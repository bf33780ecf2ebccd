#include "codegen/conv_compiler.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/text.h"
#include "codegen/library_api.h"

namespace memside::codegen {
namespace {

constexpr const char* file_name = "libmemside-codegen.so";

std::string folder_of_program() {
    std::array<char, 4096> path{};
    const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
    if (length <= 0) return ".";
    const std::string text(path.data(), static_cast<std::size_t>(length));
    return text.substr(0, text.rfind('/'));
}

std::vector<std::string> places(const std::string& path) {
    if (!path.empty()) return {path};
    if (const char* given = std::getenv("MEMSIDE_CODEGEN")) return {given};
    const std::string folder = folder_of_program();
    return {folder + "/" + file_name, folder + "/../lib/memside/" + file_name};
}

Error environment(std::string where, std::string what) {
    return {std::move(where), std::move(what), Error::Kind::environment};
}

}  // namespace

// The addresses of the library's functions; it stays open as long as this lives.
struct ConvCompiler::Library {
    std::unique_ptr<void, int (*)(void*)> handle{nullptr, dlclose};
    decltype(&memside_codegen_interface) interface = nullptr;
    decltype(&memside_codegen_free) free = nullptr;
    decltype(&memside_conv_compile) compile = nullptr;
    decltype(&memside_conv_release) release = nullptr;
    decltype(&memside_conv_object) object = nullptr;
    decltype(&memside_conv_text) text = nullptr;

    template <typename Function>
    bool bind(const char* name, Function& function) {
        function = reinterpret_cast<Function>(dlsym(handle.get(), name));
        return function != nullptr;
    }
    bool bind_all() {
        return bind("memside_codegen_interface", interface) && bind("memside_codegen_free", free) &&
               bind("memside_conv_compile", compile) && bind("memside_conv_release", release) &&
               bind("memside_conv_object", object) && bind("memside_conv_text", text);
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
    std::vector<std::string> tried;
    for (const std::string& place : places(path)) {
        auto library = std::make_shared<Library>();
        library->handle.reset(dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL));
        if (library->handle == nullptr) {
            tried.emplace_back(dlerror());
            continue;
        }
        if (!library->bind_all() || library->interface() != interface_id) {
            return environment(place, "belongs to another version of memside");
        }
        return ConvCompiler(std::move(library));
    }
    return environment("code generator", "cannot be opened: " + join(tried, "; "));
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
