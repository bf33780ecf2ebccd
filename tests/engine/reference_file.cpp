// A GGUF file as the reference sees it: metadata by its keys, rows through dequantize(), which has
// tests of its own. Keys: the GGUF specification.
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "engine/dequantize.h"
#include "engine/mapped_file.h"
#include "engine/reference_model.h"
#include "model/gguf_header.h"

namespace memside::engine::test {
namespace {

struct MappedModel {
    GgufHeader header;
    std::vector<MappedFile> parts;
    std::map<std::string, const GgufTensor*> tensors;
};

std::optional<double> number(const GgufHeader& header, const std::string& key) {
    const auto found = header.metadata.find(key);
    if (found == header.metadata.end()) return std::nullopt;
    return std::visit(
        [](const auto& value) -> std::optional<double> {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
                return static_cast<double>(value);
            }
            return std::nullopt;
        },
        found->second.data);
}

std::string text(const GgufHeader& header, const std::string& key) {
    const auto found = header.metadata.find(key);
    if (found == header.metadata.end()) return "";
    const auto* value = std::get_if<std::string>(&found->second.data);
    return value == nullptr ? "" : *value;
}

std::vector<double> read_row(const MappedModel& model, const std::string& name, std::size_t row) {
    const GgufTensor& tensor = *model.tensors.at(name);
    const auto type = static_cast<WeightType>(tensor.type);
    const auto part = static_cast<std::size_t>(tensor.part);
    const std::uint8_t* start =
        model.parts[part].data() + model.header.parts[part].data_start + tensor.offset;
    std::vector<float> values(static_cast<std::size_t>(tensor.dims[0]));
    dequantize(type, start + static_cast<std::int64_t>(row) * row_bytes(type, tensor.dims[0]),
               tensor.dims[0], values.data());
    return {values.begin(), values.end()};
}

}  // namespace

Result<ReferenceModel> reference_of_file(const std::string& path) {
    const auto mapped = std::make_shared<MappedModel>();
    MEMSIDE_TRY(mapped->header, read_gguf_header(path));
    const GgufHeader& header = mapped->header;
    for (const GgufPart& part : header.parts) {
        MEMSIDE_TRY(MappedFile file, MappedFile::open(part.path));
        mapped->parts.push_back(std::move(file));
    }
    ReferenceModel m;
    for (const GgufTensor& tensor : header.tensors) mapped->tensors[tensor.name] = &tensor;
    m.architecture = text(header, "general.architecture");
    const auto key = [&](const char* name) { return m.architecture + "." + name; };
    const auto value = [&](const char* name, double absent) {
        return number(header, key(name)).value_or(absent);
    };
    const auto count = [&](const char* name, double absent) {
        return static_cast<std::size_t>(value(name, absent));
    };
    m.layers = count("block_count", 0);
    m.hidden = count("embedding_length", 0);
    m.heads = count("attention.head_count", 0);
    if (m.layers == 0 || m.heads == 0) return bad_input(path, "has no shape");
    m.kv_heads = count("attention.head_count_kv", static_cast<double>(m.heads));
    m.head_dim = count("attention.key_length", static_cast<double>(m.hidden / m.heads));
    m.ffn = count("feed_forward_length", 0);
    m.vocab = static_cast<std::size_t>(mapped->tensors.at("token_embd.weight")->dims[1]);
    m.tied = !mapped->tensors.contains("output.weight");
    m.fused_qkv = mapped->tensors.contains("blk.0.attn_qkv.weight");
    m.rope_factors = mapped->tensors.contains("rope_freqs.weight");
    m.norm_epsilon = value("attention.layer_norm_rms_epsilon", 0.0);
    m.attention_scale = value("attention.scale", 1.0 / std::sqrt(static_cast<double>(m.head_dim)));
    m.rope_base = value("rope.freq_base", 10000.0);
    m.sliding_rope_base = value("rope.freq_base_swa", 10000.0);
    m.logit_cap = value("final_logit_softcapping", 0.0);
    if (m.architecture == "gemma3") {
        m.sliding_window = count("attention.sliding_window", 0);
        m.sliding_period = count("attention.sliding_window_pattern", 6);
    }
    const std::string scaling = text(header, key("rope.scaling.type"));
    if (scaling == "yarn") {
        m.yarn_factor = value("rope.scaling.factor", 1.0);
        m.yarn_context = value("rope.scaling.original_context_length", value("context_length", 0));
    } else if (scaling.empty() || scaling == "linear") {
        m.linear_factor = value("rope.scaling.factor", 1.0);
    } else if (scaling != "none") {
        return bad_input(path, "has a scaling of positions that the reference does not know");
    }
    if (count("rope.dimension_count", static_cast<double>(m.head_dim)) != m.head_dim) {
        return bad_input(path, "rotates a part of each head, which the reference does not do");
    }
    m.row = [mapped](const std::string& name, std::size_t row) {
        return read_row(*mapped, name, row);
    };
    return m;
}

}  // namespace memside::engine::test
