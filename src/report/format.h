// Figures as people read them, the same in the terminal and in the page.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/result.h"

namespace memside {

// Three significant digits up to 1,000, whole numbers with separators above, "12.3 million" from
// ten million on: 0.0123 -> "0.0123", 21.94 -> "21.9", 512345.6 -> "512,346".
std::string figure(double value);

// 0.785 -> "78.5 %": always one decimal, so that columns align.
std::string percent(double share);

// "511.88 GiB": two decimals at most, so that what just fits does not read as just full.
std::string short_bytes(double bytes);

// The value in ms with its unit left off: for columns whose heading has it.
std::string milliseconds(double seconds);

// The phase with the largest share of a step: "attention, 64.5 %"; empty without phases.
std::string held_back_by(const SimulationResult& result);

// One device's memory, split as the reports draw it. When nothing fits, `kv` and `digests` are what
// one request would take, and `free` is what is left for it.
struct MemoryFill {
    double weights_bytes = 0;
    double kv_bytes = 0;
    double digest_bytes = 0;
    double free_bytes = 0;  // 0 when the weights alone are too large
    double capacity_bytes = 0;

    double request_bytes() const { return kv_bytes + digest_bytes; }
    bool weights_fit() const { return weights_bytes <= capacity_bytes; }
};
MemoryFill memory_fill(const SimulationResult& result, const SimulationResult::Capacity& capacity);

// "24"; of a served workload the time average, "23.7".
std::string batch_text(const SimulationResult& result);

// What the result rests on that no source backs: its assumptions, then the assumed ones among the
// constants that it read, each key once.
std::vector<Assumption> all_assumptions(const SimulationResult& result);

// How to tell results apart: what they share is said once, the rest in two short lines each.
struct ResultLabels {
    struct Label {
        std::string main;    // "a100x2-pnm8"
        std::string detail;  // "pnm-kv", with what else differs: "pnm-kv, 256K tokens"
        // Of detail, what tells apart results of the same model, context, system, policy and batch:
        // "budget 8K"; empty when nothing must.
        std::string extra;
        std::string line() const { return main + ", " + detail; }
    };
    std::string shared;  // "llama-3.1-70b, 128K tokens"; empty when nothing is shared
    std::vector<Label> labels;
};
ResultLabels label_results(const std::vector<SimulationResult>& results);

}  // namespace memside
