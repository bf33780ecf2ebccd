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

// Writes all of `text` to standard output; an environment Error when that fails (a full disk, a
// closed pipe).
Status write_standard_output(std::string_view text);

// A file that a command reads or writes, and what its user calls it: "--json", "standard output".
struct NamedPath {
    std::string name;
    std::string path;  // "-": standard output
};

// bad_input when two outputs are one file, or an output is one of the inputs, through whatever
// links and folders the paths go. /dev/null may be written by all.
Status check_targets(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs);

// Outputs that appear together or not at all. Content is collected first; commit() writes every
// file under a temporary name beside its target and only then renames. "-" means standard output.
// A target that is not a regular file (a pipe, /dev/full) is written in place, after the files.
// After handle_interruption(), an interruption leaves no temporary behind either.
class OutputSet {
  public:
    void add(std::string path, std::string content);

    // Error::Kind::environment when a write fails; then no regular file has changed and no
    // temporary file remains. Two outputs to one file are bad input.
    Status commit() const;

  private:
    struct Output {
        std::string path;
        std::string content;
    };
    std::vector<Output> outputs_;
};

}  // namespace memside
