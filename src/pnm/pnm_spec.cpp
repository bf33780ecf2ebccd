#include "pnm/pnm_spec.h"

#include <bit>
#include <cmath>

namespace memside::pnm {
namespace {

bool is_power_of_two(double value) {
    return value >= 1.0 && value <= 1 << 20 && value == std::floor(value) &&
           std::has_single_bit(static_cast<unsigned>(value));
}

}  // namespace

Result<PnmSpec> read_pnm_spec(ConstantReader& constants) {
    const Component& component = constants.system().at("pnm");
    const auto read = [&](std::string_view key) { return constants.value("pnm", key); };
    const auto refuse = [&](std::string_view key, std::string_view allowed) {
        const Constant& constant = component.constant(key);
        return bad_input(constant.where,
                         fmt::format("pnm.{} is {}; allowed: {}", key, constant.text, allowed));
    };

    PnmSpec spec;
    spec.name = component.name;
    spec.clock_hz = read("clock");
    spec.kernel_latency_s = read("kernel_latency");
    spec.tiles = read("tiles");
    spec.lanes = read("multipliers") / spec.tiles;
    if (!is_power_of_two(spec.lanes)) {
        // Point at the one of the two that the user has changed.
        const bool tiles_set = component.constant("tiles").where.starts_with("--set");
        return refuse(tiles_set ? "tiles" : "multipliers",
                      fmt::format("a power of two of multipliers per tile, whose adders form a "
                                  "tree; now {} / {}",
                                  read("multipliers"), spec.tiles));
    }
    spec.sfu_width = read("sfu_width");
    spec.sort_width = read("sort_width");
    if (!is_power_of_two(spec.sort_width)) {
        return refuse("sort_width", "a power of two, for the merge network");
    }
    spec.sram_bytes_per_cycle = read("sram_bits") / 8.0;
    spec.vector_buffer_bytes = read("vector_buffers");
    spec.dma_buffer_bytes = read("dma_buffers");
    if (!is_power_of_two(read("dram_channels")) || read("dram_channels") > 4096) {
        return refuse("dram_channels", "a power of two up to 4096");
    }
    spec.dram_channels = static_cast<int>(read("dram_channels"));
    spec.dram_bytes_per_s = read("memory_bandwidth");

    spec.controller_power_w = read("controller_power");
    spec.dram_power_w = read("dram_power");
    spec.platform_power_w = read("platform_power");
    spec.idle_power_w = read("idle_power");
    return spec;
}

}  // namespace memside::pnm
