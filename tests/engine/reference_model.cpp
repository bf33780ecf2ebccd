#include "engine/reference_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kv/half.h"

namespace memside::engine::test {
namespace {

using Vector = std::vector<double>;
using Vectors = std::vector<Vector>;  // one per token

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

// A whole sequence goes through one layer after the other.
class Reference {
  public:
    explicit Reference(const ReferenceModel& model) : m(model), gemma(m.architecture == "gemma3") {}

    Vectors logits(const std::vector<int>& tokens, std::size_t first) const {
        Vectors x;
        for (const int token : tokens) {
            x.push_back(m.row("token_embd.weight", static_cast<std::size_t>(token)));
            if (!gemma) continue;
            for (double& v : x.back()) v *= std::sqrt(static_cast<double>(m.hidden));
        }
        for (std::size_t layer = 0; layer < m.layers; ++layer) {
            add(x, attention(layer, normed(x, in_layer(layer, "attn_norm.weight"))),
                in_layer(layer, "post_attention_norm.weight"));
            add(x, feed_forward(layer, normed(x, in_layer(layer, "ffn_norm.weight"))),
                in_layer(layer, "post_ffw_norm.weight"));
        }
        x.erase(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(first));
        Vectors logits = times(m.tied ? "token_embd.weight" : "output.weight",
                               normed(x, "output_norm.weight"), 0, m.vocab);
        if (m.logit_cap > 0.0) {
            for (Vector& one : logits) {
                for (double& l : one) l = m.logit_cap * std::tanh(l / m.logit_cap);
            }
        }
        return logits;
    }

  private:
    Vectors normed(const Vectors& x, const std::string& name) const {
        const Vector weight = m.row(name, 0);
        Vectors out;
        for (const Vector& one : x) out.push_back(norm(one, weight, m.norm_epsilon));
        return out;
    }
    // Gemma norms what a branch gives before it is added.
    void add(Vectors& x, const Vectors& branch, const std::string& post_norm) const {
        const Vectors added = gemma ? normed(branch, post_norm) : branch;
        for (std::size_t t = 0; t < x.size(); ++t) {
            for (std::size_t i = 0; i < m.hidden; ++i) x[t][i] += added[t][i];
        }
    }

    // Rows [first, first + rows) of a matrix times x. All tokens at once, so that a row of a large
    // model is dequantised once.
    Vectors times(const std::string& name, const Vectors& x, std::size_t first,
                  std::size_t rows) const {
        const std::size_t tokens = x.size();
        const std::size_t columns = x.front().size();
        Vector inputs(columns * tokens);  // [column][token]
        for (std::size_t t = 0; t < tokens; ++t) {
            for (std::size_t i = 0; i < columns; ++i) inputs[i * tokens + t] = x[t][i];
        }
        Vectors y(tokens, Vector(rows));
        Vector sums(tokens);
        for (std::size_t r = 0; r < rows; ++r) {
            const Vector weights = m.row(name, first + r);
            std::fill(sums.begin(), sums.end(), 0.0);
            for (std::size_t i = 0; i < columns; ++i) {
                for (std::size_t t = 0; t < tokens; ++t) {
                    sums[t] += weights[i] * inputs[i * tokens + t];
                }
            }
            for (std::size_t t = 0; t < tokens; ++t) y[t][r] = sums[t];
        }
        return y;
    }
    std::string in_layer(std::size_t layer, const std::string& name) const {
        return "blk." + std::to_string(layer) + "." + name;
    }
    bool slides(std::size_t layer) const {
        return m.sliding_window != 0 && layer % m.sliding_period != m.sliding_period - 1;
    }

    // Queries, keys or values with their bias.
    Vectors project(std::size_t layer, const char* which, const Vectors& x) const {
        const std::size_t q = m.heads * m.head_dim;
        const std::size_t kv = m.kv_heads * m.head_dim;
        const std::size_t rows = *which == 'q' ? q : kv;
        if (m.fused_qkv) {
            const std::size_t first = *which == 'q' ? 0 : *which == 'k' ? q : q + kv;
            return times(in_layer(layer, "attn_qkv.weight"), x, first, rows);
        }
        const std::string name = in_layer(layer, std::string("attn_") + which);
        Vectors y = times(name + ".weight", x, 0, rows);
        if (m.architecture == "qwen2") {
            const Vector bias = m.row(name + ".bias", 0);
            for (Vector& one : y) {
                for (std::size_t i = 0; i < rows; ++i) one[i] += bias[i];
            }
        }
        return y;
    }

    Vector head_of(const Vector& heads, std::size_t h) const {
        const auto first = heads.begin() + static_cast<std::ptrdiff_t>(h * m.head_dim);
        return {first, first + static_cast<std::ptrdiff_t>(m.head_dim)};
    }

