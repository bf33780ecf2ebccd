// Expansion against a slow and obvious one, that keeps every token of a piece in a list and every
// loop as the list of its iterations' bodies.
#include "pim/dynamic/expansion.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <numeric>

#include "pim/dynamic/attention_program.h"
#include "pim/dynamic/dynamic_text.h"
#include "pim/dynamic/random_dynamic_program.h"
#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

using Tokens = std::vector<std::uint64_t>;

struct Recorder : Sink {
    std::vector<std::string> lines;
    std::vector<Instruction> instructions;
    std::vector<HubCall> calls;

    static std::string line(const Instruction& i) {
        return fmt::format("{} {} {} {} {} {} {} {:x} {} {} {}", info(i.opcode).name, i.bank,
                           i.channel, i.column, i.gbuf, i.out, i.opsize, i.mask, i.row, i.gpr,
                           i.gpr2);
    }
    static std::string line(const HubInstruction& hub, std::uint64_t first, std::uint64_t tokens) {
        return fmt::format("{} at {} +{}", to_text(hub), first, tokens);
    }
    Status instruction(const Instruction& instruction) override {
        instructions.push_back(instruction);
        lines.push_back(line(instruction));
        return {};
    }
    Status hub(const HubCall& call) override {
        calls.push_back(call);
        lines.push_back(line(call.hub, call.first_token, call.tokens));
        return {};
    }
};

class Obvious {
  public:
    Obvious(const DynamicProgram& program, const ExecutionEntry& entry,
            const std::vector<RowTable>& tables)
        : program_(program), entry_(entry), tables_(tables) {}

    // The lines of items [first, last) for one piece; `counters` has the iteration of each open
    // loop, outermost first.
    std::vector<std::string> lines(std::size_t first, std::size_t last, const Tokens& piece,
                                   const std::vector<int>& counters) {
        std::vector<std::string> result;
        for (std::size_t i = first; i < last; ++i) {
            const DynamicItem& item = program_.items[i];
            if (item.kind == DynamicItem::Kind::instruction) {
                if (item.opsize_span != 0 && piece.empty()) continue;
                result.push_back(instruction(item, piece, counters));
            } else if (item.kind == DynamicItem::Kind::hub) {
                result.push_back(hub(item, piece, counters));
            } else {
                const std::size_t end = end_of(i);
                std::vector<Tokens> pieces;
                if (item.kind == DynamicItem::Kind::loop_fixed) {
                    pieces.assign(item.amount, piece);
                } else {
                    for (std::size_t t = 0; t < piece.size(); ++t) {
                        if (t % item.amount == 0) pieces.emplace_back();
                        pieces.back().push_back(piece[t]);
                    }
                }
                for (std::size_t k = 0; k < pieces.size(); ++k) {
                    std::vector<int> inside = counters;
                    inside.push_back(static_cast<int>(k));
                    for (std::string& each : lines(i + 1, end, pieces[k], inside)) {
                        result.push_back(std::move(each));
                    }
                }
                i = end;
            }
        }
        return result;
    }

  private:
    std::size_t end_of(std::size_t begin) const {
        int open = 1;
        std::size_t i = begin;
        while (open > 0) {
            ++i;
            const auto kind = program_.items[i].kind;
            if (kind == DynamicItem::Kind::loop_end) --open;
            if (kind == DynamicItem::Kind::loop_fixed || kind == DynamicItem::Kind::loop_tokens) {
                ++open;
            }
        }
        return i;
    }

    static std::uint32_t grown(const DynamicItem& item, Stride::Operand operand,
                               std::uint32_t value, const std::vector<int>& counters) {
        for (const Modification& m : item.modifications) {
            if (m.operand != operand) continue;
            for (int k = 0; k < counters[counters.size() - m.depth]; ++k) {
                value += static_cast<std::uint32_t>(m.step);
            }
        }
        return value;
    }

