// Options of a command, on CLI11, with the house's error form: one line, where, what, what is
// allowed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace memside::cli {

class Options {
  public:
    // `usage` and `examples` are shown by --help around the option list.
    Options(const std::string& command, const std::string& summary, const std::string& examples);
    ~Options();
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    // The heading in the help of the options that are added from here on.
    void group(const std::string& heading) { group_ = heading; }
    // An option with one value, kept as text; `shown` names the value in the help.
    void add(const std::string& name, const std::string& shown, const std::string& help);
    // An option that may be given several times.
    void add_repeated(const std::string& name, const std::string& shown, const std::string& help);
    // An option without a value; text() is something when it was given.
    void add_flag(const std::string& name, const std::string& help);
    // Arguments without a name: one, or any number.
    void add_positional(const std::string& name, const std::string& help, bool several);

    // bad_input for unknown options (with a suggestion), missing values and repetition. Sets
    // help_shown() and prints the help when --help is among the arguments; an environment Error
    // when that fails.
    Status parse(std::vector<std::string> arguments);
    bool help_shown() const { return help_shown_; }

    // The value of an option, or nothing when it was not given.
    std::optional<std::string> text(const std::string& name) const;
    std::string text_or(const std::string& name, const std::string& fallback) const;
    std::vector<std::string> all(const std::string& name) const;

    // bad_input that the option is required when it is missing.
    Result<std::string> required(const std::string& name) const;
    // An integer in [low, high].
    Result<std::int64_t> integer(const std::string& name, std::int64_t fallback, std::int64_t low,
                                 std::int64_t high) const;
    // The index of the value in `allowed`.
    Result<std::size_t> choice(const std::string& name, const std::string& fallback,
                               const std::vector<std::string>& allowed) const;

  private:
    std::vector<std::string> option_names() const;

    struct Value;
    std::unique_ptr<CLI::App> app_;
    std::vector<std::unique_ptr<Value>> values_;
    std::string group_ = "Options";
    bool help_shown_ = false;
};

// Checks the output options among `names`: each takes a file name or '-', and no two outputs, nor
// an output and an input, are one file. Standard output is an output even when no option names it;
// the value says whether one does.
Result<bool> check_outputs(const Options& options, const std::vector<std::string>& names,
                           const std::vector<NamedPath>& inputs);

}  // namespace memside::cli
