// The forward passes of the four architectures, written from their description (norms,
// biases, rotation, windows, gates) and from nothing of the engine.
#include <cmath>

#include "engine/random_model.h"
#include "kv/half.h"

namespace memside::engine::test {
namespace {

using Vector = std::vector<double>;

double to_f16(double value) {
    return static_cast<double>(
        kv::half_to_float(kv::half_from_float(static_cast<float>(value), kv::RoundTo::nearest)));
}

Vector norm(const Vector& x, const Vector& weight, double epsilon) {
    double squares = 0.0;
    for (const double v : x) squares += v * v;
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
    Vector out(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];
    return out;
}

// Every 32 values to multiples of a 127th of the largest among them.
Vector to_8_bits(Vector x) {
    for (std::size_t first = 0; first < x.size(); first += 32) {
        double largest = 0.0;
        for (std::size_t i = first; i < first + 32; ++i)
            largest = std::max(largest, std::abs(x[i]));
        if (largest == 0.0) continue;
        for (std::size_t i = first; i < first + 32; ++i) {
            x[i] = std::nearbyint(x[i] * 127.0 / largest) * largest / 127.0;
        }
    }
    return x;
}

class Reference {
  public:
    explicit Reference(const RandomModel& model)
        : m(model),
          gemma(m.shape.architecture == "gemma3"),
          cached_keys(m.shape.layers),
          cached_values(m.shape.layers) {}

    Vector logits_after(int token) {
        const std::size_t d = m.shape.hidden;
        const Vector& embedding = m.tensors.at("token_embd.weight");
        const auto row = embedding.begin() + static_cast<std::ptrdiff_t>(d) * token;
        Vector x(row, row + static_cast<std::ptrdiff_t>(d));
        if (gemma) {
            for (double& v : x) v *= std::sqrt(static_cast<double>(d));
        }
        for (std::size_t layer = 0; layer < m.shape.layers; ++layer) {
            Vector branch =
                attention(layer, norm(x, weight(layer, "attn_norm.weight"), m.norm_epsilon));
            if (gemma) {
                branch = norm(branch, weight(layer, "post_attention_norm.weight"), m.norm_epsilon);
            }
            for (std::size_t i = 0; i < d; ++i) x[i] += branch[i];
            branch = feed_forward(layer, norm(x, weight(layer, "ffn_norm.weight"), m.norm_epsilon));
            if (gemma) branch = norm(branch, weight(layer, "post_ffw_norm.weight"), m.norm_epsilon);
            for (std::size_t i = 0; i < d; ++i) x[i] += branch[i];
        }
        ++position;
        x = norm(x, m.tensors.at("output_norm.weight"), m.norm_epsilon);
        Vector logits =
            times(m.shape.tied ? "token_embd.weight" : "output.weight", x, 0, m.shape.vocab);
        if (m.logit_cap > 0.0) {
            for (double& l : logits) l = m.logit_cap * std::tanh(l / m.logit_cap);
        }
        return logits;
    }

  private:
    // Rows [first, first + rows) of a matrix times x.
    Vector times(const std::string& name, const Vector& x, std::size_t first,
                 std::size_t rows) const {
        const Vector& matrix = m.tensors.at(name);
        const Vector rounded = m.integer.contains(name) ? to_8_bits(x) : x;
        Vector y(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t i = 0; i < x.size(); ++i) {
                y[r] += matrix[(first + r) * x.size() + i] * rounded[i];
            }
        }
        return y;
    }
    std::string in_layer(std::size_t layer, const std::string& name) const {
        return "blk." + std::to_string(layer) + "." + name;
    }
    const Vector& weight(std::size_t layer, const std::string& name) const {
        return m.tensors.at(in_layer(layer, name));
    }
    bool slides(std::size_t layer) const { return m.sliding_window != 0 && layer % 6 != 5; }

    // Query, key or value of the current token, with its bias.
    Vector project(std::size_t layer, const char* which, const Vector& x) const {
        const std::size_t q = std::size_t{m.shape.heads} * m.shape.head_dim;
        const std::size_t kv = std::size_t{m.shape.kv_heads} * m.shape.head_dim;
        const std::size_t rows = *which == 'q' ? q : kv;
        if (m.shape.fused_qkv) {
            const std::size_t first = *which == 'q' ? 0 : *which == 'k' ? q : q + kv;
            return times(in_layer(layer, "attn_qkv.weight"), x, first, rows);
        }
        const std::string name = std::string("attn_") + which;
        Vector y = times(in_layer(layer, name + ".weight"), x, 0, rows);
        if (m.shape.architecture == "qwen2") {
            const Vector& bias = weight(layer, name + ".bias");
            for (std::size_t i = 0; i < rows; ++i) y[i] += bias[i];
        }
        return y;
    }

