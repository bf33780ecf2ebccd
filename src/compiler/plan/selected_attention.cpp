#include "compiler/plan/selected_attention.h"

#include <algorithm>
#include <bit>

#include "base/text.h"

namespace memside::compiler {
namespace {

using pim::HubCall;
using pim::HubInstruction;
using pim::HubOp;
using pim::Instruction;
using pim::Opcode;

constexpr auto with_all =
    static_cast<std::uint8_t>(pim::optional_column | pim::optional_gbuf | pim::optional_out);

// Pages by lane, ascending in each.
using Lanes = std::vector<std::vector<std::uint32_t>>;

Lanes deal(std::span<const std::uint32_t> pages, std::uint32_t count) {
    Lanes lanes(count);
    for (const std::uint32_t page : pages) lanes[page % count].push_back(page);
    return lanes;
}

std::uint32_t longest(const Lanes& lanes) {
    std::size_t most = 0;
    for (const auto& lane : lanes) most = std::max(most, lane.size());
    return static_cast<std::uint32_t>(most);
}

// The pages whose scores the scratch holds together.
class Part {
  public:
    Part(const SelectedPlan& plan, std::span<const std::uint32_t> pages, std::uint64_t tokens,
         const pim::RowTable& keys, const pim::RowTable& values, pim::Sink& sink)
        : plan_(plan),
          pages_(pages),
          request_tokens_(tokens),
          key_rows_(keys),
          value_rows_(values),
          sink_(sink),
          key_lanes_(deal(pages, plan.key_lanes())),
          value_lanes_(deal(pages, plan.value_lanes())) {
        const std::uint64_t first_missing = pages.back() * std::uint64_t{plan.page_tokens};
        const auto last = std::min<std::uint64_t>(plan.page_tokens, tokens - first_missing);
        tokens_ = (pages.size() - 1) * plan.page_tokens + last;
    }

    std::uint64_t scratch_tiles() const {
        return std::uint64_t{plan_.group} *
               (std::max(raw_stride(), ordered_stride()) + compact_stride() + plan_.keys.ways);
    }

    Status write() {
        MEMSIDE_CHECK(write_scores());
        MEMSIDE_CHECK(write_softmax());
        MEMSIDE_CHECK(write_sums());
        HubInstruction take = of_group(HubOp::accumulate);
        take.gpr = partials();
        take.query_stride = plan_.values.ways;
        take.parts = plan_.values.classes();
        take.part_stride = plan_.tiles();
        take.head_dim = plan_.head_dim;
        return hub(take);
    }

  private:
    // Registers: scores as RD_MAC brings them, all channels of a round of pages; in their place
    // later the weights, class by class; scores and weights in the order of tokens; partial sums.
    std::uint32_t rounds() const { return longest(key_lanes_) * plan_.key_slots(); }
    std::uint32_t raw_stride() const { return rounds() * plan_.keys.ways; }
    std::uint32_t class_tiles() const { return longest(value_lanes_) * plan_.value_columns(); }
    std::uint32_t ordered_stride() const { return class_tiles() * plan_.values.classes(); }
    std::uint32_t compact_stride() const {
        return static_cast<std::uint32_t>(pages_.size()) * plan_.page_tiles();
    }
    std::uint32_t raw() const { return plan_.registers.scratch; }
    std::uint32_t compact() const {
        return raw() + plan_.group * std::max(raw_stride(), ordered_stride());
    }
    std::uint32_t partials() const { return compact() + plan_.group * compact_stride(); }

    HubInstruction of_group(HubOp op) const {
        HubInstruction made;
        made.op = op;
        made.queries = plan_.group;
        return made;
    }
    Status hub(const HubInstruction& instruction) {
        return sink_.hub({instruction, 0, tokens_, request_tokens_});
    }
    Status copy(std::uint32_t from, std::uint32_t to, std::uint32_t tiles) {
        HubInstruction made;
        made.op = HubOp::copy;
        made.gpr = from;
        made.gpr_out = to;
        made.tiles = tiles;
        return hub(made);
    }
    Status multiply(const pim::RowTable& rows, Instruction mac) {
        const auto row = rows.physical(mac.row);
        if (!row) return bad_input("", fmt::format("virtual row {} has no chunk", mac.row));
        mac.opcode = Opcode::mac_abk;
        mac.written = with_all;
        mac.row = *row;
        return sink_.instruction(mac);
    }
    Status accumulators(Opcode opcode, std::uint32_t out, std::uint32_t mask, std::uint32_t gpr) {
        return sink_.instruction(
            {.opcode = opcode, .written = pim::optional_out, .out = out, .mask = mask, .gpr = gpr});
    }

