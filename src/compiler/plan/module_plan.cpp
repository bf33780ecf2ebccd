#include "compiler/plan/module_plan.h"

#include "pim/kernels/kernel.h"

namespace memside::compiler {
namespace {

constexpr std::uint32_t most_modules = 1U << 16;  // far beyond a rack

Status check(const ModuleGrid& grid) {
    MEMSIDE_CHECK(
        pim::check_size("the number of modules that share a layer", grid.tensor, most_modules));
    return pim::check_size("the number of pipeline stages", grid.pipeline, most_modules);
}

}  // namespace

Result<std::vector<StageLayers>> split_layers(std::uint32_t layers, const ModuleGrid& grid) {
    MEMSIDE_CHECK(check(grid));
    if (layers < grid.pipeline) {
        return bad_input("partition", fmt::format("{} layers in {} pipeline stages; allowed: 1 to "
                                                  "{} stages",
                                                  layers, grid.pipeline, layers));
    }
    std::vector<StageLayers> stages;
    std::uint32_t first = 0;
    for (std::uint32_t stage = 0; stage < grid.pipeline; ++stage) {
        const std::uint32_t count =
            layers / grid.pipeline + (stage < layers % grid.pipeline ? 1 : 0);
        stages.push_back({first, count});
        first += count;
    }
    return stages;
}

Result<std::uint32_t> split_evenly(std::uint32_t total, std::uint32_t unit, const ModuleGrid& grid,
                                   std::string_view what) {
    MEMSIDE_CHECK(check(grid));
    if (total % (std::uint64_t{unit} * grid.tensor) != 0) {
        return bad_input("partition", fmt::format("{} {} over {} modules; allowed: a divisor of {}",
                                                  total / unit, what, grid.tensor, total / unit));
    }
    return total / grid.tensor;
}

Result<LinearSplit> split_linear(std::uint32_t rows, std::uint32_t columns,
                                 pim::Partitioning partitioning, const ModuleGrid& grid) {
    LinearSplit split{rows, columns, pim::Communication::none};
    switch (partitioning) {
        case pim::Partitioning::row: {
            MEMSIDE_TRY(split.rows, split_evenly(rows, 1, grid, "outputs of a linear layer"));
            return split;
        }
        case pim::Partitioning::column: {
            MEMSIDE_TRY(split.columns, split_evenly(columns, 1, grid, "inputs of a linear layer"));
            if (grid.tensor > 1) split.communication = pim::Communication::all_reduce;
            return split;
        }
        case pim::Partitioning::copy:
            return split;
        default:
            return bad_input("partition", "a linear layer is split by row, by column, or copied");
    }
}

}  // namespace memside::compiler
