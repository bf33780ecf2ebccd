// A large file that is written at any place of it, by any thread, and takes the place of what had
// its name in one step: a process or a machine that stops at any moment leaves the old file or the
// new one, whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/interruption.h"
#include "base/result.h"

namespace memside {

class ReplacedFile {
  public:
    // bad_input for a path that cannot be a file to create or replace; environment when its folder
    // does not take new files.
    static Status check_target(const std::string& path);

    // Opens a temporary beside `path`, ".NAME.PROCESS-N.memside-part", locked as long as it is
    // being written. Those of the same name that nobody has locked, of processes that were killed,
    // are removed. `bytes` of space are taken at once where the filesystem can: environment when
    // there are not as many.
    static Result<std::unique_ptr<ReplacedFile>> create(const std::string& path,
                                                        std::uint64_t bytes);
    ~ReplacedFile();  // removes the temporary when commit() was not reached
    ReplacedFile(const ReplacedFile&) = delete;
    ReplacedFile& operator=(const ReplacedFile&) = delete;

    // Error::Kind::environment when the disk refuses. For threads that write different places.
    Status write(std::uint64_t offset, std::span<const std::byte> bytes) const;

    // Has everything on the disk before the name leads to it, and then the name.
    Status commit();

  private:
    explicit ReplacedFile(std::string path) : path_(std::move(path)) {}
    bool open_temporary();
    Error error(std::string_view action) const;

    std::string path_;       // as the user gave it
    std::string target_;     // where its links lead
    std::string folder_;     // of the target
    std::string temporary_;  // "" once it has its name
    DoomedFile doomed_;      // the temporary
    int descriptor_ = -1;
};

}  // namespace memside
