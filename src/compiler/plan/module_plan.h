// A model over modules: tensor parallelism splits every layer, pipeline parallelism the layers.
// What each operation's part is, and what its parts must exchange afterwards (section 6 of
// PIMphony: QKV and the first layers of an FFN row-wise, output projection and second layer
// column-wise with a reduction, attention head-wise, norms copied).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pim/dynamic/dynamic_program.h"

namespace memside::compiler {

struct ModuleGrid {
    std::uint32_t tensor = 1;    // modules that share a layer
    std::uint32_t pipeline = 1;  // stages, one after the other

    std::uint32_t modules() const { return tensor * pipeline; }
};

// Layers of a stage: [first, first + count).
struct StageLayers {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

// As even as possible, longer stages first. bad_input: a grid without modules, more stages than
// layers.
Result<std::vector<StageLayers>> split_layers(std::uint32_t layers, const ModuleGrid& grid);

// A module's part of `total`, in whole units of `unit`. bad_input when it does not divide: `what`
// is in the message.
Result<std::uint32_t> split_evenly(std::uint32_t total, std::uint32_t unit, const ModuleGrid& grid,
                                   std::string_view what);

// How a linear layer's matrix is split. column: every module has part of the inputs, and the sums
// are added up over modules.
struct LinearSplit {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    pim::Communication communication = pim::Communication::none;
};
Result<LinearSplit> split_linear(std::uint32_t rows, std::uint32_t columns,
                                 pim::Partitioning partitioning, const ModuleGrid& grid);

}  // namespace memside::compiler
