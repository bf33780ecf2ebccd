#include "pim/dynamic/hub_instruction.h"

#include <fmt/format.h>

#include <cmath>

#include "pim/kernels/kernel.h"

namespace memside::pim {
namespace {

using H = HubInstruction;

constexpr std::uint32_t last_gpr = gpr_entries - 1;
constexpr std::uint32_t most_tokens = 1U << 31;

constexpr std::array<HubField, hub_field_count> fields{{
    {"state", &H::state, nullptr, 0, hub_states - 1},
    {"first_query", &H::first_query, nullptr, 0, hub_queries - 1},
    {"queries", &H::queries, nullptr, 1, hub_queries},
    {"head_dim", &H::head_dim, nullptr, 1, 1U << 16},
    {"gpr", &H::gpr, nullptr, 0, last_gpr},
    {"gpr2", &H::gpr2, nullptr, 0, last_gpr},
    {"gpr_out", &H::gpr_out, nullptr, 0, last_gpr},
    {"tiles", &H::tiles, nullptr, 1, gpr_entries},
    {"query_stride", &H::query_stride, nullptr, 0, last_gpr},
    {"tile_stride", &H::tile_stride, nullptr, 1, last_gpr},
    {"out_query_stride", &H::out_query_stride, nullptr, 0, last_gpr},
    {"classes", &H::classes, nullptr, 1, channel_count},
    {"class_stride", &H::class_stride, nullptr, 0, last_gpr},
    {"granule", &H::granule, nullptr, lanes, lanes* gpr_entries},
    {"window", &H::window, nullptr, 0, most_tokens},
    {"first_token", &H::first_token, nullptr, 0, most_tokens},
    {"tokens", &H::tokens, nullptr, 0, lanes* gpr_entries},
    {"parts", &H::parts, nullptr, 1, gpr_entries},
    {"part_stride", &H::part_stride, nullptr, 0, last_gpr},
    {"rows", &H::rows, nullptr, 1, gpr_entries},
    {"values", &H::values, nullptr, 1, lanes* gpr_entries},
    {"heads", &H::heads, nullptr, 1, gpr_entries},
    {"ways", &H::ways, nullptr, 1, channel_count},
    {"region", &H::region, nullptr, 0, UINT32_MAX},
    {"choice", &H::choice, nullptr, 0, lanes - 1},
    {"table", &H::table, nullptr, 0, UINT32_MAX},
    {"scale", nullptr, &H::scale, 0, 0},
    {"theta", nullptr, &H::theta, 0, 0},
}};

// Positions in `fields`.
enum Index : std::uint32_t {
    state,
    first_query,
    queries,
    head_dim,
    gpr,
    gpr2,
    gpr_out,
    tiles,
    query_stride,
    tile_stride,
    out_query_stride,
    classes,
    class_stride,
    granule,
    window,
    first_token,
    tokens,
    parts,
    part_stride,
    rows,
    values,
    heads,
    ways,
    region,
    choice,
    table,
    scale,
    theta,
};

template <typename... Indices>
constexpr std::uint32_t set(Indices... indices) {
    return (0U | ... | (1U << static_cast<std::uint32_t>(indices)));
}

constexpr std::uint32_t of_queries = set(state, first_query, queries);
constexpr std::uint32_t cached = set(gpr, query_stride, head_dim, heads, ways, region);

// In the order of HubOp.
constexpr std::array<HubOpInfo, hub_op_count> ops{{
    {HubOp::softmax_start, "softmax_start", of_queries | set(head_dim)},
    {HubOp::softmax_block, "softmax_block",
     of_queries | set(gpr, query_stride, tile_stride, gpr_out, out_query_stride, classes,
                      class_stride, granule, window, first_token, tokens, scale)},
    {HubOp::accumulate, "accumulate",
     of_queries | set(gpr, query_stride, tile_stride, parts, part_stride, head_dim)},
    {HubOp::softmax_finish, "softmax_finish",
     of_queries | set(gpr_out, out_query_stride, head_dim, choice)},
    {HubOp::reduce, "reduce", set(gpr, parts, part_stride, gpr2, choice, gpr_out, tiles)},
    {HubOp::rms_norm, "rms_norm", set(gpr, gpr2, gpr_out, values, rows, scale)},
    {HubOp::rope, "rope", set(gpr, heads, head_dim, choice, table, scale, theta)},
    {HubOp::gate, "gate", set(gpr, gpr2, gpr_out, tiles, choice)},
    {HubOp::add, "add", set(gpr, gpr2, gpr_out, tiles)},
    {HubOp::fill, "fill", set(gpr_out, tiles, scale)},
    {HubOp::copy, "copy", set(gpr, gpr_out, tiles)},
    {HubOp::combine, "combine",
     set(queries, head_dim, gpr, query_stride, parts, part_stride, gpr_out, out_query_stride)},
    {HubOp::append_key, "append_key", cached},
    {HubOp::append_value, "append_value", cached | set(gpr2)},
    {HubOp::merge, "merge", set(gpr, gpr2, values, tile_stride, choice)},
}};
static_assert([] {
    for (std::size_t i = 0; i < hub_op_count; ++i) {
        if (static_cast<std::size_t>(ops[i].op) != i) return false;
    }
    return true;
}());

// The last tile of each operand that the instruction may touch, from its first one on.
struct Reach {
    std::uint64_t gpr = 0;
    std::uint64_t gpr2 = 0;
    std::uint64_t gpr_out = 0;
};

Reach reach_of_block(const HubInstruction& h, std::uint64_t piece) {
    const std::uint64_t length = h.tokens != 0 ? h.tokens : piece != 0 ? piece : 1;
    const std::uint64_t of_query = h.queries - 1;
    // Of the longest piece; the weights of a shorter one reach no further.
    const std::uint64_t padded = (length + h.granule - 1) / h.granule * h.granule / lanes;
    const std::uint64_t used = std::min<std::uint64_t>(h.classes, padded);
    return {.gpr = of_query * h.query_stride + (units(length, lanes) - 1) * h.tile_stride,
            .gpr2 = 0,
            .gpr_out = of_query * h.out_query_stride + (used - 1) * h.class_stride +
                       units(padded, h.classes) - 1};
}

Reach reach(const HubInstruction& h, std::uint64_t piece) {
    const std::uint64_t of_query = h.queries - 1;
    const std::uint64_t head_tiles = units(h.head_dim, lanes);
    const std::uint64_t flat = h.tiles - 1;
    switch (h.op) {
        case HubOp::softmax_block:
            return reach_of_block(h, piece);
        case HubOp::accumulate:
            return {.gpr = of_query * h.query_stride +
                           (h.parts - 1) * std::uint64_t{h.part_stride} +
                           (head_tiles - 1) * h.tile_stride};
        case HubOp::softmax_finish:
            return {.gpr_out = of_query * h.out_query_stride + head_tiles - 1 + h.choice};
        case HubOp::reduce:
            return {.gpr = (h.parts - 1) * std::uint64_t{h.part_stride} + flat,
                    .gpr2 = h.choice == 1 ? flat : 0,
                    .gpr_out = flat};
        case HubOp::rms_norm: {
            const std::uint64_t all = std::uint64_t{h.rows} * units(h.values, lanes) - 1;
            return {.gpr = all, .gpr2 = units(h.values, lanes) - 1U, .gpr_out = all};
        }
        case HubOp::rope:
            return {.gpr = h.heads * head_tiles - 1};
        case HubOp::gate:
        case HubOp::add:
            return {flat, flat, flat};
        case HubOp::fill:
            return {.gpr_out = flat};
        case HubOp::copy:
            return {.gpr = flat, .gpr_out = flat};
        case HubOp::combine:
            return {.gpr = of_query * h.query_stride +
                           (h.parts - 1) * std::uint64_t{h.part_stride} + head_tiles,
                    .gpr_out = of_query * h.out_query_stride + head_tiles - 1};
        case HubOp::append_key:
        case HubOp::append_value:
            return {.gpr = (h.heads - 1) * std::uint64_t{h.query_stride} + head_tiles - 1,
                    .gpr2 = h.op == HubOp::append_value ? h.heads * head_tiles * lanes - 1 : 0};
        case HubOp::merge:
            return {.gpr = units(h.values, lanes) - 1U,
                    .gpr2 = (h.values - 1) * std::uint64_t{h.tile_stride}};
        case HubOp::softmax_start:
            break;
    }
    return {};
}

constexpr std::uint32_t highest_choice(HubOp op) {
    return op == HubOp::merge ? lanes - 1 : 1;
}

std::optional<std::string> find_field_fault(const HubInstruction& h, const HubOpInfo& row) {
    for (std::size_t i = 0; i < hub_field_count; ++i) {
        if ((row.fields >> i & 1U) == 0) continue;
        const HubField& field = fields[i];
        if (field.real != nullptr) {
            if (std::isfinite(h.*field.real)) continue;
            return fmt::format("{} is not finite", field.name);
        }
        const std::uint32_t value = h.*field.number;
        const std::uint32_t high = i == choice ? highest_choice(h.op) : field.high;
        if (value < field.low) {
            return fmt::format("{} {} is below {}", field.name, value, field.low);
        }
        if (value > high) return fmt::format("{} {} is above {}", field.name, value, high);
    }
    return std::nullopt;
}

// What two fields must keep to together.
std::optional<std::string> find_pair_fault(const HubInstruction& h, const HubOpInfo& row) {
    if ((row.fields & set(first_query)) != 0 && h.first_query + h.queries > hub_queries) {
        return fmt::format("first_query {} and the {} after it end above {}", h.first_query,
                           h.queries - 1, hub_queries - 1);
    }
    if (h.op == HubOp::softmax_block && h.granule % lanes != 0) {
        return fmt::format("granule {} is not a multiple of {}", h.granule, lanes);
    }
    if (h.op == HubOp::softmax_block && h.tokens == 0 && h.first_token != 0) {
        return fmt::format("first_token {} without tokens", h.first_token);
    }
    if (h.op == HubOp::append_key && h.head_dim > columns_per_row * lanes) {
        return fmt::format("head_dim {} is above {}: a key lies in one row", h.head_dim,
                           columns_per_row * lanes);
    }
    if (h.op == HubOp::rope && h.head_dim % 2 != 0) {
        return fmt::format("head_dim {} is odd; rotation works on pairs", h.head_dim);
    }
    if (h.op == HubOp::rope && !(h.theta > 0))
        return fmt::format("theta {} is not positive", h.theta);
    if ((row.fields & set(ways)) != 0 && std::uint64_t{h.heads} * h.ways > channel_count) {
        return fmt::format("{} heads of {} channels each are more than {} channels", h.heads,
                           h.ways, channel_count);
    }
    return std::nullopt;
}

}  // namespace

const std::array<HubField, hub_field_count>& hub_fields() {
    return fields;
}

const HubOpInfo& info(HubOp op) {
    return ops[static_cast<std::size_t>(op)];
}

std::optional<std::string> find_fault(const HubInstruction& hub, std::uint64_t piece) {
    const HubOpInfo& row = info(hub.op);
    if (auto fault = find_field_fault(hub, row)) return fault;
    if (auto fault = find_pair_fault(hub, row)) return fault;
    const Reach reached = reach(hub, piece);
    const auto check = [](std::string_view name, std::uint64_t first,
                          std::uint64_t after) -> std::optional<std::string> {
        if (first + after <= last_gpr) return std::nullopt;
        return fmt::format("{} {} and the {} after it end above {}", name, first, after, last_gpr);
    };
    if (auto fault = check("gpr", hub.gpr, reached.gpr)) return fault;
    if (auto fault = check("gpr2", hub.gpr2, reached.gpr2)) return fault;
    return check("gpr_out", hub.gpr_out, reached.gpr_out);
}

HubInstruction canonical(const HubInstruction& hub) {
    HubInstruction result;
    result.op = hub.op;
    const std::uint32_t has = info(hub.op).fields;
    for (std::size_t i = 0; i < hub_field_count; ++i) {
        if ((has >> i & 1U) == 0) continue;
        const HubField& field = fields[i];
        if (field.number != nullptr) result.*field.number = hub.*field.number;
        if (field.real != nullptr) result.*field.real = hub.*field.real;
    }
    return result;
}

}  // namespace memside::pim
