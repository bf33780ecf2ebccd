// What the answers of the needle evaluation add up to.
//
// Cells (context and depth) are fixed by dense alone, before any selection is looked at: one counts
// when dense found at least nine in ten of its needles. For a budget, contexts of at most twice the
// budget do not count either.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/needle_run.h"

namespace memside::eval {

// Answers of one policy in one cell.
struct NeedleCell {
    std::size_t policy = 0;  // as in NeedleAnswer
    std::size_t context = 0;
    std::size_t depth = 0;
    bool counts = false;  // for this policy
    std::int64_t trials = 0;
    std::int64_t found = 0;
    std::int64_t dense_found = 0;  // of the same trials
    std::int64_t lost = 0;         // found by dense, and not by the policy
    std::int64_t gained = 0;       // the other way round
    ReadCost cost;
};

// What a policy makes of the cells that count.
struct NeedleTotal {
    std::size_t policy = 0;
    std::int64_t cells = 0;  // that count
    std::int64_t trials = 0;
    std::int64_t found = 0;
    std::int64_t dense_found = 0;
    std::int64_t lost = 0;
    std::int64_t gained = 0;
    ReadCost cost;

    // Of 100 needles that dense finds, how many the policy does not.
    double lost_per_100() const {
        return dense_found > 0
                   ? 100.0 * static_cast<double>(lost) / static_cast<double>(dense_found)
                   : 0.0;
    }
};

// Whether dense found enough of a cell.
constexpr bool dense_fixes(std::int64_t found, std::int64_t trials) {
    return trials > 0 && 10 * found >= 9 * trials;
}

// By policy, context, depth; cells without answers are not there. Every answer of a policy has one
// of dense beside it.
std::vector<NeedleCell> count_cells(const NeedleSetup& setup,
                                    const std::vector<engine::KvPolicy>& policies,
                                    const std::vector<NeedleAnswer>& answers);

// One for dense, then one for each policy in order.
std::vector<NeedleTotal> add_up(const std::vector<NeedleCell>& cells, std::size_t policies);

}  // namespace memside::eval
