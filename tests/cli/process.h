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
        return finish(logs,
                      fmt::format("{} > {} 2> {} {}", command(arguments), quote(logs.file("out")),
                                  quote(logs.file("err")), redirection));
    }

    // Runs memside after a shell's commands, such as "ulimit -f 1", with its output going to
    // another command. The exit status is memside's.
    Outcome run_piped(const std::string& before, const std::vector<std::string>& arguments,
                      const std::string& reader) const {
        const Workplace logs;
        const Outcome outcome =
            finish(logs, fmt::format("{{ {}; {} 2> {}; echo $? > {}; }} | {} > {}", before,
                                     command(arguments), quote(logs.file("err")),
                                     quote(logs.file("status")), reader, quote(logs.file("out"))));
        const std::string status = slurp(logs.path() / "status");
        return {status.empty() ? -1 : std::stoi(status), outcome.out, outcome.err};
    }

    // memside as a child that the test waits for itself.
    pid_t start(const std::vector<std::string>& arguments) const {
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        std::vector<std::string> words{MEMSIDE_BINARY};
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> pointers;
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        if (::chdir(path_.c_str()) == 0) ::execv(MEMSIDE_BINARY, pointers.data());
        std::_Exit(127);
    }

  private:
    std::string command(const std::vector<std::string>& arguments) const {
        std::string text = fmt::format("cd {} && {}", quote(path_.string()), quote(MEMSIDE_BINARY));
        for (const std::string& argument : arguments) text += ' ' + quote(argument);
        return text;
    }

    static Outcome finish(const Workplace& logs, const std::string& command) {
        const int status = std::system(command.c_str());
        Outcome outcome;
        outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        outcome.out = slurp(logs.path() / "out");
        outcome.err = slurp(logs.path() / "err");
        return outcome;
    }

    static std::string quote(const std::string& text) {
        std::string inside;
        for (const char c : text) inside += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return fmt::format("'{}'", inside);
    }
    std::filesystem::path path_;
};

}  // namespace memside
