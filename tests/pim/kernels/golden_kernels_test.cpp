// The kernels as programs: the golden traces' instructions in the golden traces' order, so the same
// time; and what a program with loops must be for readers and writers.
#include "pim/golden_files.h"
#include "pim/kernels/gemv.h"
#include "pim/kernels/qk.h"
#include "pim/kernels/sv.h"
#include "pim/program_builder.h"
#include "pim/simulation.h"
#include "pim/text_reader.h"
#include "pim/text_writer.h"

namespace memside::pim {
namespace {

const Timing& timing() {
    static const Timing read =
        *read_timing(fmt::format("{}/systems/timing/gddr6-aim.yaml", MEMSIDE_SOURCE_DIR));
    return read;
}

SimulationResult run(const Program& program) {
    const auto result = simulate(program, timing(), {.refresh = RefreshMode::off});
    EXPECT_TRUE(result.ok()) << result.error().message();
    return result.ok() ? *result : SimulationResult{};
}

const GoldenTrace& golden(const std::string& name) {
    static const std::vector<GoldenTrace> traces = read_golden_traces();
    const auto found =
        std::ranges::find_if(traces, [&](const GoldenTrace& trace) { return trace.name == name; });
    EXPECT_NE(found, traces.end()) << name;
    return found == traces.end() ? traces.front() : *found;
}

// What time depends on, without operands of data.
std::string shape_of(const Instruction& i) {
    return fmt::format("opcode {} opsize {} mask {:#x} row {}", static_cast<int>(i.opcode),
                       i.opsize, i.mask, i.row);
}

// Instructions in the golden trace's order; then, behind its writes of registers, its cycles.
void expect_golden(const std::string& name, const Program& program) {
    const GoldenTrace& trace = golden(name);
    std::vector<Instruction> all;
    std::vector<std::string> expected;
    for (const Instruction& instruction : trace.instructions) {
        if (instruction.opcode == Opcode::write_gpr) {
            all.push_back(instruction);
        } else {
            expected.push_back(shape_of(instruction));
        }
    }
    std::vector<std::string> seen;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) {
        seen.push_back(shape_of(*cursor));
        all.push_back(*cursor);
    }
    ASSERT_EQ(seen, expected) << name;
    const SimulationResult result =
        run({.instructions = std::move(all), .loops = {}, .strides = {}});
    EXPECT_EQ(result.cycles, trace.cycles) << name;
    EXPECT_EQ(result.commands(), trace.commands) << name;
}

constexpr std::array<std::pair<std::uint32_t, const char*>, 4> contexts{
    {{1U << 10, "1k"}, {1U << 13, "8k"}, {1U << 15, "32k"}, {1U << 17, "128k"}}};

TEST(GoldenKernels, qk_gives_the_instructions_of_the_golden_traces) {
    for (const auto& [tokens, name] : contexts) {
        for (const unsigned channels : {1U, 32U}) {
            QkOptions options;
            options.channels = channels;
            const auto kernel = make_qk({128, tokens, 1}, options);
            ASSERT_TRUE(kernel.ok()) << kernel.error().message();
            expect_golden(fmt::format("qk_d128_t{}_ch{}", name, channels), kernel->program);
        }
    }
}

TEST(GoldenKernels, sv_gives_the_instructions_of_the_golden_traces) {
    for (const auto& [tokens, name] : contexts) {
        for (const unsigned channels : {1U, 32U}) {
            SvOptions options;
            options.channels = channels;
            options.first_row = 4096;
            const auto kernel = make_sv({128, tokens, 1}, options);
            ASSERT_TRUE(kernel.ok()) << kernel.error().message();
            expect_golden(fmt::format("sv_d128_t{}_ch{}", name, channels), kernel->program);
        }
    }
}

TEST(GoldenKernels, gemv_gives_the_instructions_of_the_golden_traces) {
    const std::vector<std::tuple<std::string, GemvShape, unsigned>> sizes{
        {"1024x1024_ch1", {1024, 1024}, 1},    {"1024x1024_ch4", {1024, 1024}, 4},
        {"1024x1024_ch32", {1024, 1024}, 32},  {"4096x4096_ch1", {4096, 4096}, 1},
        {"4096x4096_ch4", {4096, 4096}, 4},    {"4096x4096_ch32", {4096, 4096}, 32},
        {"4096x14336_ch32", {4096, 14336}, 32}};
    for (const auto& [name, shape, channels] : sizes) {
        for (const GemvOrder order : {GemvOrder::chunk_outer, GemvOrder::group_outer}) {
            const bool by_group = order == GemvOrder::group_outer;
            if (by_group && shape.columns == 14336) continue;  // no such trace
            GemvOptions options;
            options.channels = channels;
            options.order = order;
            const auto kernel = make_gemv(shape, options);
            ASSERT_TRUE(kernel.ok()) << kernel.error().message();
            expect_golden(fmt::format("gemv_{}_{}", name, by_group ? "group" : "chunk"),
                          kernel->program);
        }
    }
}

// MAC utilisation by the paper's static control: 14.7 %; by the reference's rules 128 / 904.
TEST(GoldenKernels, qk_with_the_query_rewritten_per_group_spends_904_cycles_a_row_on_128_of_macs) {
    for (const unsigned channels : {1U, 4U, 32U}) {
        QkOptions options;
        options.channels = channels;
        options.rewrite_query_per_group = true;
        options.registers = Registers::reused;
        std::vector<std::uint64_t> cycles;
        for (const std::uint32_t rows : {64U, 128U}) {
            const auto kernel = make_qk({128, rows * 8 * 16 * channels, 1}, options);
            ASSERT_TRUE(kernel.ok()) << kernel.error().message();
            const SimulationResult result = run(kernel->program);
            EXPECT_NEAR(result.mac_utilization(timing()), 128.0 / 904, 0.001) << channels;
            cycles.push_back(result.cycles);
        }
        EXPECT_EQ(cycles[1] - cycles[0], 64u * 904) << channels;
    }
}

TEST(GoldenKernels, qk_at_8k_tokens_reaches_14_percent_of_the_macs) {
    for (const unsigned channels : {1U, 32U}) {
        QkOptions options;
        options.channels = channels;
        options.rewrite_query_per_group = true;
        const auto kernel = make_qk({128, 8192, 1}, options);
        ASSERT_TRUE(kernel.ok());
        const double utilization = run(kernel->program).mac_utilization(timing());
        // 32 channels have two rows each: the first one's start shows.
        EXPECT_NEAR(utilization, 128.0 / 904, channels == 1 ? 0.0005 : 0.005) << channels;
    }
}

std::vector<Program> samples() {
    std::vector<Program> programs;
    for (const bool row_reuse : {false, true}) {
        for (const Registers registers : {Registers::own, Registers::reused}) {
            QkOptions qk;
            qk.channels = 5;
            qk.row_reuse = row_reuse;
            qk.registers = registers;
            for (const bool rewrite : {false, true}) {
                qk.rewrite_query_per_group = rewrite;
                programs.push_back(make_qk({80, 3000, 4}, qk)->program);
                programs.push_back(make_qk({256, 3000, 8}, qk)->program);
            }
            SvOptions sv;
            sv.channels = 3;
            sv.row_reuse = row_reuse;
            sv.registers = registers;
            programs.push_back(make_sv({80, 100, 4}, sv)->program);
            programs.push_back(make_sv({256, 7000, 8}, sv)->program);
            GemvOptions gemv;
            gemv.channels = 7;
            gemv.registers = registers;
            gemv.order = row_reuse ? GemvOrder::group_outer : GemvOrder::chunk_outer;
            programs.push_back(make_gemv({500, 3000}, gemv)->program);
        }
    }
    return programs;
}

TEST(GoldenKernels, programs_are_valid_and_survive_their_text) {
    for (const Program& program : samples()) {
        const Status valid = validate(program, "kernel");
        EXPECT_TRUE(valid.ok()) << valid.error().message();
        const auto again = parse_text(to_text(program), "kernel.aim");
        ASSERT_TRUE(again.ok()) << again.error().message();
        EXPECT_EQ(*again, program);
    }
}

}  // namespace
}  // namespace memside::pim