    std::string instruction(const DynamicItem& item, const Tokens& piece,
                            const std::vector<int>& counters) const {
        using Operand = Stride::Operand;
        Instruction i = item.instruction;
        i.row = grown(item, Operand::row, i.row, counters);
        i.column = static_cast<std::uint16_t>(grown(item, Operand::column, i.column, counters));
        i.gbuf = static_cast<std::uint16_t>(grown(item, Operand::gbuf, i.gbuf, counters));
        i.gpr = grown(item, Operand::gpr, i.gpr, counters);
        i.out = grown(item, Operand::out, i.out, counters);
        if (item.opsize_span != 0) {
            i.opsize = 0;
            for (std::size_t t = 0; t < piece.size(); t += item.opsize_span) ++i.opsize;
        }
        if (item.virtual_row) {
            const std::uint32_t index = entry_.region_base + item.region;
            const Region& region = program_.regions[index];
            i.row = region.per_request ? tables_[index].first_rows[i.row / program_.chunk_rows] +
                                             i.row % program_.chunk_rows
                                       : region.first_row + i.row;
        }
        return Recorder::line(i);
    }

    static std::string hub(const DynamicItem& item, const Tokens& piece,
                           const std::vector<int>& counters) {
        HubInstruction made = item.hub;
        made.gpr = grown(item, Stride::Operand::gpr, made.gpr, counters);
        made.gpr2 = grown(item, Stride::Operand::row, made.gpr2, counters);
        made.gpr_out = grown(item, Stride::Operand::out, made.gpr_out, counters);
        const bool given = made.op == HubOp::softmax_block && made.tokens > 0;
        return Recorder::line(made,
                              given           ? made.first_token
                              : piece.empty() ? 0
                                              : piece.front(),
                              given ? made.tokens : piece.size());
    }

    const DynamicProgram& program_;
    const ExecutionEntry& entry_;
    const std::vector<RowTable>& tables_;
};

std::vector<RowTable> random_tables(const DynamicProgram& program, RandomDynamicPrograms& random) {
    std::vector<RowTable> tables(program.regions.size());
    for (RowTable& table : tables) {
        table.chunk_rows = program.chunk_rows;
        for (std::uint32_t i = 0; i < 6000 / program.chunk_rows; ++i) {
            table.first_rows.push_back(random.below(4000) * program.chunk_rows);
        }
    }
    return tables;
}

bool appends(const DynamicProgram& program) {
    return std::any_of(program.items.begin(), program.items.end(), [](const DynamicItem& item) {
        return item.kind == DynamicItem::Kind::hub &&
               (item.hub.op == HubOp::append_key || item.hub.op == HubOp::append_value);
    });
}

RC_GTEST_PROP(Expansion, it_is_the_slow_obvious_one, (std::uint64_t seed)) {
    RandomDynamicPrograms random(seed);
    const DynamicProgram program = random.next(14);
    if (appends(program)) return;  // tested with the layout
    const std::vector<RowTable> tables = random_tables(program, random);
    const std::uint64_t tokens = 1 + random.below(RandomDynamicPrograms::max_tokens);
    const std::uint32_t module = random.below(program.share.modules);
    const Expander expander(program, module);
    for (const ExecutionEntry& entry : program.entries) {
        Recorder recorder;
        const Status status = expander.run(entry, tokens, tables, recorder);
        if (!status.ok()) RC_FAIL(status.error().message() + "\n" + to_text(program));
        // The module's own tokens, one after the other.
        Tokens all;
        for (std::uint64_t t = 0; t < tokens; ++t) {
            const bool own = program.share.modules == 1 ||
                             t / program.share.block % program.share.modules == module;
            if (own) all.push_back(all.size());
        }
        const auto expected =
            Obvious(program, entry, tables)
                .lines(entry.first_item, entry.first_item + entry.item_count, all, {});
        RC_ASSERT(recorder.lines == expected);
        for (const Instruction& i : recorder.instructions) {
            RC_ASSERT(!find_fault(i));
            RC_ASSERT(canonical(i) == i);
        }
        for (const HubCall& call : recorder.calls) {
            RC_ASSERT(call.request_tokens == all.size());
            RC_ASSERT(call.position.value_or(all.size() - 1) == tokens - 1);
        }
    }
}