    Status write_scores() {
        const AttentionOptions& options = plan_.options;
        const std::uint32_t together =
            options.row_reuse
                ? std::min({plan_.group, pim::gbuf_entries / plan_.tiles(), options.accumulators})
                : 1;
        const std::uint32_t some = std::max(1U, options.accumulators / together);
        for (std::uint32_t first = 0; first < plan_.group; first += together) {
            const std::uint32_t queries = std::min(together, plan_.group - first);
            MEMSIDE_CHECK(
                sink_.instruction({.opcode = Opcode::wr_gb,
                                   .opsize = queries * plan_.tiles(),
                                   .mask = plan_.keys.mask(),
                                   .gpr = plan_.registers.query + first * plan_.tiles()}));
            for (std::uint32_t round = 0; round < rounds(); round += some) {
                MEMSIDE_CHECK(
                    write_rounds(first, queries, round, std::min(some, rounds() - round)));
            }
        }
        return {};
    }

    // Rounds whose scores the accumulators hold together, for each of the queries.
    Status write_rounds(std::uint32_t first_query, std::uint32_t queries, std::uint32_t first,
                        std::uint32_t count) {
        const std::uint32_t mask = plan_.keys.mask();
        const auto out = [&](std::uint32_t q, std::uint32_t i) { return q * count + i; };
        for (std::uint32_t i = 0; i < queries * count; ++i) {
            MEMSIDE_CHECK(accumulators(Opcode::wr_bias, i, mask, plan_.registers.zero));
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            for (std::uint32_t q = 0; q < queries; ++q) {
                MEMSIDE_CHECK(multiply_round(first + i, q * plan_.tiles(), out(q, i)));
            }
        }
        for (std::uint32_t q = 0; q < queries; ++q) {
            for (std::uint32_t i = 0; i < count; ++i) {
                MEMSIDE_CHECK(accumulators(
                    Opcode::rd_mac, out(q, i), mask,
                    raw() + (first_query + q) * raw_stride() + (first + i) * plan_.keys.ways));
            }
        }
        return {};
    }

    // Lane after lane, so that none of their queues fills up.
    Status multiply_round(std::uint32_t round, std::uint32_t gbuf, std::uint32_t out) {
        const std::uint32_t slot = round % plan_.key_slots();
        for (const auto& lane : key_lanes_) {
            const std::uint32_t number = round / plan_.key_slots();
            if (number >= lane.size()) continue;
            const std::uint64_t token = std::uint64_t{lane[number]} * plan_.page_tokens +
                                        std::uint64_t{slot} * plan_.keys.granule();
            const pim::Place place = plan_.keys.key_place(token, 0);
            std::uint32_t mask = 0;
            const std::uint32_t wide = std::min(plan_.page_tiles(), plan_.keys.ways);
            for (std::uint32_t i = 0; i < wide; ++i) {
                mask |= 1U << (pim::channel_count - 1 - (place.channel + i));
            }
            MEMSIDE_CHECK(multiply(key_rows_, {.column = static_cast<std::uint16_t>(place.entry),
                                               .gbuf = static_cast<std::uint16_t>(gbuf),
                                               .out = out,
                                               .opsize = plan_.tiles(),
                                               .mask = mask,
                                               .row = place.row}));
        }
        return {};
    }

    // The hub puts the scores of the pages side by side, and the weights into the order of SV.
    Status write_softmax() {
        const std::uint32_t tiles = plan_.page_tiles();
        const std::uint32_t ways = plan_.keys.ways;
        std::vector<std::uint32_t> met(key_lanes_.size());
        for (std::uint32_t i = 0; i < pages_.size(); ++i) {
            const std::uint32_t lane = pages_[i] % plan_.key_lanes();
            const std::uint32_t round = met[lane]++ * plan_.key_slots();
            for (std::uint32_t q = 0; q < plan_.group; ++q) {
                MEMSIDE_CHECK(copy(raw() + q * raw_stride() + round * ways + lane * tiles % ways,
                                   compact() + q * compact_stride() + i * tiles, tiles));
            }
        }
        HubInstruction softmax = of_group(HubOp::softmax_block);
        softmax.gpr = compact();
        softmax.query_stride = compact_stride();
        softmax.gpr_out = compact();
        softmax.out_query_stride = compact_stride();
        softmax.scale = plan_.scale;
        MEMSIDE_CHECK(hub(softmax));
        return order_weights();
    }

