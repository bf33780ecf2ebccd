// Attention kernels: the engine against the ticking reference, and rates by hand.
#include "pim/attention_programs.h"
#include "pim/shipped_timing.h"
#include "pim/tick_comparison.h"

namespace memside::pim {
namespace {

struct Kernel {
    const char* name;
    std::vector<Instruction> (*program)(const AttentionShape&);
};
constexpr Kernel kernels[] = {{"scores", score_program}, {"values", value_program}};

void expect_as_ticking(const AttentionShape& shape) {
    for (const Kernel& kernel : kernels) {
        for (const RefreshMode mode :
             {RefreshMode::off, RefreshMode::all_bank, RefreshMode::per_bank}) {
            expect_as_ticking(kernel.program(shape), mode,
                              fmt::format("{} dim {} tokens {} channels {} queries {} reuse {}",
                                          kernel.name, shape.head_dim, shape.tokens, shape.channels,
                                          shape.queries, shape.row_reuse));
        }
    }
}

TEST(InOrderAttention, head_dimensions_are_as_ticking) {
    for (const unsigned dim : {64u, 128u, 256u}) {
        expect_as_ticking(AttentionShape{.head_dim = dim, .tokens = 8192});
    }
}

TEST(InOrderAttention, odd_numbers_of_channels_and_tokens_are_as_ticking) {
    for (const unsigned channels : {1u, 3u, 5u, 31u}) {
        expect_as_ticking(AttentionShape{.tokens = 777 * channels, .channels = channels});
    }
}

TEST(InOrderAttention, grouped_queries_with_and_without_row_reuse_are_as_ticking) {
    for (const bool reuse : {false, true}) {
        expect_as_ticking(
            AttentionShape{.head_dim = 128, .tokens = 8192, .queries = 4, .row_reuse = reuse});
    }
}

// Per group of tokens 64 entries of the GBuf, then bias, 8 columns and result for 8 heads:
// 128 + 174 + 7 x 86 = 904 cycles, of which MACs are 8 x 8 x 2.
TEST(InOrderAttention, by_hand_a_group_with_its_query_rewritten_takes_904_cycles) {
    const Timing& timing = shipped_timing();
    const auto groups = [&](unsigned count) {
        Program program;
        constexpr std::uint32_t all = 0xffffffff;
        for (unsigned group = 0; group < count; ++group) {
            program.instructions.push_back({.opcode = Opcode::wr_gb, .opsize = 64, .mask = all});
            for (int head = 0; head < 8; ++head) {
                program.instructions.push_back({.opcode = Opcode::wr_bias, .mask = all});
                program.instructions.push_back(
                    {.opcode = Opcode::mac_abk, .opsize = 8, .mask = all, .row = group});
                program.instructions.push_back({.opcode = Opcode::rd_mac, .mask = all});
            }
        }
        return *simulate(program, timing, {.refresh = RefreshMode::off});
    };
    // 8K tokens over 32 channels are 16 groups.
    EXPECT_EQ(groups(17).cycles - groups(16).cycles, 904u);
    EXPECT_NEAR(groups(256).mac_utilization(timing), 128.0 / 904, 1e-4);
}

}  // namespace
}  // namespace memside::pim
