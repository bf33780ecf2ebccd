// A layer over several modules: every module has its program, weights and caches; the test is the
// host between them, and exchanges what the execution table says. Equal to the layer on one module.
#include <cmath>
#include <random>

#include "compiler/compile_text.h"
#include "compiler/plan/gemv_plan.h"
#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

using testing::HasSubstr;
using Vector = std::vector<float>;

constexpr std::uint32_t hidden = 128;
constexpr std::uint32_t heads = 8;
constexpr std::uint32_t head_dim = 32;
constexpr std::uint32_t inner = 256;
constexpr pim::Dispatcher::RequestId request = 1;

std::string layer_text(std::uint32_t kv_heads, std::uint32_t window = 0) {
    return fmt::format(R"(
!x = tensor<128xbf16, #decode.axes<[channel]>>
!i = tensor<256xbf16, #decode.axes<[channel]>>
!h = tensor<32xbf16, #decode.axes<[channel]>>
!p = tensor<16xf32, #decode.axes<[channel]>>
!q = tensor<8x32xbf16, #decode.axes<[head, channel]>>
!kv = tensor<{0}x32xbf16, #decode.axes<[head, channel]>>
!wq = tensor<256x128xbf16, #decode.axes<[row, column]>>
!bq = tensor<256xbf16, #decode.axes<[channel]>>
!wk = tensor<{1}x128xbf16, #decode.axes<[row, column]>>
!bk = tensor<{1}xbf16, #decode.axes<[channel]>>
!wo = tensor<128x256xbf16, #decode.axes<[row, column]>>
!k = !decode.cache<{0} x 32, key>
!v = !decode.cache<{0} x 32, value>
func.func @layer(%x: !x, %keys: !k, %values: !v) -> !x
    attributes {{decode.layer = 4 : i64, decode.layers = 8 : i64}} {{
  %n = decode.weight "norm" : !x
  %nk = decode.weight "key_norm" : !h
  %wq = decode.weight "q" : !wq
  %bq = decode.weight "q_bias" : !bq
  %wk = decode.weight "k" : !wk
  %wv = decode.weight "v" : !wk
  %bv = decode.weight "v_bias" : !bk
  %wo = decode.weight "o" : !wo
  %wg = decode.weight "gate" : !wq
  %wu = decode.weight "up" : !wq
  %wd = decode.weight "down" : !wo
  %f = decode.weight "divisors" {{values = array<f32: 1., 1., 1., 1.25, 1.5, 2., 2.5, 3., 3.5, 4., 4.5, 5., 6., 7., 8., 8.>}} : !p
  %a = decode.rms_norm %x, %n {{eps = 1.0e-5 : f32}} : !x, !x -> !x
  %q0 = decode.linear %a, %wq bias %bq : !x, !wq, !bq -> !q
  %k0 = decode.linear %a, %wk : !x, !wk -> !kv
  %v0 = decode.linear %a, %wv bias %bv : !x, !wk, !bk -> !kv
  %k1 = decode.rms_norm %k0, %nk {{eps = 1.0e-5 : f32}} : !kv, !h -> !kv
  %q2 = decode.rope %q0 over %f {{theta = 10000.0 : f32}} : !q, !p -> !q
  %k2 = decode.rope %k1 over %f {{theta = 10000.0 : f32}} : !kv, !p -> !kv
  %keys1 = decode.append %keys, %k2 : !k, !kv -> !k
  %values1 = decode.append %values, %v0 : !v, !kv -> !v
  %o = decode.attention %q2, %keys1, %values1 {{scale = 0.1767767 : f32, window = {2} : i64}} : !q, !k, !v -> !q
  %p = decode.linear %o, %wo : !q, !wo -> !x
  %y = decode.add %x, %p : !x, !x -> !x
  %g = decode.linear %y, %wg : !x, !wq -> !i
  %u = decode.linear %y, %wu : !x, !wq -> !i
  %m = decode.gate %g, %u <silu> : !i, !i -> !i
  %d = decode.linear %m, %wd : !i, !wo -> !x
  %z = decode.add %y, %d : !x, !x -> !x
  return %z : !x
}}
)",
                       kv_heads, kv_heads * head_dim, window);
}

std::vector<pim::Bf16> random_values(std::size_t size, float mean, float spread,
                                     std::mt19937_64& random) {
    std::normal_distribution<float> normal(mean, spread);
    std::vector<pim::Bf16> values(size);
    for (pim::Bf16& value : values) value = pim::to_bf16(normal(random));
    return values;
}

