#include "pim/functional_machine.h"

#include "pim/instruction_table.h"
#include "pim/reference_machine.h"

namespace memside::pim {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t channel_0 = 0x80000000U;
constexpr std::uint32_t channels_30_31 = 3U;

Tile tile_of(float first, float step) {
    Tile tile;
    for (unsigned i = 0; i < lanes; ++i) {
        tile.set(i, to_bf16(first + step * static_cast<float>(i)));
    }
    return tile;
}

void expect_tile(const Tile& tile, const Tile& expected) {
    EXPECT_EQ(tile.values, expected.values);
    EXPECT_EQ(tile.written, expected.written);
}

void run(Machine& machine, const std::vector<Instruction>& instructions) {
    for (const Instruction& instruction : instructions) {
        const Status status = machine.execute(instruction);
        ASSERT_TRUE(status.ok()) << status.error().message();
    }
}

// Random instructions in a corner of the memory so small that they meet each other's results.
class RandomPrograms {
  public:
    explicit RandomPrograms(std::uint32_t seed) : random_(seed) {}

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    Instruction next() {
        Instruction i;
        i.opcode = static_cast<Opcode>(below(opcode_count));
        if (i.opcode == Opcode::eoc) i.opcode = Opcode::mac_abk;
        i.bank = static_cast<std::uint8_t>(below(bank_count));
        i.channel = static_cast<std::uint8_t>(29 + below(3));
        i.column = static_cast<std::uint16_t>(below(4));
        i.gbuf = static_cast<std::uint16_t>(below(4));
        i.out = below(2);
        i.opsize = 1 + below(4);
        i.mask = 1 + below(7);
        i.row = below(2);
        i.gpr = below(10);
        i.gpr2 = below(10);
        if (i.opcode == Opcode::write_cfr) {
            i.gpr = below(3);
            i.gpr2 = below(i.gpr == 2 ? 8 : 2);
        }
        if (i.opcode == Opcode::read_mem || i.opcode == Opcode::write_mem) i.column = 0;
        return i;
    }

  private:
    std::mt19937 random_;
};

// Fills registers and some columns of both models with the same values.
void fill(Machine& machine, reference::ReferenceMachine& other, std::uint32_t seed) {
    RandomPrograms random(seed);
    const std::vector<Bf16> values = reference::random_values(64 * 16, seed);
    for (unsigned v = 0; v < 6 * lanes; ++v) {
        machine.memory().gpr(v / lanes).set(v % lanes, values[v]);
        other.gprs[v] = values[v];
    }
    for (unsigned n = 0; n < 60; ++n) {
        const unsigned channel = 29 + random.below(3);
        const unsigned bank = random.below(16);
        const unsigned row = random.below(2);
        const unsigned column = random.below(8);
        // Some tiles are written in part only.
        const unsigned width = random.below(4) == 0 ? 1 + random.below(15) : lanes;
        for (unsigned v = 0; v < width; ++v) {
            const Bf16 value = values[(n * lanes + v) % values.size()];
            machine.memory().bank(channel, bank, row, column).set(v, value);
            other.banks[{channel, bank, row, column * lanes + v}] = value;
        }
    }
}

// Every value that the reference wrote is the machine's too.
void expect_same(Machine& machine, const reference::ReferenceMachine& other) {
    for (const auto& [key, value] : other.banks) {
        const auto [channel, bank, row, v] = key;
        const Tile* tile = machine.memory().find(channel, bank, row, v / lanes);
        ASSERT_NE(tile, nullptr);
        ASSERT_EQ(tile->values[v % lanes], value);
    }
    for (const auto& [key, value] : other.gbufs) {
        ASSERT_EQ(machine.memory().gbuf(key.first, key.second / lanes).values[key.second % lanes],
                  value);
    }
    for (const auto& [v, value] : other.gprs) {
        ASSERT_EQ(machine.memory().gpr(v / lanes).values[v % lanes], value);
    }
    for (const auto& [key, value] : other.accumulators) {
        const auto [channel, out, bank] = key;
        ASSERT_EQ(
            std::bit_cast<std::uint32_t>(machine.memory().accumulator(channel, out).sums[bank]),
            std::bit_cast<std::uint32_t>(value));
    }
    ASSERT_EQ(machine.uninitialised().count, other.unwritten);
}

TEST(Machine, random_programs_leave_what_a_second_model_leaves) {
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
        Machine machine;
        reference::ReferenceMachine other;
        fill(machine, other, seed);
        RandomPrograms random(seed + 1000);
        for (int n = 0; n < 150; ++n) {
            const Instruction instruction = random.next();
            ASSERT_TRUE(machine.execute(instruction).ok());
            other.run(instruction);
            if (n % 10 == 9) expect_same(machine, other);
            if (HasFatalFailure()) FAIL() << "seed " << seed << ", instruction " << n + 1;
        }
    }
}

