#include "base/shared_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/text.h"

namespace memside {
namespace {

std::string folder_of_program() {
    std::array<char, 4096> path{};
    const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
    if (length <= 0) return ".";
    const std::string text(path.data(), static_cast<std::size_t>(length));
    return text.substr(0, text.rfind('/'));
}

std::vector<std::string> places(const SharedLibrary::Name& name, const std::string& path) {
    if (!path.empty()) return {path};
    if (const char* given = std::getenv(name.variable)) return {given};
    const std::string folder = folder_of_program();
    return {fmt::format("{}/{}", folder, name.file),
            fmt::format("{}/../lib/memside/{}", folder, name.file)};
}

}  // namespace

Result<SharedLibrary> SharedLibrary::open(const Name& name, const std::string& path) {
    std::vector<std::string> tried;
    for (const std::string& place : places(name, path)) {
        if (void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
            return SharedLibrary(std::shared_ptr<void>(handle, dlclose), place);
        }
        tried.emplace_back(dlerror());
    }
    return Error{name.what, fmt::format("cannot be opened: {}", join(tried, "; ")),
                 Error::Kind::environment};
}

Error SharedLibrary::other_version() const {
    return {path_, "belongs to another version of memside", Error::Kind::environment};
}

void* SharedLibrary::address(const char* name) const {
    return dlsym(handle_.get(), name);
}

}  // namespace memside