// The whole layer's weights, and what a module has of them.
struct Weights {
    struct Matrix {
        std::uint32_t rows = 0;
        std::uint32_t columns = 0;
        std::vector<pim::Bf16> values;
    };
    std::map<std::string, Matrix> all;  // vectors have a column

    explicit Weights(std::uint32_t kv_heads) {
        std::mt19937_64 random(kv_heads);
        const auto matrix = [&](const char* name, std::uint32_t rows, std::uint32_t columns) {
            const float spread = 1 / std::sqrt(static_cast<float>(columns));
            all[name] = {rows, columns,
                         random_values(std::size_t{rows} * columns, 0, spread, random)};
        };
        matrix("q", heads * head_dim, hidden);
        matrix("k", kv_heads * head_dim, hidden);
        matrix("v", kv_heads * head_dim, hidden);
        matrix("o", hidden, heads * head_dim);
        matrix("gate", inner, hidden);
        matrix("up", inner, hidden);
        matrix("down", hidden, inner);
        all["norm"] = {hidden, 1, random_values(hidden, 1, 0.3F, random)};
        all["key_norm"] = {head_dim, 1, random_values(head_dim, 1, 0.3F, random)};
        all["q_bias"] = {heads * head_dim, 1, random_values(heads * head_dim, 0, 0.5F, random)};
        all["v_bias"] = {kv_heads * head_dim, 1,
                         random_values(std::size_t{kv_heads} * head_dim, 0, 0.5F, random)};
    }

    Matrix part(const std::string& name, std::uint32_t module, std::uint32_t modules,
                std::uint32_t kv_heads) const {
        const Matrix& whole = all.at(name);
        if (name == "norm" || name == "key_norm") return whole;
        const bool by_column = name == "o" || name == "down";
        std::uint32_t pieces = modules;
        // A KV head's rows are in all modules that share it.
        if (name == "k" || name == "v" || name == "v_bias") pieces = std::min(modules, kv_heads);
        const std::uint32_t piece = module / (modules / pieces);
        Matrix made{
            whole.rows / (by_column ? 1 : pieces), whole.columns / (by_column ? pieces : 1), {}};
        for (std::uint32_t r = 0; r < made.rows; ++r) {
            for (std::uint32_t c = 0; c < made.columns; ++c) {
                const std::uint32_t row = r + (by_column ? 0 : piece * made.rows);
                const std::uint32_t column = c + (by_column ? piece * made.columns : 0);
                made.values.push_back(whole.values[std::size_t{row} * whole.columns + column]);
            }
        }
        return made;
    }
};

// Modules with one program, and the host between them.
class Modules {
  public:
    Modules(std::uint32_t kv_heads, const CompileOptions& options)
        : made_(compile_text(layer_text(kv_heads), options)), machines_(options.tensor) {
        if (!made_) return;
        const Weights weights(kv_heads);
        for (std::uint32_t m = 0; m < options.tensor; ++m) load(weights, m, kv_heads);
    }

    explicit operator bool() const { return made_.has_value(); }
    const pim::DynamicProgram& program() const { return made_->program; }

    Vector step(const std::vector<pim::Bf16>& x) {
        for (pim::DynamicMachine& machine : machines_) {
            pim::place_in_gprs(x, hidden / pim::lanes, made_->registers.at("argument0"),
                               machine.memory());
        }
        for (std::size_t i = 0; i < program().entries.size(); ++i) {
            for (std::size_t m = 0; m < machines_.size(); ++m) {
                const Status ran = dispatchers_[m].expand(request, i, machines_[m]);
                EXPECT_TRUE(ran.ok()) << ran.error().message();
            }
            exchange(program().entries[i]);
        }
        Vector first;
        for (std::size_t m = 0; m < machines_.size(); ++m) {
            EXPECT_TRUE(dispatchers_[m].advance(request).ok());
            Vector values;
            for (const pim::Bf16 value :
                 pim::gather_gprs(made_->registers.at("result0"), hidden, machines_[m].memory())) {
                values.push_back(pim::to_float(value));
            }
            if (m == 0) first = values;
            EXPECT_EQ(values, first) << "module " << m;
        }
        return first;
    }

    void expect_all_written() const {
        for (const pim::DynamicMachine& machine : machines_) {
            EXPECT_EQ(machine.machine().uninitialised().count, 0U);
            EXPECT_EQ(machine.hub_unit().uninitialised().count, 0U);
        }
    }

    // Tokens in the caches of each.
    std::vector<std::uint64_t> own_tokens() const {
        std::vector<std::uint64_t> tokens;
        for (std::uint32_t m = 0; m < machines_.size(); ++m) {
            const pim::Expander expander(program(), m % program().share.modules);
            tokens.push_back(expander.share().tokens(dispatchers_[m].tokens(request)));
        }
        return tokens;
    }

