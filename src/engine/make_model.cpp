#include "engine/make_model.h"

#include "base/parallel.h"
#include "base/streamed_file.h"
#include "engine/byte_level_vocabulary.h"
#include "engine/gguf_writer.h"
#include "engine/random_tensors.h"
#include "kv/counter_random.h"

namespace memside::engine {
namespace {

// Values that one thread makes at a time: 1 MiB of f32, a multiple of every block.
constexpr std::int64_t chunk_values = std::int64_t{1} << 18;
constexpr std::int64_t chunks_at_once = 16;

// The period with which every last layer attends to all; bad_input when there is none.
Result<std::uint32_t> sliding_period(const ModelSpec& spec) {
    for (int period = 1; period <= spec.layers + 1; ++period) {
        bool fits = true;
        for (int layer = 0; layer < spec.layers && fits; ++layer) {
            fits = spec.slides(layer) == ((layer + 1) % period != 0);
        }
        // The customary 6 where a model has too few layers to tell.
        if (fits) return static_cast<std::uint32_t>(period > spec.layers ? 6 : period);
    }
    return bad_input(spec.source, "its sliding layers follow no period, which is not supported");
}

Status check_shape(const RandomModel& model, const std::vector<RandomTensor>& tensors) {
    const ModelSpec& spec = model.spec;
    if (spec.vocab < smallest_byte_level_vocabulary) {
        return bad_input(spec.source, fmt::format("a vocabulary of {} is too small for the bytes; "
                                                  "allowed: {} and more",
                                                  spec.vocab, smallest_byte_level_vocabulary));
    }
    if (spec.head_dim % 2 != 0) {
        return bad_input(spec.source, fmt::format("head_dim {} is odd", spec.head_dim));
    }
    if (spec.sliding_window_tokens > 0 && spec.architecture != Architecture::gemma3) {
        return bad_input(spec.source, "sliding layers are supported for gemma3 alone");
    }
    std::int64_t parameters = 0;
    for (const RandomTensor& tensor : tensors) {
        if (tensor.values.empty()) parameters += tensor.elements();
    }
    if (parameters != spec.weights.parameters()) {
        return bad_input(spec.source,
                         "has biases that are not supported; supported: none, and "
                         "those of qwen2 on query, key and value");
    }
    return {};
}

Status add_metadata(GgufWriter& file, const RandomModel& model) {
    const ModelSpec& spec = model.spec;
    const std::string name(architecture_name(spec.architecture));
    const auto key = [&name](std::string_view part) { return fmt::format("{}.{}", name, part); };
    const auto u32 = [&](std::string_view part, std::int64_t value) {
        file.add_u32(key(part), static_cast<std::uint32_t>(value));
    };
    const auto f32 = [&](std::string_view part, double value) {
        file.add_f32(key(part), static_cast<float>(value));
    };
    file.add_text("general.architecture", name);
    file.add_text("general.name",
                  fmt::format("{}, random weights, seed {}", spec.name, model.seed));
    file.add_u32("general.file_type", model.format.file_type);
    file.add_u32("general.quantization_version", 2);
    u32("context_length", spec.window_tokens);
    u32("embedding_length", spec.hidden);
    u32("block_count", spec.layers);
    u32("feed_forward_length", spec.ffn);
    u32("attention.head_count", spec.heads);
    u32("attention.head_count_kv", spec.kv_heads);
    u32("attention.key_length", spec.head_dim);
    u32("attention.value_length", spec.head_dim);
    f32("attention.layer_norm_rms_epsilon", model.config.norm_epsilon);
    u32("rope.dimension_count", spec.head_dim);
    f32("rope.freq_base", model.config.rope_base);
    u32("vocab_size", spec.vocab);
    const auto& scaling = model.config.rope_scaling;
    if (scaling && scaling->kind != StatedRopeScaling::Kind::llama3) {
        const bool yarn = scaling->kind == StatedRopeScaling::Kind::yarn;
        file.add_text(key("rope.scaling.type"), yarn ? "yarn" : "linear");
        f32("rope.scaling.factor", scaling->factor);
        if (yarn) {
            u32("rope.scaling.original_context_length",
                static_cast<std::int64_t>(scaling->original_tokens));
        }
    }
    if (spec.architecture == Architecture::gemma3) {
        MEMSIDE_TRY(const std::uint32_t period, sliding_period(spec));
        u32("attention.sliding_window", spec.sliding_window_tokens);
        f32("rope.freq_base_swa", model.config.sliding_rope_base);
        if (period != 6) u32("attention.sliding_window_pattern", period);
    }
    add_byte_level_vocabulary(file, spec.vocab);
    return {};
}

// The bytes of values [first, first + count) of a tensor.
void make_chunk(const RandomTensor& tensor, std::uint64_t key, std::int64_t first,
                std::int64_t count, std::string& bytes) {
    bytes.clear();
    if (!tensor.values.empty()) {
        tensor.format.append(
            std::span(tensor.values)
                .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
            bytes);
        return;
    }
    std::vector<float> values(static_cast<std::size_t>(count));
    // A draw gives two values; `first` is even.
    for (std::size_t i = 0; i < values.size(); i += 2) {
        const auto counter = (static_cast<std::uint64_t>(first) + i) / 2;
        const kv::NormalPair pair = kv::normal_pair(kv::random_bits(key, counter));
        values[i] = tensor.mean + tensor.deviation * pair.sum;
        if (i + 1 < values.size()) values[i + 1] = tensor.mean + tensor.deviation * pair.difference;
    }
    tensor.format.append(values, bytes);
}

}  // namespace

Status make_model(const RandomModel& model, const std::string& path, unsigned threads,
                  const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    const std::vector<RandomTensor> tensors = random_tensors(model);
    MEMSIDE_CHECK(check_shape(model, tensors));
    GgufWriter writer;
    MEMSIDE_CHECK(add_metadata(writer, model));
    for (const RandomTensor& tensor : tensors) {
        writer.add_tensor(tensor.name, tensor.dims, tensor.format.ggml_type,
                          static_cast<std::uint64_t>(tensor.bytes()));
    }
    const std::string header = writer.header();
    const std::uint64_t total = header.size() + writer.data_bytes();
    MEMSIDE_TRY(const auto file, StreamedFile::create(path));
    MEMSIDE_CHECK(file->append(header));
    std::uint64_t done = header.size();
    std::vector<std::string> chunks(static_cast<std::size_t>(chunks_at_once));
    for (std::size_t t = 0; t < tensors.size(); ++t) {
        const RandomTensor& tensor = tensors[t];
        const std::uint64_t key = kv::key_of({model.seed, t});
        const std::int64_t elements = tensor.elements();
        for (std::int64_t first = 0; first < elements; first += chunk_values * chunks_at_once) {
            const std::int64_t left = elements - first;
            const std::int64_t count =
                std::min(chunks_at_once, (left + chunk_values - 1) / chunk_values);
            parallel_for(static_cast<std::size_t>(count), threads, [&](std::size_t i) {
                const std::int64_t at = static_cast<std::int64_t>(i) * chunk_values;
                make_chunk(tensor, key, first + at, std::min(chunk_values, left - at), chunks[i]);
            });
            for (std::int64_t i = 0; i < count; ++i) {
                const std::string& bytes = chunks[static_cast<std::size_t>(i)];
                MEMSIDE_CHECK(file->append(bytes));
                done += bytes.size();
            }
            progress(done, total);
        }
        const auto bytes = static_cast<std::uint64_t>(tensor.bytes());
        const std::string padding(GgufWriter::padded(bytes) - bytes, '\0');
        MEMSIDE_CHECK(file->append(padding));
        done += padding.size();
    }
    return file->commit();
}

}  // namespace memside::engine
