// The hub's append against the host's placing of the same token.
#include "pim/dynamic/append.h"

#include <rapidcheck/gtest.h>

#include <random>

#include "pim/dynamic/dynamic_machine.h"

namespace memside::pim {
namespace {

constexpr std::uint32_t key_gpr = 1;
constexpr std::uint32_t value_gpr = 600;
constexpr std::uint32_t scratch_gpr = 1200;

bool same(const Memory& a, const Memory& b, unsigned channels, std::uint32_t rows) {
    for (unsigned i = 0; i < channels; ++i) {
        for (unsigned bank = 0; bank < bank_count; ++bank) {
            for (std::uint32_t row = 0; row < rows; ++row) {
                for (unsigned column = 0; column < columns_per_row; ++column) {
                    const Tile* x = a.find(channel_at(channels, i), bank, row, column);
                    const Tile* y = b.find(channel_at(channels, i), bank, row, column);
                    if (x->values != y->values) return false;
                }
            }
        }
    }
    return true;
}

RC_GTEST_PROP(Append, it_leaves_what_the_host_would_place, (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t count) {
        return static_cast<std::uint32_t>(random() % count);
    };
    const unsigned channels = 1 + pick(6);
    HubInstruction append;
    append.ways = 1 + pick(channels);
    append.heads = 1 + pick(channels / append.ways);
    append.head_dim = 1 + pick(80);
    append.query_stride = units(append.head_dim, lanes);
    constexpr std::uint32_t rows = 4;
    DynamicMachine machine;
    Memory expected;
    zero_rows(channels, 0, rows, machine.memory());
    zero_rows(channels, 0, rows, expected);
    for (const HubOp op : {HubOp::append_key, HubOp::append_value}) {
        append.op = op;
        append.gpr = op == HubOp::append_key ? key_gpr : value_gpr;
        append.gpr2 = op == HubOp::append_key ? 0 : scratch_gpr;
        const KvLayout layout = layout_of(append, channels);
        // Keys in rows 0 and 1, values in 2 and 3, the later first.
        RowTable table;
        table.first_rows = op == HubOp::append_key ? std::vector<std::uint32_t>{1, 0}
                                                   : std::vector<std::uint32_t>{3, 2};
        const std::uint64_t capacity =
            layout.rows_per_step() > 2
                ? 0
                : std::uint64_t{layout.row_tokens()} * (2 / layout.rows_per_step());
        if (capacity == 0) continue;
        for (int token = 0; token < 3; ++token) {
            const std::uint64_t at = random() % capacity;
            for (unsigned head = 0; head < append.heads; ++head) {
                std::vector<Bf16> values(append.head_dim);
                for (Bf16& value : values) {
                    value = to_bf16(static_cast<float>(pick(2000)) / 100.0F);
                }
                place_in_gprs(values, layout.tiles(), append.gpr + head * append.query_stride,
                              machine.memory());
                RC_ASSERT(place_token(layout, table, at, head, values, expected).ok());
            }
            const auto rows_of = [&](std::uint32_t row) { return table.physical(row); };
            const auto placed =
                expand_append({append, 0, at + 1, at + 1}, channels, rows_of, machine);
            if (!placed.ok()) RC_FAIL(placed.error().message());
            RC_ASSERT(*placed);
            RC_ASSERT(same(machine.memory(), expected, channels, rows));
        }
    }
    RC_ASSERT(machine.machine().uninitialised().count == 0U);
}

TEST(Append, heads_in_lockstep_share_their_reads) {
    struct Counter : Sink {
        int reads = 0;
        int writes = 0;
        int merges = 0;
        Status instruction(const Instruction& i) override {
            ++(i.opcode == Opcode::rd_sbk ? reads : writes);
            return {};
        }
        Status hub(const HubCall&) override {
            ++merges;
            return {};
        }
    } counter;
    HubInstruction append;
    append.op = HubOp::append_value;
    append.heads = 4;
    append.head_dim = 32;
    const RowLookup rows = [](std::uint32_t row) { return std::optional(row); };
    ASSERT_TRUE(*expand_append({append, 0, 1, 1}, 8, rows, counter));
    EXPECT_EQ(counter.reads, 32);
    EXPECT_EQ(counter.merges, 4);
    EXPECT_EQ(counter.writes, 4 * 32);
    const RowLookup none = [](std::uint32_t) { return std::nullopt; };
    Counter untouched;
    EXPECT_FALSE(*expand_append({append, 0, 1, 1}, 8, none, untouched));
    EXPECT_EQ(untouched.reads + untouched.writes + untouched.merges, 0);
}

}  // namespace
}  // namespace memside::pim
