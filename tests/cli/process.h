// Runs the built program as a user would, in a folder of its own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memside {

struct Outcome {
    int exit_status = -1;
    std::string out;
    std::string err;

    // A user is told what is wrong in one line.
    bool one_line() const { return !err.empty() && err.find('\n') == err.size() - 1; }
};

inline std::string slurp(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

// A temporary folder that goes with the test.
class Workplace {
  public:
    Workplace() {
        std::string name = (std::filesystem::temp_directory_path() / "memside-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~Workplace() { std::filesystem::remove_all(path_); }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::string write(const std::string& name, const std::string& content) const {
        std::ofstream(path_ / name, std::ios::binary) << content;
        return file(name);
    }
    std::vector<std::string> entries() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

    // Runs memside with a shell's redirection appended, such as "> /dev/full".
    Outcome run(const std::vector<std::string>& arguments,
                const std::string& redirection = "") const {
        const Workplace logs;
        std::string command =
            fmt::format("cd {} && {}", quote(path_.string()), quote(MEMSIDE_BINARY));
        for (const std::string& argument : arguments) command += ' ' + quote(argument);
        command += fmt::format(" > {} 2> {} {}", quote(logs.file("out")), quote(logs.file("err")),
                               redirection);
        const int status = std::system(command.c_str());
        Outcome outcome;
        outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        outcome.out = slurp(logs.path() / "out");
        outcome.err = slurp(logs.path() / "err");
        return outcome;
    }

  private:
    static std::string quote(const std::string& text) {
        std::string inside;
        for (const char c : text) inside += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return fmt::format("'{}'", inside);
    }
    std::filesystem::path path_;
};

}  // namespace memside