TEST(Machine, bit_i_of_a_mask_is_channel_31_minus_i) {
    Machine machine;
    machine.memory().gpr(5) = tile_of(1, 1);
    run(machine, {{.opcode = Opcode::wr_gb, .gbuf = 7, .mask = channel_0, .gpr = 5}});
    expect_tile(machine.memory().gbuf(0, 7), tile_of(1, 1));
    EXPECT_EQ(machine.memory().gbuf(31, 7).written, 0);
}

TEST(Machine, a_read_gives_one_register_per_channel_in_ascending_order) {
    Machine machine;
    machine.memory().bank(30, 2, 9, 3) = tile_of(30, 0);
    machine.memory().bank(31, 2, 9, 3) = tile_of(31, 0);
    run(machine, {{.opcode = Opcode::rd_sbk,
                   .bank = 2,
                   .column = 3,
                   .mask = channels_30_31,
                   .row = 9,
                   .gpr = 100}});
    expect_tile(machine.memory().gpr(100), tile_of(30, 0));
    expect_tile(machine.memory().gpr(101), tile_of(31, 0));
}

TEST(Machine, bias_sets_the_accumulators_and_reading_keeps_them) {
    Machine machine;
    machine.memory().gpr(0) = tile_of(1, 1);
    machine.memory().gpr(1) = tile_of(2, 0);
    for (unsigned bank = 0; bank < bank_count; ++bank) {
        machine.memory().bank(31, bank, 0, 0) = tile_of(static_cast<float>(bank), 0);
    }
    const Instruction bias{.opcode = Opcode::wr_bias, .mask = 1, .gpr = 0};
    const Instruction mac{.opcode = Opcode::mac_abk, .mask = 1};
    run(machine, {{.opcode = Opcode::wr_gb, .mask = 1, .gpr = 1},
                  bias,
                  mac,
                  {.opcode = Opcode::rd_mac, .mask = 1, .gpr = 2},
                  mac,
                  {.opcode = Opcode::rd_mac, .mask = 1, .gpr = 3},
                  bias,
                  {.opcode = Opcode::rd_mac, .mask = 1, .gpr = 4}});
    // Bank b: 1 + b, and 16 x 2 x b for each MAC.
    expect_tile(machine.memory().gpr(2), tile_of(1, 33));
    expect_tile(machine.memory().gpr(3), tile_of(1, 65));
    expect_tile(machine.memory().gpr(4), tile_of(1, 1));
    EXPECT_EQ(machine.uninitialised().count, 0u);
}

TEST(Machine, each_output_entry_accumulates_by_itself) {
    Machine machine;
    machine.memory().gpr(0) = tile_of(0, 0);
    machine.memory().gpr(1) = tile_of(1, 0);
    machine.memory().bank(31, 4, 0, 0) = tile_of(1, 0);
    run(machine, {{.opcode = Opcode::wr_gb, .mask = 1, .gpr = 1}});
    for (const std::uint32_t out : {0U, 3U, out_entries - 1}) {
        run(machine, {{.opcode = Opcode::wr_bias, .out = out, .mask = 1, .gpr = 0}});
    }
    const Instruction mac{.opcode = Opcode::mac_sbk, .bank = 4, .out = 3, .mask = 1};
    run(machine, {mac, mac});
    EXPECT_EQ(machine.memory().accumulator(31, 3).sums[4], 32.0F);
    EXPECT_EQ(machine.memory().accumulator(31, 3).sums[5], 0.0F);
    EXPECT_EQ(machine.memory().accumulator(31, 0).sums[4], 0.0F);
}

