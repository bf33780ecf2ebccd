// The explanation as a compact table for the terminal.
#include "report/format.h"
#include "report/table.h"
#include "report/text_table.h"
#include "study/explain.h"

namespace memside {
namespace {

constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

constexpr double worth_showing = 1.005;  // of the throughput: less is no change worth making

std::string rate(double value, const char* giga, const char* tera) {
    if (value <= 0.0) return "";
    return value >= 1e12 ? fmt::format("{} {}", figure(value / 1e12), tera)
                         : fmt::format("{} {}", figure(value / 1e9), giga);
}

// "1.71 TB/s, 84 %"
std::string of_peak(double value, double peak, const char* giga, const char* tera) {
    if (value <= 0.0 || peak <= 0.0) return "";
    return fmt::format("{}, {:.0f} %", rate(value, giga, tera), value / peak * 100.0);
}

// Where no single change shortens a phase, it is near two peaks at once, or made of many things.
std::string bound_of(const PhaseBound& phase) {
    constexpr double near = 0.6;  // of the peak
    if (!phase.bound.empty()) return phase.bound;
    const bool bandwidth = phase.bytes_per_s > near * phase.peak_bytes_per_s;
    const bool compute = phase.flop_per_s > near * phase.peak_flop_per_s;
    return bandwidth && compute ? "bandwidth and compute" : "several things";
}

std::string phases_text(const Explanation& explanation, bool colour) {
    TextTable table({left, right, right, left, left, right, right});
    table.add({{"phase", Tone::faint},
               {"ms", Tone::faint},
               {"share", Tone::faint},
               {"on", Tone::faint},
               {"bound by", Tone::faint},
               {"bytes, of peak", Tone::faint},
               {"FLOPs, of peak", Tone::faint}});
    for (const PhaseBound& phase : explanation.phases) {
        table.add({{phase.name},
                   {milliseconds(phase.time_s)},
                   {percent(phase.share)},
                   {phase.resource},
                   {bound_of(phase), Tone::accent},
                   {of_peak(phase.bytes_per_s, phase.peak_bytes_per_s, "GB/s", "TB/s")},
                   {of_peak(phase.flop_per_s, phase.peak_flop_per_s, "GFLOP/s", "TFLOP/s")}});
    }
    return table.render(terminal_columns, 2, colour);
}

std::string improvements_text(const Explanation& explanation, bool colour) {
    TextTable table({left, left, right, right});
    table.add({{"change", Tone::faint},
               {"relieves", Tone::faint},
               {"batch", Tone::faint},
               {"throughput", Tone::faint}});
    std::size_t hidden = 0;
    std::vector<std::string> impossible;
    for (const Improvement& improvement : explanation.improvements) {
        if (!improvement.throughput_ratio) {
            impossible.push_back(fmt::format("{}: {}", improvement.name, improvement.reason));
            continue;
        }
        if (*improvement.throughput_ratio < worth_showing) {
            ++hidden;
            continue;
        }
        table.add({{improvement.name},
                   {improvement.limit},
                   {fmt::format("{}", improvement.batch)},
                   {fmt::format("x {:.2f}", *improvement.throughput_ratio), Tone::strong}});
    }
    std::string out = table.render(terminal_columns, 2, colour);
    if (hidden > 0) {
        out += fmt::format("  {} other change{} less than 0.5 %\n", hidden,
                           hidden == 1 ? " gains" : "s gain");
    }
    for (const std::string& text : impossible) {
        for (const std::string& line : wrapped(printable(text), terminal_columns - 2)) {
            out += "  " + line + '\n';
        }
    }
    return out;
}

}  // namespace

std::string explanation_text(const Explanation& explanation, bool colour) {
    const SimulationResult& result = explanation.result;
    std::string out =
        painted(printable(fmt::format("{}, {}, {}: batch {}, {} tok/s, {} ms per step; modelled",
                                      result.model, result.system, result.policy, result.batch,
                                      figure(*result.throughput_tok_per_s),
                                      milliseconds(*result.tpot_s))),
                Tone::strong, colour) +
        '\n';
    if (!explanation.same) {
        out += painted(
            "The saved result differs from this one: descriptions or the program have changed "
            "since.\n",
            Tone::warning, colour);
    }
    out += "\nWhat bounds each phase of the critical path\n" + phases_text(explanation, colour);
    out += "\nWhat would help, each alone, simulated again with the batch as asked\n" +
           improvements_text(explanation, colour);
    return out;
}

}  // namespace memside
