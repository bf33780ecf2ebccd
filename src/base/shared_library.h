// Libraries of the project that are opened at run time, because what they link is large and not
// everywhere.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace memside {

// Open as long as a copy of the object lives.
class SharedLibrary {
  public:
    struct Name {
        const char* what;      // for messages: "code generator"
        const char* file;      // "libmemside-codegen.so"
        const char* variable;  // of the environment: a path that goes before the usual places
    };

    // Opens `path`; with "", the library of the variable, else the one beside the running program,
    // else the installed one. An environment error says what was tried.
    static Result<SharedLibrary> open(const Name& name, const std::string& path = "");

    // The address of a function; false where the library does not have it.
    template <typename Function>
    bool bind(const char* name, Function& function) const {
        function = reinterpret_cast<Function>(address(name));
        return function != nullptr;
    }

    const std::string& path() const { return path_; }
    // That the library is there, but does not fit this program.
    Error other_version() const;

  private:
    SharedLibrary(std::shared_ptr<void> handle, std::string path)
        : handle_(std::move(handle)), path_(std::move(path)) {}
    void* address(const char* name) const;

    std::shared_ptr<void> handle_;
    std::string path_;
};

}  // namespace memside
