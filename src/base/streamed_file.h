// An output too large to collect first: written piece by piece, and there whole or not at all.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/interruption.h"
#include "base/result.h"

namespace memside {

class StreamedFile {
  public:
    // Opens a temporary file beside `path`; "-" and what is not a regular file (a pipe, /dev/full)
    // are written in place. Error::Kind::environment when that fails.
    static Result<std::unique_ptr<StreamedFile>> create(const std::string& path);
    ~StreamedFile();  // removes the temporary file when commit() was not reached
    StreamedFile(const StreamedFile&) = delete;
    StreamedFile& operator=(const StreamedFile&) = delete;

    // Error::Kind::environment when the disk refuses.
    Status append(std::string_view bytes);

    // Gives the file its name, in place of what had it. Nothing may be appended afterwards. After
    // handle_interruption(), an interruption before this leaves no temporary behind.
    Status commit();

  private:
    explicit StreamedFile(std::string path) : path_(std::move(path)) {}
    bool open_temporary(const std::string& target);
    Error error(std::string_view action) const;

    std::string path_;       // as the user gave it
    std::string target_;     // where its links lead; "" when written in place
    std::string temporary_;  // "" when written in place
    DoomedFile doomed_;      // the temporary
    int descriptor_ = -1;
};

}  // namespace memside
