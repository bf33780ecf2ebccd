// Compiled programs in time, under every scheduler with and without refresh: dynamic ones take as
// long as static ones of the same context, MACs are as many as the shape asks for, and no time is
// below what these alone take.
#include <cmath>

#include "compiler/attention_on_data.h"
#include "compiler/compile_text.h"
#include "pim/dynamic/dispatcher.h"
#include "pim/dynamic/dynamic_time.h"
#include "pim/shipped_timing.h"

namespace memside::compiler {
namespace {

constexpr AttentionShape shape{.kv_heads = 8, .group = 4, .head_dim = 128};
constexpr pim::Dispatcher::RequestId request = 1;

constexpr const char* attention_text = R"(
!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!kv = tensor<8x128xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<8 x 128, key>
!v = !decode.cache<8 x 128, value>
func.func @attention(%q: !q, %key: !kv, %value: !kv, %k: !k, %v: !v) -> !q {
  %k1 = decode.append %k, %key : !k, !kv -> !k
  %v1 = decode.append %v, %value : !v, !kv -> !v
  %o = decode.attention %q, %k1, %v1 {scale = 0.08838835 : f32} : !q, !k, !v -> !q
  return %o : !q
}
)";

const pim::HubTiming& hub_timing() {
    static const pim::HubTiming timing =
        pim::read_hub_timing(fmt::format("{}/systems/pim/hub.yaml", MEMSIDE_SOURCE_DIR)).value();
    return timing;
}

pim::DynamicTime dynamic_time(const pim::DynamicProgram& program, std::uint64_t tokens,
                              const pim::SimulationOptions& options) {
    auto dispatcher = pim::Dispatcher::create(program, pim::free_chunks(program)).value();
    EXPECT_TRUE(dispatcher.admit(request, tokens - 1).ok());
    pim::TimeSink sink(pim::shipped_timing(), hub_timing(), options);
    EXPECT_TRUE(dispatcher.step(request, sink).ok());
    return sink.finish().value();
}

pim::DynamicTime static_time(const pim::DynamicProgram& program, std::uint64_t tokens,
                             const pim::SimulationOptions& options) {
    pim::TimeSink sink(pim::shipped_timing(), hub_timing(), options);
    EXPECT_TRUE(pim::Expander(program).run_all(tokens, {}, sink).ok());
    return sink.finish().value();
}

// MAC16 commands of a channel that works on every head: for 16 tokens of keys in each of `ways`
// channels the tiles of a key, for 16 tokens of values in each class one for each pass.
std::uint64_t macs_of(const CompileOptions& options, std::uint64_t tokens) {
    const bool tcp = options.heads == std::string("tcp");
    const auto layout = [&](pim::KvKind kind) {
        return tcp ? pim::KvLayout::tcp(kind, shape.head_dim, options.channels)
                   : pim::KvLayout::hfp(kind, shape.head_dim, options.channels, shape.kv_heads);
    };
    const pim::KvLayout keys = layout(pim::KvKind::key);
    const pim::KvLayout values = layout(pim::KvKind::value);
    const std::uint64_t scores = pim::units(tokens, keys.granule()) * keys.tiles();
    const std::uint64_t sums = pim::units(tokens, values.granule()) * values.passes();
    return (tcp ? shape.kv_heads : 1) * shape.group * (scores + sums);
}

std::uint64_t most_macs(const pim::DynamicTime& time) {
    std::uint64_t most = 0;
    for (const pim::ChannelResult& channel : time.result.channels) {
        most = std::max(most, channel.commands[static_cast<std::size_t>(pim::Command::mac16)]);
    }
    return most;
}

void check(const char* heads, std::uint64_t tokens) {
    CompileOptions options{.heads = heads};
    const auto dynamic = compile_text(attention_text, options);
    options.order = false;
    const auto unordered = compile_text(attention_text, options);
    options = {.heads = heads, .is_static = true, .max_context = tokens, .unroll = true};
    const auto fixed = compile_text(attention_text, options);
    ASSERT_TRUE(dynamic && unordered && fixed);
    const std::uint64_t macs = macs_of(options, tokens);
    const auto floor = macs * static_cast<std::uint64_t>(pim::shipped_timing().nCCDS);
    for (const auto scheduler :
         {pim::Scheduler::in_order, pim::Scheduler::ping_pong, pim::Scheduler::dcs}) {
        std::uint64_t without_refresh = 0;
        for (const auto refresh :
             {pim::RefreshMode::off, pim::RefreshMode::all_bank, pim::RefreshMode::per_bank}) {
            const pim::SimulationOptions how{.scheduler = scheduler, .refresh = refresh};
            SCOPED_TRACE(fmt::format("{}, {} tokens, scheduler {}, refresh {}", heads, tokens,
                                     static_cast<int>(scheduler), static_cast<int>(refresh)));
            const pim::DynamicTime a = dynamic_time(dynamic->program, tokens, how);
            const pim::DynamicTime b = static_time(fixed->program, tokens, how);
            const pim::DynamicTime c = dynamic_time(unordered->program, tokens, how);
            for (const pim::DynamicTime* time : {&a, &b, &c}) {
                EXPECT_EQ(most_macs(*time), macs);
                EXPECT_GE(time->aim_cycles, floor);
                EXPECT_EQ(time->hub_cycles, a.hub_cycles);
            }
            EXPECT_EQ(a.instructions, b.instructions);
            // Rows lie elsewhere, in the same order: nothing else differs.
            EXPECT_NEAR(static_cast<double>(a.result.cycles), static_cast<double>(b.result.cycles),
                        0.001 * static_cast<double>(b.result.cycles));
            // Refresh takes time away, in order. Schedulers that look ahead may find rows closed
            // that they would have had to close: some hundred cycles of a program without tokens.
            if (refresh == pim::RefreshMode::off) without_refresh = a.result.cycles;
            const bool looks_ahead = scheduler != pim::Scheduler::in_order;
            if (!looks_ahead || tokens > 1) {
                EXPECT_GE(a.result.cycles, without_refresh);
            }
        }
    }
}

TEST(compiled_time, of_dynamic_programs_is_that_of_static_ones) {
    for (const char* heads : {"tcp", "hfp"}) {
        for (const std::uint64_t tokens : {1U, 1000U, 4097U}) check(heads, tokens);
    }
}

// In order, a command after another: the time of a longer context is not below a shorter one's, and
// grows with the blocks in the long run.
TEST(compiled_time, grows_with_the_context) {
    const auto made = compile_text(attention_text, {.heads = "tcp"});
    ASSERT_TRUE(made.has_value());
    std::uint64_t before = 0;
    for (const std::uint64_t tokens : {1U, 600U, 5000U, 20000U, 40000U, 80000U}) {
        const std::uint64_t cycles = dynamic_time(made->program, tokens, {}).result.cycles;
        EXPECT_GT(cycles, before) << tokens;
        if (tokens > 20000) {
            const double ratio = static_cast<double>(cycles) / static_cast<double>(before);
            EXPECT_NEAR(ratio, 2, 0.1) << tokens;
        }
        before = cycles;
    }
}

}  // namespace
}  // namespace memside::compiler