  private:
    void load(const Weights& weights, std::uint32_t module, std::uint32_t kv_heads) {
        const auto modules = static_cast<std::uint32_t>(machines_.size());
        pim::DynamicMachine& machine = machines_[module];
        std::uint32_t end = 0;
        for (const pim::Region& region : program().regions) {
            if (region.per_request) continue;
            end = std::max(end, region.first_row + region.rows);
            const auto part = weights.part(region.name, module, modules, kv_heads);
            if (part.columns == 1) {
                place_vector(VectorSlot::at(0), part.values, program().channels, region.first_row,
                             machine.memory());
                continue;
            }
            pim::GemvLayout layout;
            layout.shape = {part.rows, part.columns};
            layout.options.channels = program().channels;
            layout.options.first_row = region.first_row;
            pim::place_matrix(layout, part.values, machine.memory());
        }
        auto dispatcher = pim::Dispatcher::create(
            program(), pim::ChunkPool(end, pim::rows_per_bank - end, program().chunk_rows),
            machine.zeroing(program().channels), {}, module % program().share.modules);
        ASSERT_TRUE(dispatcher.ok()) << dispatcher.error().message();
        ASSERT_TRUE(dispatcher->admit(request, 0).ok());
        dispatchers_.push_back(std::move(*dispatcher));
    }

    void exchange(const pim::ExecutionEntry& entry) {
        using pim::Communication;
        if (entry.communication == Communication::none || entry.tiles == 0) return;
        ASSERT_EQ(machines_.size() % entry.parts, 0U);
        for (std::size_t first = 0; first < machines_.size(); first += entry.parts) {
            if (entry.communication == Communication::all_reduce) {
                sum(entry, first);
                continue;
            }
            ASSERT_TRUE(entry.communication == Communication::all_gather ||
                        entry.communication == Communication::all_to_all);
            const bool parts = entry.communication == Communication::all_to_all;
            for (std::uint32_t from = 0; from < entry.parts; ++from) {
                for (std::uint32_t to = 0; to < entry.parts; ++to) {
                    const std::uint32_t read = entry.gpr + (parts ? to * entry.tiles : 0);
                    const std::uint32_t write = entry.gpr_out + from * entry.tiles;
                    for (std::uint32_t i = 0; i < entry.tiles; ++i) {
                        machines_[first + to].memory().gpr(write + i) =
                            machines_[first + from].memory().gpr(read + i);
                    }
                }
            }
        }
    }

    // In FP32, in the order of the modules.
    void sum(const pim::ExecutionEntry& entry, std::size_t first) {
        for (std::uint32_t i = 0; i < entry.tiles; ++i) {
            for (unsigned lane = 0; lane < pim::lanes; ++lane) {
                float total = 0;
                for (std::uint32_t m = 0; m < entry.parts; ++m) {
                    const pim::Tile& tile = machines_[first + m].memory().gpr(entry.gpr + i);
                    total += pim::to_float(tile.values[lane]);
                }
                for (std::uint32_t m = 0; m < entry.parts; ++m) {
                    machines_[first + m]
                        .memory()
                        .gpr(entry.gpr_out + i)
                        .set(lane, pim::to_bf16(total));
                }
            }
        }
    }

    std::optional<CompiledProgram> made_;
    std::vector<pim::DynamicMachine> machines_;
    std::vector<pim::Dispatcher> dispatchers_;
};

void check(std::uint32_t kv_heads, unsigned tensor, const char* partition, int steps) {
    SCOPED_TRACE(fmt::format("{} KV heads over {} modules, {}", kv_heads, tensor, partition));
    CompileOptions options{.heads = partition, .channels = 2};
    Modules one(kv_heads, options);
    options.tensor = tensor;
    Modules several(kv_heads, options);
    ASSERT_TRUE(one);
    ASSERT_TRUE(several);
    std::mt19937_64 random(9);
    for (int step = 0; step < steps; ++step) {
        const auto x = random_values(hidden, 0, 1, random);
        const Vector wanted = one.step(x);
        const Vector got = several.step(x);
        double difference = 0;
        double size = 0;
        for (std::size_t i = 0; i < hidden; ++i) {
            difference += std::pow(double{got[i]} - double{wanted[i]}, 2);
            size += std::pow(double{wanted[i]}, 2);
        }
        // Both are some dozen roundings from the true values; parts of sums are rounded besides.
        ASSERT_LT(std::sqrt(difference / size), 3 * pim::bf16_roundoff) << "step " << step;
    }
    one.expect_all_written();
    several.expect_all_written();
    // Every token is in one of the modules that share it.
    const std::uint32_t sharers = tensor > kv_heads ? tensor / kv_heads : 1;
    EXPECT_EQ(several.program().share.modules, sharers);
    const std::vector<std::uint64_t> own = several.own_tokens();
    for (std::size_t first = 0; first < own.size(); first += sharers) {
        std::uint64_t sum = 0;
        for (std::uint32_t m = 0; m < sharers; ++m) sum += own[first + m];
        EXPECT_EQ(sum, static_cast<std::uint64_t>(steps));
    }
}