    Status order_weights() {
        const std::uint32_t tiles = plan_.page_tiles();
        const std::uint32_t written = pim::units(tokens_, pim::lanes);
        const std::uint32_t classes = plan_.values.classes();
        const std::uint32_t wide = std::min(tiles, classes);
        for (std::uint32_t q = 0; q < plan_.group; ++q) {
            // Lanes of fewer pages, and the end of a page that fills, have weights of 0.
            HubInstruction zero;
            zero.op = HubOp::fill;
            zero.gpr_out = raw() + q * ordered_stride();
            zero.tiles = ordered_stride();
            zero.scale = 0;
            MEMSIDE_CHECK(hub(zero));
            std::vector<std::uint32_t> met(value_lanes_.size());
            for (std::uint32_t i = 0; i < pages_.size(); ++i) {
                const std::uint32_t lane = pages_[i] % plan_.value_lanes();
                const std::uint32_t first = met[lane]++ * plan_.value_columns();
                for (std::uint32_t t = 0; t < tiles && i * tiles + t < written; ++t) {
                    const std::uint32_t to =
                        (lane * wide + t % wide) * class_tiles() + first + t / wide;
                    MEMSIDE_CHECK(copy(compact() + q * compact_stride() + i * tiles + t,
                                       raw() + q * ordered_stride() + to, 1));
                }
            }
        }
        return {};
    }

    Status write_sums() {
        // Queries that share a row have their weights side by side in GBuf.
        const std::uint32_t columns = plan_.value_columns();
        std::uint32_t together = 1;
        if (plan_.options.row_reuse) {
            together = std::min({plan_.group, plan_.options.accumulators,
                                 std::max(1U, pim::gbuf_entries / columns)});
        }
        for (std::uint32_t first = 0; first < plan_.group; first += together) {
            const std::uint32_t queries = std::min(together, plan_.group - first);
            const std::uint32_t room = pim::gbuf_entries / queries / columns * columns;
            const std::uint32_t mask = plan_.values.mask();
            for (std::uint32_t q = 0; q < queries; ++q) {
                MEMSIDE_CHECK(accumulators(Opcode::wr_bias, q, mask, plan_.registers.zero));
            }
            for (std::uint32_t tile = 0; tile < class_tiles(); tile += room) {
                const std::uint32_t count = std::min(room, class_tiles() - tile);
                for (std::uint32_t q = 0; q < queries; ++q) {
                    MEMSIDE_CHECK(write_weights(first + q, tile, count, q * room));
                }
                MEMSIDE_CHECK(multiply_values(queries, tile, count, room));
            }
            for (std::uint32_t q = 0; q < queries; ++q) {
                MEMSIDE_CHECK(accumulators(Opcode::rd_mac, q, mask,
                                           partials() + (first + q) * plan_.values.ways));
            }
        }
        return {};
    }

    Status write_weights(std::uint32_t query, std::uint32_t tile, std::uint32_t count,
                         std::uint32_t gbuf) {
        for (std::uint32_t before = 0; before < count; before += plan_.options.transfer_tiles) {
            for (unsigned c = 0; c < plan_.values.classes(); ++c) {
                MEMSIDE_CHECK(sink_.instruction(
                    {.opcode = Opcode::wr_gb,
                     .written = pim::optional_gbuf,
                     .gbuf = static_cast<std::uint16_t>(gbuf + before),
                     .opsize = std::min(plan_.options.transfer_tiles, count - before),
                     .mask = plan_.values.class_mask(0, c),
                     .gpr = raw() + query * ordered_stride() + c * class_tiles() + tile + before}));
            }
        }
        return {};
    }

    Status multiply_values(std::uint32_t queries, std::uint32_t tile, std::uint32_t count,
                           std::uint32_t room) {
        const std::uint32_t columns = plan_.value_columns();
        const std::uint32_t wide = std::min(plan_.page_tiles(), plan_.values.classes());
        for (std::uint32_t i = 0; i < count / columns; ++i) {
            const std::uint32_t number = tile / columns + i;
            for (std::uint32_t q = 0; q < queries; ++q) {
                for (std::uint32_t lane = 0; lane < value_lanes_.size(); ++lane) {
                    if (number >= value_lanes_[lane].size()) continue;
                    const std::uint64_t token =
                        std::uint64_t{value_lanes_[lane][number]} * plan_.page_tokens;
                    const pim::Place place = plan_.values.value_place(token, 0, 0);
                    std::uint32_t mask = 0;
                    for (std::uint32_t c = 0; c < wide; ++c) {
                        mask |= plan_.values.class_mask(0, lane * wide + c);
                    }
                    MEMSIDE_CHECK(multiply(
                        value_rows_, {.column = static_cast<std::uint16_t>(place.entry),
                                      .gbuf = static_cast<std::uint16_t>(q * room + i * columns),
                                      .out = q,
                                      .opsize = columns,
                                      .mask = mask,
                                      .row = place.row}));
                }
            }
        }
        return {};
    }

