// What a step does to single values between products, on one thread: norms, activation functions,
// rounding, rotation, the KV store, digests.
#include "calibrate/workbench.h"
#include "engine/activations.h"
#include "engine/digest_store.h"
#include "engine/elementwise.h"
#include "engine/rope.h"
#include "kv/counter_random.h"

namespace memside::calibrate {
namespace {

constexpr std::int64_t width = 2048;
constexpr int head_dim = 64;
constexpr int kv_heads = 8;
constexpr int repetitions = 50;

// Rows of values near 1 in size, made once.
struct Rows {
    std::vector<float> x;
    std::vector<float> y;
    engine::Activations activations{2};

    Rows() : x(width), y(width) {
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = kv::normal_pair(kv::random_bits(1, i)).sum;
            y[i] = kv::normal_pair(kv::random_bits(2, i)).sum;
        }
        activations.set(x.data(), 1, width);
        activations.reserve_integers();
    }
};

// A token after the other, as steps write them.
struct Tokens {
    engine::KvStore keys;
    engine::DigestStore digests;
    std::vector<float> row;
    std::int64_t length = 0;

    static Result<std::shared_ptr<Tokens>> make() {
        engine::KvShape shape;
        shape.kv_heads = kv_heads;
        shape.head_dim = head_dim;
        shape.capacity_tokens = std::int64_t{1} << 16;
        shape.kept_tokens = {0};
        MEMSIDE_TRY(engine::KvStore keys, engine::KvStore::make(shape));
        MEMSIDE_TRY(engine::DigestStore digests, engine::DigestStore::make(shape, {}));
        std::vector<float> row(std::size_t{kv_heads} * head_dim);
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = kv::normal_pair(kv::random_bits(3, i)).sum;
        }
        return std::make_shared<Tokens>(
            Tokens{std::move(keys), std::move(digests), std::move(row), 0});
    }

    void write() {
        if (length == keys.shape().capacity_tokens) length = 0;
        // Digests need keys that differ; one value does.
        row[static_cast<std::size_t>(length) % row.size()] *= -1.0F;
        keys.write(0, length++, row.data(), row.data());
    }
};

}  // namespace

Status add_value_probes(const std::string& prefix, ProbeSet& probes) {
    const auto rows = std::make_shared<Rows>();
    const auto add = [&](const char* name, std::int64_t values, std::function<void()> call) {
        probes.add(prefix + name, [call = std::move(call), values] {
            return median_seconds(repetitions, call) / static_cast<double>(values);
        });
    };
    add("norm_latency", width, [rows] {
        engine::rms_norm(rows->x.data(), rows->y.data(), 1e-5F, width, rows->y.data());
        // Keeps the values from growing or vanishing over the repetitions.
        std::copy(rows->x.begin(), rows->x.end(), rows->y.begin());
    });
    const auto sum = std::make_shared<Rows>();
    add("add_latency", width, [sum] { engine::add_to(sum->y.data(), sum->x.data(), width); });
    const auto gate = std::make_shared<Rows>();
    add("gate_latency", width, [gate] {
        engine::apply_gate(engine::FfnGate::silu, gate->x.data(), gate->y.data(), width);
        std::copy(gate->y.begin(), gate->y.end(), gate->x.begin());
    });
    add("round_latency", width, [rows] { rows->activations.quantize_row(0); });
    const auto rope = std::make_shared<engine::Rope>(
        engine::RopeConfig{}, head_dim, engine::RopePairs::halves, std::span<const float>());
    const auto angles = std::make_shared<std::vector<float>>(std::size_t{head_dim});
    rope->angles(1000, angles->data(), angles->data() + head_dim / 2);
    add("turn_latency", width, [rope, angles, sum] {
        for (std::int64_t at = 0; at < width; at += head_dim) {
            rope->rotate(sum->x.data() + at, angles->data(), angles->data() + head_dim / 2);
        }
    });
    MEMSIDE_TRY(const auto tokens, Tokens::make());
    add("store_latency", 2 * kv_heads * head_dim, [tokens] { tokens->write(); });
    MEMSIDE_TRY(const auto digested, Tokens::make());
    probes.add(prefix + "digest_latency", [digested] {
        std::vector<double> seconds;
        for (int i = 0; i < repetitions; ++i) {
            digested->write();
            const std::int64_t token = digested->length - 1;
            seconds.push_back(
                median_seconds(1, [&] { digested->digests.append(digested->keys, 0, token, 1); }));
        }
        return sample_of(std::move(seconds)).median / (kv_heads * head_dim);
    });
    return {};
}

}  // namespace memside::calibrate
