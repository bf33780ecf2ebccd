#include "pim/dynamic/hub_timing.h"

#include "base/config.h"
#include "base/data_dir.h"
#include "dram/constant_reader.h"
#include "pim/kernels/kernel.h"

namespace memside::pim {
namespace {

struct NamedConstant {
    const char* key;
    double HubTiming::* value;
};

constexpr NamedConstant named_constants[] = {
    {"unit_count", &HubTiming::unit_count},
    {"exponent_tile_cycles", &HubTiming::exponent_tile_cycles},
    {"sum_tile_cycles", &HubTiming::sum_tile_cycles},
    {"softmax_head_cycles", &HubTiming::softmax_head_cycles},
    {"norm_group_values", &HubTiming::norm_group_values},
    {"norm_fixed_cycles", &HubTiming::norm_fixed_cycles},
    {"norm_passes", &HubTiming::norm_passes},
    {"rope_value_cycles", &HubTiming::rope_value_cycles},
    {"add_tile_cycles", &HubTiming::add_tile_cycles},
    {"gate_tile_cycles", &HubTiming::gate_tile_cycles},
    {"rescale_tile_cycles", &HubTiming::rescale_tile_cycles},
    {"move_tile_cycles", &HubTiming::move_tile_cycles},
    {"start_cycles", &HubTiming::start_cycles},
    {"top_k_passes", &HubTiming::top_k_passes},
    {"top_k_tile_cycles", &HubTiming::top_k_tile_cycles},
};

}  // namespace

Result<HubTiming> read_hub_timing(const std::string& path) {
    MEMSIDE_TRY(const ConfigNode document, read_config(path));
    if (!document.is_map()) return bad_input(path, "not a map");
    MEMSIDE_CHECK(expect_keys(document, {"name", "sources", "latency"}));
    HubTiming timing;
    MEMSIDE_TRY(timing.name, required_text(document, "name"));
    MEMSIDE_TRY(auto section, dram::ConstantSection::open(document, "latency", timing.constants));
    std::vector<std::string> keys{"clock"};
    for (const NamedConstant& constant : named_constants) keys.emplace_back(constant.key);
    MEMSIDE_CHECK(expect_keys(section.node(), keys));
    MEMSIDE_TRY(const double clock_s, section.quantity("clock", Dimension::seconds));
    timing.clock_ns = clock_s * 1e9;
    for (const NamedConstant& constant : named_constants) {
        MEMSIDE_TRY(timing.*constant.value, section.plain(constant.key));
    }
    for (const char* key : {"unit_count", "norm_group_values"}) {
        const double value =
            key == std::string_view("unit_count") ? timing.unit_count : timing.norm_group_values;
        if (value >= 1) continue;
        return bad_input(section.node().find(key)->where(), fmt::format("'{}' is below 1", key));
    }
    return timing;
}

Result<std::string> default_hub_timing_path() {
    MEMSIDE_TRY(const std::string data, data_dir());
    return data + "/systems/pim/hub.yaml";
}

double HubTiming::top_k_ns(std::uint64_t scores) const {
    const double tiles = units(units(scores, lanes), static_cast<std::uint64_t>(unit_count));
    return top_k_passes * tiles * top_k_tile_cycles * clock_ns;
}

double HubTiming::ns(const HubCall& call) const {
    const HubInstruction& hub = call.hub;
    // Tiles are spread over the units.
    const auto tiles = [&](double count, double cycles) { return count / unit_count * cycles; };
    const double head_tiles = units(hub.head_dim, lanes);
    const double queries = hub.queries;
    double cycles = 0;
    switch (hub.op) {
        case HubOp::softmax_start:
            cycles = start_cycles;
            break;
        case HubOp::softmax_block:
            cycles =
                tiles(queries * units(call.tokens, lanes), exponent_tile_cycles + sum_tile_cycles);
            break;
        case HubOp::accumulate:
            // The outputs follow the maximum once, then take up the parts.
            cycles = tiles(queries * head_tiles, rescale_tile_cycles) +
                     tiles(queries * hub.parts * head_tiles, sum_tile_cycles);
            break;
        case HubOp::softmax_finish:
            // choice: a logarithm for each query, as an exponent.
            cycles =
                queries * softmax_head_cycles + hub.choice * tiles(queries, exponent_tile_cycles);
            break;
        case HubOp::reduce:
            cycles = tiles((hub.parts + hub.choice) * double{1} * hub.tiles, sum_tile_cycles);
            break;
        case HubOp::rms_norm:
            cycles = hub.rows * norm_passes *
                     (tiles(hub.values / norm_group_values, sum_tile_cycles) + norm_fixed_cycles);
            break;
        case HubOp::rope:
            cycles = double{1} * hub.heads * hub.head_dim * rope_value_cycles;
            break;
        case HubOp::combine:
            // A weight for each part, outputs that follow it, and the division.
            cycles = tiles(queries * hub.parts, exponent_tile_cycles) +
                     tiles(queries * hub.parts * head_tiles, sum_tile_cycles) +
                     queries * softmax_head_cycles;
            break;
        case HubOp::gate:
            cycles = tiles(hub.tiles, gate_tile_cycles);
            break;
        case HubOp::add:
            cycles = tiles(hub.tiles, add_tile_cycles);
            break;
        case HubOp::fill:
        case HubOp::copy:
            cycles = tiles(hub.tiles, move_tile_cycles);
            break;
        case HubOp::merge:
            cycles = tiles(hub.values, move_tile_cycles);
            break;
        case HubOp::append_key:
        case HubOp::append_value:
            break;  // expansion has turned them into instructions
    }
    return cycles * clock_ns;
}

}  // namespace memside::pim