    // How far pair i turns from one position to the next.
    double frequency(std::size_t layer, std::size_t i) const {
        const auto dims = static_cast<double>(m.head_dim);
        const double base = slides(layer) ? m.sliding_rope_base : m.rope_base;
        double turn = std::pow(base, -2.0 * static_cast<double>(i) / dims);
        if (slides(layer)) return turn;
        if (m.rope_factors) turn /= m.row("rope_freqs.weight", 0)[i];
        if (m.yarn_factor > 1.0) {
            // Pairs that turn more than 32 times over the original context stay, those that turn
            // less than once are slowed down in full, between them linearly (YaRN, equations
            // 17-18).
            const auto pair_of = [&](double turns) {
                return dims * std::log(m.yarn_context / (turns * 2.0 * std::numbers::pi)) /
                       (2.0 * std::log(base));
            };
            const double low = std::max(0.0, std::floor(pair_of(32.0)));
            const double high = std::min(dims - 1.0, std::ceil(pair_of(1.0)));
            const double slowed =
                std::clamp((static_cast<double>(i) - low) / std::max(0.001, high - low), 0.0, 1.0);
            return (1.0 - slowed) * turn + slowed * turn / m.yarn_factor;
        }
        return turn / m.linear_factor;
    }

    // One head of the token at `position`: normed where the architecture does that, then rotated.
    Vector prepared(std::size_t layer, Vector head, std::size_t position,
                    const char* norm_name) const {
        if (gemma || m.architecture == "qwen3") {
            head = norm(head, m.row(in_layer(layer, norm_name), 0), m.norm_epsilon);
        }
        const double size = m.yarn_factor > 1.0 ? 1.0 + 0.1 * std::log(m.yarn_factor) : 1.0;
        const std::size_t pairs = m.head_dim / 2;
        Vector out = head;
        for (std::size_t i = 0; i < pairs; ++i) {
            const double angle = static_cast<double>(position) * frequency(layer, i);
            const bool neighbours = m.architecture == "llama";
            const std::size_t a = neighbours ? 2 * i : i;
            const std::size_t b = neighbours ? 2 * i + 1 : i + pairs;
            out[a] = size * (head[a] * std::cos(angle) - head[b] * std::sin(angle));
            out[b] = size * (head[a] * std::sin(angle) + head[b] * std::cos(angle));
        }
        return out;
    }

    Vectors attention(std::size_t layer, const Vectors& x) const {
        const Vectors queries = project(layer, "q", x);
        const Vectors keys = project(layer, "k", x);
        Vectors values = project(layer, "v", x);
        Vectors stored(x.size());
        for (std::size_t t = 0; t < x.size(); ++t) {
            for (std::size_t h = 0; h < m.kv_heads; ++h) {
                const Vector key = prepared(layer, head_of(keys[t], h), t, "attn_k_norm.weight");
                stored[t].insert(stored[t].end(), key.begin(), key.end());
            }
            if (!m.f16_cache) continue;
            for (double& v : stored[t]) v = to_f16(v);
            for (double& v : values[t]) v = to_f16(v);
        }
        Vectors all(x.size());
        for (std::size_t t = 0; t < x.size(); ++t) {
            for (std::size_t h = 0; h < m.heads; ++h) {
                const Vector query =
                    prepared(layer, head_of(queries[t], h), t, "attn_q_norm.weight");
                const Vector out =
                    attend(layer, query, stored, values, t, h / (m.heads / m.kv_heads));
                all[t].insert(all[t].end(), out.begin(), out.end());
            }
        }
        return times(in_layer(layer, "attn_output.weight"), all, 0, m.hidden);
    }

    Vector attend(std::size_t layer, const Vector& query, const Vectors& keys,
                  const Vectors& values, std::size_t position, std::size_t kv_head) const {
        const std::size_t first =
            slides(layer) && position >= m.sliding_window ? position - m.sliding_window + 1 : 0;
        const std::size_t start = kv_head * m.head_dim;
        Vector scores;
        for (std::size_t j = first; j <= position; ++j) {
            double score = 0.0;
            for (std::size_t i = 0; i < m.head_dim; ++i) score += query[i] * keys[j][start + i];
            scores.push_back(score * m.attention_scale);
        }
        const double largest = *std::max_element(scores.begin(), scores.end());
        double sum = 0.0;
        Vector out(m.head_dim);
        for (std::size_t j = first; j <= position; ++j) {
            const double weight = std::exp(scores[j - first] - largest);
            sum += weight;
            for (std::size_t i = 0; i < m.head_dim; ++i) out[i] += weight * values[j][start + i];
        }
        for (double& v : out) v /= sum;
        return out;
    }

    Vectors feed_forward(std::size_t layer, const Vectors& x) const {
        Vectors gate = times(in_layer(layer, "ffn_gate.weight"), x, 0, m.ffn);
        const Vectors up = times(in_layer(layer, "ffn_up.weight"), x, 0, m.ffn);
        for (std::size_t t = 0; t < x.size(); ++t) {
            for (std::size_t i = 0; i < m.ffn; ++i) {
                const double g = gate[t][i];
                const double gelu =
                    0.5 * g * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (g + 0.044715 * g * g * g)));
                gate[t][i] = (gemma ? gelu : g / (1.0 + std::exp(-g))) * up[t][i];
            }
        }
        return times(in_layer(layer, "ffn_down.weight"), gate, 0, m.hidden);
    }

    const ReferenceModel& m;
    bool gemma;
};

}  // namespace

std::vector<Vector> reference_logits(const ReferenceModel& model, const std::vector<int>& tokens,
                                     std::size_t first) {
    return Reference(model).logits(tokens, first);
}

}  // namespace memside::engine::test