TEST(Machine, a_program_ends_at_its_first_eoc) {
    Machine machine;
    machine.memory().gpr(0) = tile_of(1, 0);
    const Instruction add{.opcode = Opcode::ewadd, .gpr = 0, .gpr2 = 0};
    const Program program{
        .instructions = {add, {.opcode = Opcode::eoc}, add}, .loops = {}, .strides = {}};
    ASSERT_TRUE(machine.run(program).ok());
    expect_tile(machine.memory().gpr(0), tile_of(2, 0));
    EXPECT_EQ(machine.executed(), 2u);
}

TEST(Machine, reading_what_nobody_wrote_is_reported_with_instruction_and_place) {
    Machine machine;
    machine.memory().gpr(0) = tile_of(0, 0);
    machine.memory().gbuf(31, 8) = tile_of(0, 0);
    machine.memory().bank(31, 3, 5, 8).set(0, {});  // one lane of it
    run(machine,
        {{.opcode = Opcode::sync},
         {.opcode = Opcode::wr_bias, .mask = 1},
         {.opcode = Opcode::mac_sbk, .bank = 3, .column = 8, .gbuf = 8, .mask = 1, .row = 5}});
    ASSERT_EQ(machine.uninitialised().count, 1u);
    EXPECT_EQ(machine.uninitialised().first.front().message(),
              "instruction 3, AiM MAC_SBK: channel 31 bank 3 row 5 column 8 was never written; "
              "read as 0");
    run(machine, {{.opcode = Opcode::rd_mac, .out = 1, .mask = 1, .gpr = 8}});
    EXPECT_EQ(machine.uninitialised().count, 17u);
    EXPECT_THAT(machine.uninitialised().first.back().message(),
                HasSubstr("instruction 4, AiM RD_MAC: channel 31 bank 15 accumulator 1"));
    // As many as are kept, and a count of all.
    for (std::uint32_t n = 0; n < 30; ++n) {
        run(machine, {{.opcode = Opcode::read_gpr, .gpr = 50 + n}});
    }
    EXPECT_EQ(machine.uninitialised().count, 47u);
    EXPECT_EQ(machine.uninitialised().first.size(), UninitialisedReads::kept);
}

TEST(Machine, an_operand_out_of_range_is_refused_and_changes_nothing) {
    const std::vector<std::pair<Instruction, std::string>> wrong{
        {{.opcode = Opcode::wr_sbk, .bank = 16, .mask = 1}, "AiM WR_SBK: bank 16 is above 15"},
        {{.opcode = Opcode::wr_abk, .mask = 1, .row = 16384},
         "AiM WR_ABK: row 16384 is above 16383"},
        {{.opcode = Opcode::mac_abk, .column = 60, .opsize = 8, .mask = 1},
         "AiM MAC_ABK: col 60 and the 7 after it end above 63"},
        {{.opcode = Opcode::mac_abk, .gbuf = 57, .opsize = 8, .mask = 1},
         "AiM MAC_ABK: gb 57 and the 7 after it end above 63"},
        {{.opcode = Opcode::mac_abk}, "AiM MAC_ABK: mask 0 addresses no channel"},
        {{.opcode = Opcode::wr_gb, .opsize = 2, .mask = 1, .gpr = 16383},
         "AiM WR_GB: GPR 16383 and the 1 after it end above 16383"},
        {{.opcode = Opcode::rd_mac, .mask = 3, .gpr = 16383},
         "AiM RD_MAC: GPR 16383 and the 1 after it end above 16383"},
        {{.opcode = Opcode::rd_af, .out = 4096, .mask = 1}, "AiM RD_AF: out 4096 is above 4095"},
        {{.opcode = Opcode::ewadd, .opsize = 4, .gpr2 = 16381},
         "AiM EWADD: second GPR 16381 and the 3 after it end above 16383"},
        {{.opcode = Opcode::write_cfr, .gpr = 3}, "W CFR: CFR 3 is above 2"},
        {{.opcode = Opcode::write_cfr, .gpr = 1, .gpr2 = 2}, "W CFR: value 2 is above 1 of CFR 1"},
        {{.opcode = Opcode::read_mem, .channel = 32}, "R MEM: channel 32 is above 31"}};
    for (const auto& [instruction, says] : wrong) {
        Machine machine;
        const Status status = machine.execute(instruction);
        ASSERT_FALSE(status.ok()) << says;
        EXPECT_EQ(status.error().message(), "instruction 1, " + says);
        EXPECT_EQ(machine.executed(), 0u);
        EXPECT_EQ(machine.uninitialised().count, 0u);
    }
}

}  // namespace
}  // namespace memside::pim
