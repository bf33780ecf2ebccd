// seeds_model_file FOLDER: writes a tiny model of every architecture and of every weight type, and
// split ones, for the model_file fuzzer to start from.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "engine/random_weights.h"
#include "model/gguf_writer.h"
#include "model_file.h"

namespace {

using memside::engine::WeightType;
using memside::test::GgufShape;
using memside::test::GgufWriter;

// One file: a header with its tensors' data, in the order in which they are added.
class Part {
  public:
    GgufWriter writer;

    void matrix(const std::string& name, WeightType type, std::uint32_t columns,
                std::uint32_t rows) {
        // As in real files: what does not fill the blocks of a type has another one.
        if (columns % static_cast<std::uint32_t>(block_values(type)) != 0) type = WeightType::q8_0;
        if (columns % static_cast<std::uint32_t>(block_values(type)) != 0) type = WeightType::f16;
        const auto bytes = memside::engine::test::random_weights(type, std::int64_t{columns} * rows,
                                                                 ++seed_, 0.3F);
        writer.tensor(name, {columns, rows}, static_cast<std::uint32_t>(type), bytes.size());
        data_.emplace_back(bytes.begin(), bytes.end());
    }
    void vector(const std::string& name, std::uint32_t count) {
        const auto bytes =
            memside::engine::test::random_weights(WeightType::f32, count, ++seed_, 1.0F);
        writer.tensor(name, {count}, static_cast<std::uint32_t>(WeightType::f32), bytes.size());
        data_.emplace_back(bytes.begin(), bytes.end());
    }
    std::string file() const {
        std::string out = writer.header();
        const std::size_t start = out.size();
        for (const std::string& data : data_) {
            out.resize(start + (out.size() - start + 31) / 32 * 32);
            out += data;
        }
        return out;
    }

  private:
    std::vector<std::string> data_;
    std::uint64_t seed_ = 0;
};

void add_layer(Part& part, const GgufShape& s, WeightType type, std::uint32_t index) {
    const std::string p = "blk." + std::to_string(index) + ".";
    const std::uint32_t q = s.heads * s.head_dim;
    const std::uint32_t kv = s.kv_heads * s.head_dim;
    part.vector(p + "attn_norm.weight", s.hidden);
    if (s.fused_qkv) {
        part.matrix(p + "attn_qkv.weight", type, s.hidden, q + 2 * kv);
    } else {
        part.matrix(p + "attn_q.weight", type, s.hidden, q);
        part.matrix(p + "attn_k.weight", type, s.hidden, kv);
        part.matrix(p + "attn_v.weight", type, s.hidden, kv);
    }
    if (s.architecture == "qwen2") {
        part.vector(p + "attn_q.bias", q);
        part.vector(p + "attn_k.bias", kv);
        part.vector(p + "attn_v.bias", kv);
    }
    if (s.architecture == "qwen3" || s.architecture == "gemma3") {
        part.vector(p + "attn_q_norm.weight", s.head_dim);
        part.vector(p + "attn_k_norm.weight", s.head_dim);
    }
    part.matrix(p + "attn_output.weight", type, q, s.hidden);
    if (s.architecture == "gemma3") {
        part.vector(p + "post_attention_norm.weight", s.hidden);
        part.vector(p + "post_ffw_norm.weight", s.hidden);
    }
    part.vector(p + "ffn_norm.weight", s.hidden);
    part.matrix(p + "ffn_gate.weight", type, s.hidden, s.ffn);
    part.matrix(p + "ffn_up.weight", type, s.hidden, s.ffn);
    part.matrix(p + "ffn_down.weight", type, s.ffn, s.hidden);
}

// The model in `count` files: embedding and first layers in the first, the rest spread over them.
std::vector<std::string> model(const GgufShape& s, WeightType type, std::size_t count) {
    std::vector<Part> parts(count);
    memside::test::write_metadata(parts[0].writer, s);
    parts[0].writer.f32(s.architecture + ".attention.layer_norm_rms_epsilon", 1e-5F);
    if (s.architecture == "gemma3") parts[0].writer.u32("gemma3.attention.sliding_window", 2);
    for (std::size_t i = 0; i < count && count > 1; ++i) {
        parts[i].writer.number("split.no", 2, static_cast<std::uint16_t>(i));
        parts[i].writer.number("split.count", 2, static_cast<std::uint16_t>(count));
    }
    parts[0].matrix("token_embd.weight", type, s.hidden, s.vocab);
    for (std::uint32_t layer = 0; layer < s.layers; ++layer) {
        add_layer(parts[layer % count], s, type, layer);
    }
    parts.back().vector("output_norm.weight", s.hidden);
    if (!s.tied) parts.back().matrix("output.weight", type, s.hidden, s.vocab);
    if (s.architecture == "llama") parts.back().vector("rope_freqs.weight", s.head_dim / 2);
    std::vector<std::string> files;
    for (const Part& part : parts) files.push_back(part.file());
    return files;
}

GgufShape shape_of(const std::string& architecture, bool wide) {
    GgufShape shape;
    shape.architecture = architecture;
    shape.layers = wide ? 1 : 2;
    shape.hidden = wide ? 256 : 32;
    shape.heads = 2;
    shape.kv_heads = 1;
    shape.head_dim = 16;
    shape.ffn = 32;
    shape.vocab = 8;
    shape.tied = architecture == "gemma3";
    return shape;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: seeds_model_file FOLDER\n", stderr);
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const auto write = [&](const std::string& name, const std::vector<std::string>& parts) {
        std::ofstream(folder / name, std::ios::binary) << memside::fuzz::joined_parts(parts);
    };
    for (const char* architecture : {"llama", "qwen2", "qwen3", "gemma3"}) {
        GgufShape shape = shape_of(architecture, false);
        write(architecture, model(shape, WeightType::f16, 1));
        write(std::string(architecture) + "-split", model(shape, WeightType::q8_0, 2));
    }
    GgufShape fused = shape_of("llama", false);
    fused.fused_qkv = true;
    write("fused", model(fused, WeightType::q4_0, 1));
    for (const WeightType type : memside::engine::weight_types()) {
        const bool wide = block_values(type) == 256;
        write("type-" + std::to_string(static_cast<std::uint32_t>(type)),
              model(shape_of("llama", wide), type, 1));
    }
    return std::filesystem::is_empty(folder) ? 1 : 0;
}