    const SelectedPlan& plan_;
    std::span<const std::uint32_t> pages_;
    std::uint64_t request_tokens_;
    std::uint64_t tokens_;  // of the pages
    const pim::RowTable& key_rows_;
    const pim::RowTable& value_rows_;
    pim::Sink& sink_;
    Lanes key_lanes_;
    Lanes value_lanes_;
};

HubCall of_query_group(HubOp op, const SelectedPlan& plan, std::uint64_t tokens) {
    HubInstruction made;
    made.op = op;
    made.queries = plan.group;
    made.head_dim = plan.head_dim;
    return {made, 0, tokens, tokens};
}

}  // namespace

std::uint32_t SelectedPlan::key_lanes() const {
    return std::max(1U, keys.ways / page_tiles());
}

std::uint32_t SelectedPlan::value_lanes() const {
    return std::max(1U, values.classes() / page_tiles());
}

Result<SelectedPlan> plan_selected(SelectedPlan plan) {
    plan.keys = pim::KvLayout::tcp(pim::KvKind::key, plan.head_dim, plan.options.channels);
    plan.values = pim::KvLayout::tcp(pim::KvKind::value, plan.head_dim, plan.options.channels);
    MEMSIDE_CHECK(plan.keys.check());
    MEMSIDE_CHECK(
        pim::check_size("the number of query heads of a KV head", plan.group, pim::hub_queries));
    if (!std::has_single_bit(plan.page_tokens) || plan.page_tokens < pim::lanes) {
        return bad_input("--page-size", fmt::format("pages of {} tokens are not whole columns of "
                                                    "the banks; allowed: powers of two from {}",
                                                    plan.page_tokens, pim::lanes));
    }
    const bool whole = plan.values.passes() == 1 && std::has_single_bit(plan.values.ways) &&
                       plan.values.classes() * plan.tiles() == plan.values.ways;
    if (!whole) {
        return bad_input("--budget", fmt::format("{} dimensions do not fill {} channels evenly, "
                                                 "which selected pages on DRAM-PIM need",
                                                 plan.head_dim, plan.options.channels));
    }
    const std::uint32_t most =
        std::min(plan.keys.slots() * plan.keys.granule(), plan.values.row_tokens());
    if (plan.page_tokens > most) {
        return bad_input("--page-size", fmt::format("pages of {} tokens are wider than a row; "
                                                    "allowed: up to {}",
                                                    plan.page_tokens, most));
    }
    return plan;
}

Status write_selected(const SelectedPlan& plan, std::span<const std::uint32_t> pages,
                      std::uint64_t tokens, const pim::RowTable& keys, const pim::RowTable& values,
                      pim::Sink& sink) {
    MEMSIDE_CHECK(sink.hub(of_query_group(HubOp::softmax_start, plan, tokens)));
    // What the scratch holds when lanes are even, then less until it fits.
    const std::size_t even = plan.registers.scratch_tiles / (2 * plan.group * plan.page_tiles());
    for (std::size_t first = 0; first < pages.size();) {
        std::size_t count = std::min(pages.size() - first, std::max<std::size_t>(1, even));
        const auto part = [&] {
            return Part(plan, pages.subspan(first, count), tokens, keys, values, sink);
        };
        while (part().scratch_tiles() > plan.registers.scratch_tiles) {
            if (count == 1) {
                return bad_input("--page-size", fmt::format("a page of {} tokens does not fit the "
                                                            "registers",
                                                            plan.page_tokens));
            }
            count = count * 7 / 8;
        }
        MEMSIDE_CHECK(part().write());
        first += count;
    }
    HubCall finish = of_query_group(HubOp::softmax_finish, plan, tokens);
    finish.hub.gpr_out = plan.registers.output;
    finish.hub.out_query_stride = plan.tiles();
    return sink.hub(finish);
}

}  // namespace memside::compiler
