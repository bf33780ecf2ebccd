#include "eval/needle_count.h"

#include <cassert>
#include <map>
#include <tuple>

#include "eval/selection_grid.h"

namespace memside::eval {

std::vector<NeedleCell> count_cells(const NeedleSetup& setup,
                                    const std::vector<engine::KvPolicy>& policies,
                                    const std::vector<NeedleAnswer>& answers) {
    std::map<std::tuple<std::size_t, std::size_t, std::int64_t>, bool> dense;
    for (const NeedleAnswer& answer : answers) {
        if (answer.policy == 0) dense[{answer.context, answer.depth, answer.trial}] = answer.found;
    }
    std::map<std::tuple<std::size_t, std::size_t, std::size_t>, NeedleCell> cells;
    for (const NeedleAnswer& answer : answers) {
        const auto beside = dense.find({answer.context, answer.depth, answer.trial});
        assert(beside != dense.end());
        NeedleCell& cell = cells[{answer.policy, answer.context, answer.depth}];
        cell.policy = answer.policy;
        cell.context = answer.context;
        cell.depth = answer.depth;
        ++cell.trials;
        cell.found += answer.found ? 1 : 0;
        cell.dense_found += beside->second ? 1 : 0;
        cell.lost += beside->second && !answer.found ? 1 : 0;
        cell.gained += answer.found && !beside->second ? 1 : 0;
        cell.cost.add(answer.cost);
    }
    std::vector<NeedleCell> result;
    for (auto& [key, cell] : cells) {
        const NeedleCell& of_dense = cells.at({0, cell.context, cell.depth});
        cell.counts = dense_fixes(of_dense.found, of_dense.trials);
        if (cell.policy > 0) {
            const engine::KvPolicy& policy = policies[cell.policy - 1];
            cell.counts = cell.counts && context_tests_budget(setup.contexts[cell.context],
                                                              policy.selection.budget_tokens);
        }
        result.push_back(cell);
    }
    return result;
}

std::vector<NeedleTotal> add_up(const std::vector<NeedleCell>& cells, std::size_t policies) {
    std::vector<NeedleTotal> totals(policies + 1);
    for (std::size_t p = 0; p < totals.size(); ++p) totals[p].policy = p;
    for (const NeedleCell& cell : cells) {
        if (!cell.counts) continue;
        NeedleTotal& total = totals[cell.policy];
        ++total.cells;
        total.trials += cell.trials;
        total.found += cell.found;
        total.dense_found += cell.dense_found;
        total.lost += cell.lost;
        total.gained += cell.gained;
        total.cost.add(cell.cost);
    }
    return totals;
}

}  // namespace memside::eval