TEST(compiled_modules, a_layer_over_two_and_four_equals_that_of_one) {
    for (const char* partition : {"tcp", "hfp"}) {
        check(4, 2, partition, 40);
        check(4, 4, partition, 40);
    }
}

// Blocks of 32 tokens (16 under HFP) are dealt in turn: some modules have none at first.
TEST(compiled_modules, tokens_of_a_head_over_several_equal_those_of_one) {
    for (const char* partition : {"tcp", "hfp"}) {
        check(1, 2, partition, 140);
        check(2, 4, partition, 100);
        check(1, 4, partition, 140);
    }
}

TEST(compiled_modules, what_is_exchanged_is_in_the_execution_table) {
    const auto made = compile_text(layer_text(2), {.channels = 2, .tensor = 4});
    ASSERT_TRUE(made.has_value());
    std::vector<std::string> exchanged;
    for (const pim::ExecutionEntry& entry : made->program.entries) {
        if (entry.communication == pim::Communication::none) continue;
        exchanged.push_back(
            fmt::format("{} of {} tiles in {}",
                        pim::communication_names[static_cast<std::size_t>(entry.communication)],
                        entry.tiles, entry.parts));
    }
    // Queries of 2 heads for 2 modules, their outputs with a tile each, and two sums over all.
    EXPECT_THAT(exchanged,
                testing::ElementsAre("all_gather of 4 tiles in 2", "all_to_all of 6 tiles in 2",
                                     "all_reduce of 8 tiles in 4", "all_reduce of 8 tiles in 4"));
}

TEST(compiled_modules, a_stage_says_its_layers_and_passes_the_vector_on) {
    const auto entries = [](unsigned stages) {
        const auto made = compile_text(layer_text(4), {.tensor = 2, .pipeline = stages});
        EXPECT_TRUE(made.has_value());
        return made ? made->program : pim::DynamicProgram();
    };
    // Layer 4 of 8 is the first of the second half, and the only layer of the fifth eighth.
    const pim::DynamicProgram half = entries(2);
    EXPECT_EQ(half.stage, (pim::StagePlace{1, 2, 4, 4}));
    EXPECT_EQ(half.entries.front().communication, pim::Communication::receive);
    EXPECT_EQ(half.entries.front().tiles, hidden / pim::lanes);
    EXPECT_EQ(half.entries.back().communication, pim::Communication::none);
    EXPECT_EQ(half.entries.back().module, 2U);  // the stage before has modules 0 and 1
    const pim::DynamicProgram eighth = entries(8);
    EXPECT_EQ(eighth.stage, (pim::StagePlace{4, 8, 4, 1}));
    EXPECT_EQ(eighth.entries.front().communication, pim::Communication::receive);
    EXPECT_EQ(eighth.entries.back().communication, pim::Communication::send);
    const pim::DynamicProgram third = entries(3);  // 3, 3 and 2 layers: 4 is within the second
    EXPECT_EQ(third.stage, (pim::StagePlace{1, 3, 3, 3}));
    EXPECT_EQ(third.entries.front().communication, pim::Communication::none);
    EXPECT_EQ(entries(1).stage, pim::StagePlace());
}

TEST(compiled_modules, what_cannot_be_split_is_refused) {
    EXPECT_THAT(diagnostics_of(layer_text(4), {.tensor = 3}), HasSubstr("over 3 modules"));
    EXPECT_THAT(diagnostics_of(layer_text(4), {.pipeline = 9}), HasSubstr("stages"));
    EXPECT_THAT(diagnostics_of(layer_text(1, 64), {.tensor = 2}), HasSubstr("slides over tokens"));
    EXPECT_THAT(diagnostics_of(layer_text(4), {.tensor = 16}), HasSubstr("heads over 16 modules"));
    EXPECT_THAT(diagnostics_of(layer_text(1), {.is_static = true, .max_context = 64, .tensor = 2}),
                HasSubstr("give dpa"));
}

}  // namespace
}  // namespace memside::compiler
