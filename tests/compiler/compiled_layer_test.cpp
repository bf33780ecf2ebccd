// One layer of a real model: its weights in the banks, the keys and values of a prompt in its
// caches, one decode step as AiM programs, beside what the engine makes of the same step.
#include <mlir/IR/MLIRContext.h>

#include <cmath>

#include "base/file.h"
#include "compiler/compile_text.h"
#include "compiler/front/from_model.h"
#include "compiler/layer_description.h"
#include "compiler/plan/gemv_plan.h"
#include "compiler/register.h"
#include "engine/decoder.h"
#include "engine/dequantize.h"
#include "engine/real_model.h"
#include "engine/tokenizer.h"
#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

constexpr pim::Dispatcher::RequestId request = 1;

std::vector<pim::Bf16> bf16(std::span<const float> values) {
    std::vector<pim::Bf16> result;
    for (const float value : values) result.push_back(pim::to_bf16(value));
    return result;
}

// What goes into a layer and comes out of it in decode steps.
class LayerListener final : public engine::DecoderObserver {
  public:
    explicit LayerListener(int layer) : layer_(layer) {}
    Status layer_begins(const engine::LayerCall& call) override {
        if (wanted(call)) input.assign(call.residual.begin(), call.residual.end());
        return {};
    }
    Status layer_ended(const engine::LayerCall& call) override {
        if (wanted(call)) output.assign(call.residual.begin(), call.residual.end());
        return {};
    }

    std::vector<float> input;
    std::vector<float> output;

  private:
    bool wanted(const engine::LayerCall& call) const {
        return call.decode_step && call.layer == layer_;
    }
    int layer_;
};

struct Weights {
    std::map<std::string, const engine::Linear*> linear;
    std::map<std::string, const std::vector<float>*> vectors;
};

Weights named(const engine::LayerWeights& of, int layer) {
    const auto name = [&](const char* what) {
        return fmt::format("blk.{}.{}.weight", layer, what);
    };
    return {{{name("attn_q"), &of.query},
             {name("attn_k"), &of.key},
             {name("attn_v"), &of.value},
             {name("attn_output"), &of.attention_output},
             {name("ffn_gate"), &of.gate},
             {name("ffn_up"), &of.up},
             {name("ffn_down"), &of.down}},
            {{name("attn_norm"), &of.attention_norm},
             {name("attn_q_norm"), &of.query_norm},
             {name("attn_k_norm"), &of.key_norm},
             {name("post_attention_norm"), &of.attention_post_norm},
             {name("ffn_norm"), &of.ffn_norm},
             {name("post_ffw_norm"), &of.ffn_post_norm}}};
}

void place_linear(const engine::Linear& linear, const pim::Region& region, unsigned channels,
                  pim::Memory& memory) {
    const engine::Matrix& matrix = linear.weight;
    std::vector<pim::Bf16> values;
    std::vector<float> row(static_cast<std::size_t>(matrix.columns));
    for (std::int64_t r = 0; r < matrix.rows; ++r) {
        engine::dequantize(matrix.type, matrix.row(r), matrix.columns, row.data());
        for (const float value : row) values.push_back(pim::to_bf16(value));
    }
    GemvPlan plan = plan_gemv({static_cast<std::uint32_t>(matrix.rows),
                               static_cast<std::uint32_t>(matrix.columns)},
                              channels, {})
                        .value();
    plan.layout.options.first_row = region.first_row;
    ASSERT_EQ(plan.weight_rows(), region.rows) << region.name;
    pim::place_matrix(plan.layout, values, memory);
}

void place_weights(const pim::DynamicProgram& program, const Weights& weights,
                   pim::Memory& memory) {
    for (const pim::Region& region : program.regions) {
        if (region.per_request) continue;
        if (const auto linear = weights.linear.find(region.name); linear != weights.linear.end()) {
            place_linear(*linear->second, region, program.channels, memory);
            continue;
        }
        const auto vector = weights.vectors.find(region.name);
        ASSERT_NE(vector, weights.vectors.end()) << region.name;
        place_vector(VectorSlot::at(0), bf16(*vector->second), program.channels, region.first_row,
                     memory);
    }
}

// The tokens before the new one, as the engine stored them.
void place_cache(const engine::KvStore& store, int layer, std::int64_t tokens,
                 const pim::KvLayout& layout, const pim::RowTable& table, pim::Memory& memory) {
    const engine::KvShape& shape = store.shape();
    std::vector<float> values(static_cast<std::size_t>(shape.head_dim));
    for (std::int64_t token = 0; token < tokens; ++token) {
        const std::int64_t page = token / shape.page_tokens;
        const std::int64_t within = token % shape.page_tokens;
        if (layout.kind == pim::KvKind::key) {
            store.read_keys(layer, page, 0, within, 1, values.data());
        } else {
            store.read_values(layer, page, 0, within, 1, values.data());
        }
        ASSERT_TRUE(pim::place_token(layout, table, static_cast<std::uint64_t>(token), 0,
                                     bf16(values), memory)
                        .ok());
    }
}

