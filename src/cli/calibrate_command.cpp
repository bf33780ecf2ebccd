// memside calibrate: measures this machine into a system description for `simulate`.
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "calibrate/calibrate.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside calibrate -o this-cpu.yaml\n"
    "  memside simulate --system this-cpu --model llama.gguf --policy dense --context 32K\n";

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

// A line that is written over.
class Line {
  public:
    void show(std::size_t taken, std::size_t of) {
        const auto percent = static_cast<int>(100 * taken / of);
        if (!shown_ || percent == percent_) return;
        percent_ = percent;
        fmt::print(stderr, "\rcalibrate: {} %", percent);
        if (percent == 100) fmt::print(stderr, "\n");
    }

  private:
    bool shown_ = ::isatty(STDERR_FILENO) != 0;
    int percent_ = -1;
};

Status measure(const Options& options) {
    MEMSIDE_TRY(const std::string path, options.required("-o"));
    if (path.empty()) return bad_input("-o", "needs a file name, or '-' for standard output");
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    MEMSIDE_TRY(const std::int64_t turns, options.integer("--turns", 9, 1, 1000));
    MEMSIDE_TRY(const bool on_standard_output, check_outputs(options, {"-o"}, {}));
    const std::filesystem::path beside = std::filesystem::path(path).parent_path();
    calibrate::CalibrationOptions calibration;
    calibration.threads = static_cast<unsigned>(threads);
    calibration.turns = static_cast<int>(turns);
    calibration.folder =
        options.text_or("--dir", on_standard_output || beside.empty() ? "." : beside.string());
    std::error_code code;
    if (!std::filesystem::is_directory(calibration.folder, code)) {
        return bad_input(options.text("--dir") ? "--dir" : "-o",
                         fmt::format("{} is not a folder", in_quotes(calibration.folder)));
    }
    Line line;
    calibration.progress = [&](std::size_t taken, std::size_t of) { line.show(taken, of); };
    MEMSIDE_TRY(const calibrate::Calibration result, calibrate::calibrate(calibration));
    OutputSet outputs;
    outputs.add(path, calibrate::describe(result, MEMSIDE_VERSION, today()));
    MEMSIDE_CHECK(outputs.commit());
    if (on_standard_output) return {};
    return write_standard_output(fmt::format("{}: measured with 1 and {} threads ({})\n", path,
                                             result.threads, result.kernels));
}

}  // namespace

int run_calibrate(const std::vector<std::string>& arguments) {
    Options options("calibrate",
                    "Measures this machine, in about a minute, for `simulate --system this-cpu`.",
                    examples);
    options.add("-o", "FILE", "the system description, YAML; '-' for standard output");
    options.add("--threads", "N", "at work together; 1 is measured as well (default: all cores)");
    options.add("--turns", "N", "of every measurement (default: 9)");
    options.add("--dir", "FOLDER",
                "whose disk is measured; takes up to 1 GiB for a moment (default: that of -o)");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("calibrate", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = measure(options);
    return done.ok() ? 0 : fail("calibrate", done.error());
}

}  // namespace memside::cli
