#include "calibrate/calibrate.h"

namespace memside::calibrate {
namespace {

void add_role(const std::string& role, const std::vector<MeasuredConstant>& constants,
              const std::string& origin, std::string& text) {
    text += fmt::format("  {}:\n    kind: cpu\n    constants:\n", role);
    for (const MeasuredConstant& constant : constants) {
        const std::string spread =
            constant.spread > 0.0 ? fmt::format(", spread {:.1f} %", 100.0 * constant.spread) : "";
        text += fmt::format("      {}: {{value: {}, source: \"measured by {}, {}{}\"}}\n",
                            constant.key, constant.text, origin, constant.how, spread);
    }
}

}  // namespace

std::string describe(const Calibration& calibration, const std::string& version,
                     const std::string& date) {
    const std::string origin = fmt::format("memside calibrate {} on {}", version, date);
    std::string text = fmt::format(
        "# Made by {}: {}.\n"
        "# Spread: half the distance between the quartiles of the turns, relative to the median.\n"
        "system: this-cpu\n"
        "description: this machine, {} threads\n"
        "components:\n",
        origin, calibration.kernels, calibration.threads);
    add_role("cpu", calibration.all, origin + fmt::format(", {} threads", calibration.threads),
             text);
    add_role("cpu_single", calibration.single, origin + ", 1 thread", text);
    return text;
}

}  // namespace memside::calibrate