std::string text_of(const ModelSpec& spec, int layer) {
    mlir::DialectRegistry registry;
    register_dialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    context.loadAllAvailableDialects();
    auto module = build_from_model(context, describe_layer(spec, layer).value(), KernelKind::layer);
    std::string text;
    llvm::raw_string_ostream stream(text);
    module->print(stream);
    return text;
}

double norm(std::span<const float> x) {
    double sum = 0.0;
    for (const float value : x) sum += double{value} * double{value};
    return std::sqrt(sum);
}

// A decode step after the first `prompt` tokens of a text.
void check_layer(const engine::ModelFile& model, std::span<const engine::TokenId> text, int layer,
                 int prompt) {
    SCOPED_TRACE(fmt::format("layer {}, {} tokens", layer, prompt));
    const auto length = static_cast<std::size_t>(prompt);
    ASSERT_GT(text.size(), length);
    engine::DecoderOptions options;
    options.capacity_tokens = prompt + 8;
    // A sliding layer keeps its window and what a rewind needs: here everything.
    options.rewind_tokens = prompt + 8;
    const auto decoder = engine::Decoder::make(model, options).value();
    ASSERT_TRUE(decoder->feed(text.first(length)).ok());
    LayerListener listener(layer);
    decoder->observe(&listener);
    ASSERT_TRUE(decoder->step(text.subspan(length, 1)).ok());

    const ModelSpec& spec = model.config.spec;
    const auto made = compile_text(text_of(spec, layer), {});
    ASSERT_TRUE(made.has_value());
    const pim::DynamicProgram& program = made->program;
    pim::DynamicMachine machine;
    auto dispatcher = pim::Dispatcher::create(program, pim::free_chunks(program),
                                              machine.zeroing(program.channels));
    ASSERT_TRUE(dispatcher.ok()) << dispatcher.error().message();
    ASSERT_TRUE(dispatcher->admit(request, static_cast<std::uint64_t>(prompt)).ok());
    place_weights(program, named(model.weights.layers[static_cast<std::size_t>(layer)], layer),
                  machine.memory());
    for (std::uint32_t region = 0; region < program.regions.size(); ++region) {
        if (!program.regions[region].per_request) continue;
        place_cache(decoder->store(), layer, prompt, *dispatcher->layout(region),
                    dispatcher->table(request, region), machine.memory());
    }
    const auto hidden = static_cast<std::uint32_t>(spec.hidden);
    pim::place_in_gprs(bf16(listener.input), pim::units(hidden, pim::lanes),
                       made->registers.at("argument0"), machine.memory());
    const Status stepped = dispatcher->step(request, machine);
    ASSERT_TRUE(stepped.ok()) << stepped.error().message();

    const auto result = pim::gather_gprs(made->registers.at("result0"), hidden, machine.memory());
    std::vector<float> difference;
    std::vector<float> change;
    for (std::uint32_t i = 0; i < hidden; ++i) {
        difference.push_back(pim::to_float(result[i]) - listener.output[i]);
        change.push_back(listener.output[i] - listener.input[i]);
    }
    // bf16 has 8 bits: half a unit is 0.2 % of a value. A dozen roundings on the way, and those of
    // input and output themselves.
    EXPECT_LT(norm(difference), 0.01 * norm(listener.output));
    EXPECT_LT(norm(difference), 0.02 * norm(change));
    testing::Test::RecordProperty("of_output",
                                  fmt::format("{:.5f}", norm(difference) / norm(listener.output)));
    testing::Test::RecordProperty("of_change",
                                  fmt::format("{:.5f}", norm(difference) / norm(change)));
}

class CompiledLayer : public testing::Test {
  protected:
    void SetUp() override {
        path_ = test::gemma_file();
        if (path_.empty()) GTEST_SKIP() << test::no_real_model;
    }
    std::string path_;
};

// Layers 0 to 4 slide over 512 tokens, layer 5 sees all.
TEST_F(CompiledLayer, of_a_real_model_is_within_bf16_of_the_engine) {
    const auto model = engine::open_model(path_);
    ASSERT_TRUE(model.ok()) << model.error().message();
    const auto tokenizer = engine::Tokenizer::make(model->header, path_);
    ASSERT_TRUE(tokenizer.ok());
    const std::string words =
        read_file(MEMSIDE_SOURCE_DIR "/docs/kv-policies.md", std::size_t{1} << 20).value();
    std::vector<engine::TokenId> text = (*tokenizer)->encode(words, false);
    (*tokenizer)->prepend_bos(text);
    check_layer(*model, text, 0, 40);
    check_layer(*model, text, 5, 700);
    check_layer(*model, text, 3, 700);
}

}  // namespace
}  // namespace memside::compiler
