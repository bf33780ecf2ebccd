#include "pnm/operation_table.h"

#include <array>

namespace memside::pnm {

std::span<const OperationRow> operation_table() {
    using enum Extent;
    using K = Kernel;
    using U = Unit;
    using A = Access;
    static const std::vector<OperationRow> table{
        {K::append, "write K and V", U::dram, {row_bytes}, Rate::dram, A::write_pieces},
        {K::append, "read full pages", U::dram, {page_read_bytes}, Rate::dram, A::read_sequential},
        {K::append, "min and max per channel", U::comparators, {digest_values, two}, Rate::lane},
        {K::append,
         "write digests",
         U::dram,
         {digest_write_bytes},
         Rate::dram,
         A::write_sequential},

        {K::score, "read digests", U::dram, {digest_bytes}, Rate::dram, A::read_sequential},
        {K::score, "feed tiles", U::sram, {fed_bytes}, Rate::sram_port},
        {K::score,
         "q min, q max, larger, sum",
         U::multipliers,
         {pages, query_heads, digest_slices},
         Rate::tile},
        {K::score, "best head of a page", U::comparators, {pages, query_heads}, Rate::lane},

        {K::top_k, "fill merge network", U::sorter, {passes, merge_levels}, Rate::one},
        {K::top_k, "merge runs", U::sorter, {passes, padded_scores}, Rate::sorter},
        {K::top_k, "spill runs", U::dram, {spilled_bytes}, Rate::dram, A::read_sequential},

        {K::attention, "gather pages", U::dram, {kv_bytes}, Rate::dram, A::read_pieces},
        {K::attention, "feed tiles", U::sram, {fed_bytes}, Rate::sram_port},
        {K::attention,
         "QK^T",
         U::multipliers,
         {requests, tokens, query_heads, key_slices},
         Rate::tile},
        {K::attention,
         "running maximum",
         U::comparators,
         {requests, tokens, query_heads},
         Rate::lane},
        {K::attention, "exp", U::sfu, {requests, tokens, query_heads}, Rate::sfu},
        {K::attention,
         "sum of exp",
         U::multipliers,
         {requests, token_blocks, query_heads},
         Rate::tile},
        {K::attention,
         "SV",
         U::multipliers,
         {requests, token_blocks, query_heads, head_dim},
         Rate::tile},
        {K::attention,
         "rescale by block",
         U::multipliers,
         {requests, token_blocks, query_heads, head_dim},
         Rate::lane},
        {K::attention, "reciprocal", U::sfu, {requests, query_heads}, Rate::sfu},
        {K::attention, "normalise", U::multipliers, {requests, query_heads, head_dim}, Rate::lane},
    };
    return table;
}

std::string_view extent_name(Extent extent) {
    static constexpr std::array<std::string_view, extent_count> names = {"requests",
                                                                         "tokens",
                                                                         "token blocks",
                                                                         "query heads",
                                                                         "head dim",
                                                                         "key slices",
                                                                         "pages",
                                                                         "digest slices",
                                                                         "padded scores",
                                                                         "passes",
                                                                         "merge levels",
                                                                         "digest values",
                                                                         "2",
                                                                         "KV bytes",
                                                                         "fed bytes",
                                                                         "digest bytes",
                                                                         "appended bytes",
                                                                         "page bytes",
                                                                         "digest bytes",
                                                                         "spilled bytes"};
    return names[static_cast<std::size_t>(extent)];
}

double elements_per_cycle(Rate rate, const PnmSpec& spec) {
    switch (rate) {
        case Rate::one:
            return 1.0;
        case Rate::tile:
            return spec.tiles;
        case Rate::lane:
            return spec.tiles * spec.lanes;
        case Rate::sram_port:
            return spec.sram_bytes_per_cycle;
        case Rate::sfu:
            return spec.sfu_width;
        case Rate::sorter:
            return spec.sort_width;
        case Rate::dram:
            break;
    }
    return spec.dram_bytes_per_s / spec.clock_hz;
}

}  // namespace memside::pnm
