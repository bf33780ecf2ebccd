// Reading whole files, and writing a set of outputs so that none is left half-written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside {

// The whole content of a regular file. A missing path, a directory, or more than `max_bytes` is a
// bad-input Error that names the path.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

// Outputs that appear together or not at all. Content is collected first; commit() writes every
// file under a temporary name beside its target and only then renames. "-" means standard output.
// A target that is not a regular file (a pipe, /dev/full) is written in place, after the files.
class OutputSet {
  public:
    void add(std::string path, std::string content);

    // Error::Kind::environment when a write fails; then no regular file has changed and no
    // temporary file remains. Two outputs to one path are bad input.
    Status commit() const;

  private:
    struct Output {
        std::string path;
        std::string content;
    };
    std::vector<Output> outputs_;
};

}  // namespace memside
