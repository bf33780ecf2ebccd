// Attention over selected pages of one KV head, the token axis over all channels (TCP): digests are
// scored by the banks as keys are, the hub picks pages, and the banks meet these pages alone.
//
// KV lies as dense attention has it (pim::KvLayout::tcp). There a page of n token tiles (16 tokens)
// is whole columns: its keys are n neighbouring channels' (a lane of pages) at one slot of a row,
// its values one column in n classes of channels. So lanes work on different pages at once, each
// channel with its own row; a lane that has more of the selected pages than others makes them wait.
#pragma once

#include <cstdint>
#include <span>

#include "compiler/plan/attention_plan.h"
#include "pim/dynamic/expansion.h"

namespace memside::compiler {

struct SelectedPlan {
    std::uint32_t group = 1;
    std::uint32_t head_dim = 128;
    std::uint32_t page_tokens = 32;
    float scale = 1;
    AttentionOptions options{};
    AttentionRegisters registers{};  // scratch for the scores of some pages at a time
    pim::KvLayout keys{};
    pim::KvLayout values{};

    std::uint32_t page_tiles() const { return page_tokens / pim::lanes; }
    std::uint32_t tiles() const { return keys.tiles(); }
    // Lanes of pages, and what a page takes of its lane: slots of keys, columns of values.
    std::uint32_t key_lanes() const;
    std::uint32_t key_slots() const { return pim::units(page_tiles(), keys.ways); }
    std::uint32_t value_lanes() const;
    std::uint32_t value_columns() const { return pim::units(page_tiles(), values.classes()); }
};

// Takes what `wanted` has but for the layouts. bad_input: pages that are not whole columns, or
// wider than a row; a head dimension that leaves channels out.
Result<SelectedPlan> plan_selected(SelectedPlan wanted);

// One step of a request of `tokens` tokens over `pages`, ascending, not none; `tables` has its rows
// of keys and of values. Softmax goes over pages in as many parts as the scratch asks for.
Status write_selected(const SelectedPlan& plan, std::span<const std::uint32_t> pages,
                      std::uint64_t tokens, const pim::RowTable& keys, const pim::RowTable& values,
                      pim::Sink& sink);

// Scores of `pages` pages: sum over dimensions of the larger of q x low and q x high is the product
// of (q where positive, q where negative) with (high, low), since high >= low. A digest lies as a
// key of 2 x head_dim values, high first, and a query has two parts. `scan` is a plan_attention()
// of that dimension. The hub adds up the scores of the group: those of page i are lane i % 16 of
// tile scan.scores() + i / 16, counted from the first page of a block of scan.block_tokens.
Status write_digest_scan(const AttentionPlan& scan, std::uint64_t pages,
                         const pim::RowTable& digests, pim::Sink& sink);

// A plan for write_digest_scan(): `options` of the attention, its registers with queries of twice
// the dimension.
Result<AttentionPlan> plan_digest_scan(std::uint32_t group, std::uint32_t head_dim,
                                       const AttentionOptions& options,
                                       const AttentionRegisters& registers);

}  // namespace memside::compiler