TEST(Expansion, entries_that_share_items_use_their_own_regions) {
    DynamicProgram program;
    program.regions = {{"a", 0, true, 0}, {"b", 0, true, 0}, {"w", 8, false, 100}};
    DynamicItem mac = DynamicItem::of({.opcode = Opcode::mac_abk, .mask = 1, .row = 3});
    mac.virtual_row = true;
    program.items = {mac};
    for (const std::uint32_t base : {0U, 1U, 2U}) {
        program.entries.push_back(
            {"", OpType::qkt, Partitioning::token, Communication::none, 0, 1, 0, 1, base});
    }
    ASSERT_TRUE(validate(program, "").ok());
    const std::vector<RowTable> tables{{1, {9, 8, 7, 6}}, {1, {20, 30, 40, 50}}, {}};
    Recorder recorder;
    ASSERT_TRUE(Expander(program).run_all(5, tables, recorder).ok());
    ASSERT_EQ(recorder.instructions.size(), 3U);
    EXPECT_EQ(recorder.instructions[0].row, 6U);
    EXPECT_EQ(recorder.instructions[1].row, 50U);
    EXPECT_EQ(recorder.instructions[2].row, 103U);
}

TEST(Expansion, a_row_without_memory_is_an_error_that_names_it) {
    const DynamicProgram program = attention_program(AttentionLayout({}));
    std::vector<RowTable> tables(2);
    tables[0].first_rows = {1};
    tables[1].first_rows = {2};
    Recorder recorder;
    EXPECT_TRUE(Expander(program).run_all(4096, tables, recorder).ok());
    const Status beyond = Expander(program).run_all(4097, tables, recorder);
    ASSERT_FALSE(beyond.ok());
    EXPECT_EQ(beyond.error().message(), "append_key: row 1 of region 0 ('keys') has no memory");
    const Status none = Expander(program).run_all(0, tables, recorder);
    EXPECT_EQ(none.error().message(), "a request of 0 tokens; the program allows 1 to 2147483648");
}

// Channels that MAC_ABK addresses for a context, in a region.
std::uint32_t busy(const AttentionLayout& layout, std::uint64_t tokens, std::uint32_t region) {
    const DynamicProgram program = attention_program(layout);
    // Keys and values in rows that tell them apart.
    const std::vector<RowTable> tables{RowTable::identity(0, 64), RowTable::identity(1000, 64)};
    Recorder recorder;
    EXPECT_TRUE(Expander(program).run(program.entries[1], tokens, tables, recorder).ok());
    std::uint32_t mask = 0;
    for (const Instruction& i : recorder.instructions) {
        if (i.opcode == Opcode::mac_abk && (i.row >= 1000) == (region == 1)) mask |= i.mask;
    }
    return static_cast<std::uint32_t>(std::popcount(mask));
}

// Channels that hold a token of the request.
std::size_t holding(const KvLayout& layout, std::uint64_t tokens) {
    std::map<unsigned, int> channels;
    for (std::uint64_t t = 0; t < tokens; ++t) {
        for (std::uint32_t d = 0; d < layout.head_dim; ++d) {
            ++channels[layout.kind == KvKind::key ? layout.key_place(t, 0).channel
                                                  : layout.value_place(t, 0, d).channel];
        }
    }
    return channels.size();
}

TEST(Expansion, tokens_over_16_channels_keep_all_of_them_busy_from_256_and_32_tokens_on) {
    const AttentionLayout layout({.head_dim = 128, .channels = 16});
    EXPECT_EQ(holding(layout.keys, 256), 16U);
    EXPECT_EQ(holding(layout.keys, 240), 15U);
    EXPECT_EQ(holding(layout.values, 17), 16U);
    EXPECT_EQ(holding(layout.values, 16), 8U);
    for (const std::uint64_t tokens : {257U, 1000U, 4096U}) {
        EXPECT_EQ(busy(layout, tokens, 0), 16U);
        EXPECT_EQ(busy(layout, tokens, 1), 16U);
    }
    EXPECT_EQ(busy(layout, 33, 1), 16U);
    AttentionShape one{.head_dim = 128, .channels = 16, .hfp = true};
    EXPECT_EQ(busy(AttentionLayout(one), 4096, 0), 1U);
    EXPECT_EQ(holding(AttentionLayout(one).keys, 4096), 1U);
}

}  // namespace
}  // namespace memside::pim