    Vector head_of(const Vector& heads, std::size_t h) const {
        const auto first = heads.begin() + static_cast<std::ptrdiff_t>(h * m.shape.head_dim);
        return {first, first + static_cast<std::ptrdiff_t>(m.shape.head_dim)};
    }

    // Normed where the architecture does that, then rotated.
    Vector prepared(std::size_t layer, Vector head, const char* norm_name) const {
        if (gemma || m.shape.architecture == "qwen3") {
            head = norm(head, weight(layer, norm_name), m.norm_epsilon);
        }
        const std::size_t pairs = m.shape.head_dim / 2;
        Vector out = head;
        for (std::size_t i = 0; i < pairs; ++i) {
            const double base = slides(layer) ? m.sliding_rope_base : m.rope_base;
            double angle = position * std::pow(base, -2.0 * static_cast<double>(i) /
                                                         static_cast<double>(m.shape.head_dim));
            if (!slides(layer)) angle /= m.linear_factor;
            if (m.rope_factors) angle /= m.tensors.at("rope_freqs.weight")[i];
            const bool neighbours = m.shape.architecture == "llama";
            const std::size_t a = neighbours ? 2 * i : i;
            const std::size_t b = neighbours ? 2 * i + 1 : i + pairs;
            out[a] = head[a] * std::cos(angle) - head[b] * std::sin(angle);
            out[b] = head[a] * std::sin(angle) + head[b] * std::cos(angle);
        }
        return out;
    }

    Vector attention(std::size_t layer, const Vector& x) {
        const Vector queries = project(layer, "q", x);
        const Vector keys = project(layer, "k", x);
        const Vector values = project(layer, "v", x);
        Vector stored_keys;
        for (std::size_t h = 0; h < m.shape.kv_heads; ++h) {
            for (const double v : prepared(layer, head_of(keys, h), "attn_k_norm.weight")) {
                stored_keys.push_back(to_f16(v));
            }
        }
        Vector stored_values;
        for (const double v : values) stored_values.push_back(to_f16(v));
        cached_keys[layer].push_back(stored_keys);
        cached_values[layer].push_back(stored_values);

        Vector all;
        for (std::size_t h = 0; h < m.shape.heads; ++h) {
            const Vector query = prepared(layer, head_of(queries, h), "attn_q_norm.weight");
            const Vector out = attend(layer, query, h / (m.shape.heads / m.shape.kv_heads));
            all.insert(all.end(), out.begin(), out.end());
        }
        return times(in_layer(layer, "attn_output.weight"), all, 0, m.shape.hidden);
    }

    Vector attend(std::size_t layer, const Vector& query, std::size_t kv_head) const {
        Vector weights;
        double sum = 0.0;
        Vector out(m.shape.head_dim);
        for (std::size_t j = 0; j < cached_keys[layer].size(); ++j) {
            const bool hidden =
                slides(layer) && cached_keys[layer].size() - 1 - j >= m.sliding_window;
            const Vector key = head_of(cached_keys[layer][j], kv_head);
            double score = 0.0;
            for (std::size_t i = 0; i < key.size(); ++i) score += query[i] * key[i];
            const double w =
                hidden ? 0.0 : std::exp(score / std::sqrt(static_cast<double>(m.shape.head_dim)));
            sum += w;
            const Vector value = head_of(cached_values[layer][j], kv_head);
            for (std::size_t i = 0; i < value.size(); ++i) out[i] += w * value[i];
        }
        for (double& v : out) v /= sum;
        return out;
    }

    Vector feed_forward(std::size_t layer, const Vector& x) const {
        Vector gate = times(in_layer(layer, "ffn_gate.weight"), x, 0, m.shape.ffn);
        const Vector up = times(in_layer(layer, "ffn_up.weight"), x, 0, m.shape.ffn);
        for (std::size_t i = 0; i < gate.size(); ++i) {
            const double g = gate[i];
            const double gelu =
                0.5 * g * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (g + 0.044715 * g * g * g)));
            gate[i] = (gemma ? gelu : g / (1.0 + std::exp(-g))) * up[i];
        }
        return times(in_layer(layer, "ffn_down.weight"), gate, 0, m.shape.hidden);
    }

    const RandomModel& m;
    bool gemma;
    double position = 0.0;
    std::vector<std::vector<Vector>> cached_keys;    // [layer][token]
    std::vector<std::vector<Vector>> cached_values;  // [layer][token]
};

}  // namespace

std::vector<Vector> reference_logits(const RandomModel& model, const std::vector<int>& tokens) {
    Reference reference(model);
    std::vector<Vector> logits;
    for (const int token : tokens) logits.push_back(reference.logits_after(token));
    return logits;
}

}  // namespace memside::engine::test
