// One table of all kinds of systems at equal capacity, equal cost or equal power: which decodes the
// most, what bounds it, and where in the range of an assumed price or power a ranking flips.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "study/compare_sizes.h"
#include "study/explain.h"

namespace memside {

struct CompareRequest {
    // What is decoded, and options that some system has a use for; neither system nor policy.
    Settings settings;
    std::string reference = "a100x8";
    std::vector<CompareAt> at;
    std::vector<std::string> families;  // by name; empty: all
    bool explained = false;             // whether rows say what bounds them and what would help
    unsigned jobs = 0;
};

// Where in its range an assumed constant of a row makes it as good as another row.
struct Flip {
    double at = 0;      // SI unit of the constant
    std::string other;  // the row that it changes places with: "a100x8 dense"
};

struct CompareRow {
    std::string family;
    SystemSize size;
    double share = 0;  // of the reference's size
    // Batch 0 when no size near the reference's runs; then its reason says why.
    SimulationResult result;
    // What rows are ranked by: tokens per dollar, or tokens per joule at full power.
    double merit = 0;
    // The assumed constant of its modules that the ranking rests on, "pim.price" or
    // "pim.active_power"; nothing when it has none with a range.
    std::optional<Constant> ranged;
    SystemSpec system;        // with what was set
    std::vector<Flip> flips;  // by value
    std::vector<PhaseBound> bounds;
    std::optional<Improvement> best_improvement;  // of the hardware

    std::string label() const;  // "a100x1-pnm1 pnm-kv 8K"
    bool runs() const { return result.batch > 0; }
    // The merit if the ranged constant had another value; the row has one.
    double merit_at(CompareAt at, double value) const;
};

struct CompareTable {
    CompareAt at = CompareAt::capacity;
    std::vector<CompareRow> rows;  // the best first, those that do not run last
};

struct Comparison {
    std::string title;  // "llama-3.1-8b, 32K tokens"
    CompareRow reference;
    std::vector<CompareTable> tables;
};

// bad_input for an unknown reference or family, a setting that no system has a use for, and what
// simulate() refuses of all systems; infeasible when nothing fits in the reference.
Result<Comparison> compare(const CompareRequest& request);

// The value in the range at which a merit, monotone in it, is that of another row, by bisection;
// nothing when the range has none.
std::optional<double> crossing(const Constant::Range& range, double other_merit,
                               const std::function<double(double)>& merit);

// What a phase's time is spent on, so that unlike systems can be drawn side by side.
enum class StepPart : std::uint8_t { fc, attention, softmax, selection, links, waiting };
inline constexpr std::array<std::string_view, 6> step_part_names{
    "FC", "attention", "softmax and norms on PIM hubs", "selection", "links", "pipeline bubble"};
StepPart part_of_phase(std::string_view phase, const SimulationResult& result);
// Seconds of a step by part; sums to tpot_s.
std::array<double, step_part_names.size()> step_parts(const SimulationResult& result);

std::string comparison_text(const Comparison& comparison, bool colour);  // 100 columns wide
std::string comparison_csv(const std::vector<Comparison>& comparisons);  // a line per row
std::string comparison_json(const Comparison& comparison);
// At least one; several stand one after the other. `command`: that makes the page again.
std::string comparison_page(const std::vector<Comparison>& comparisons, const std::string& command);

// Texts that outputs share.
std::string flip_text(const CompareRow& row);  // "flips at 0.0663 USD/h with ..."; empty: none
std::string attends_text(const SimulationResult& result);  // "all" or "8K"

}  // namespace memside
