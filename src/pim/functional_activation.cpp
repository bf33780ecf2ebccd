#include "pim/functional_activation.h"

#include <array>
#include <cmath>
#include <numbers>

namespace memside::pim {
namespace {

constexpr std::size_t node_count = 512;
constexpr float first_node = -256.0F;  // in steps
constexpr float last_node = 255.0F;
using Nodes = std::array<float, node_count>;

// What a function does outside of its nodes: constant + slope * x.
struct Tail {
    float constant = 0.0F;
    float slope = 0.0F;
};

struct Entry {
    std::string_view name;
    double (*function)(double);
    float step;
    Tail left;
    Tail right;
    double error;  // from max|f''|: tanh 0.770, GELU 0.798, sigmoid 0.0963, SiLU 0.5
};

// By value of CFR 2. The nodes of piecewise linear functions are off the function by the rounding
// to FP32 of leaky ReLU alone.
const std::array<Entry, activation_count> entries{{
    {"identity", [](double x) { return x; }, 1.0F / 32, {0, 1}, {0, 1}, 0.0},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, 1.0F / 16, {0, 0}, {1, 0}, 4.8e-5},
    {"tanh", [](double x) { return std::tanh(x); }, 1.0F / 32, {-1, 0}, {1, 0}, 9.5e-5},
    {"relu", [](double x) { return std::max(x, 0.0); }, 1.0F / 32, {0, 0}, {0, 1}, 0.0},
    {"leaky-relu",
     [](double x) { return x < 0 ? static_cast<double>(leaky_slope) * x : x; },
     1.0F / 32,
     {0, leaky_slope},
     {0, 1},
     1e-8},
    {"gelu",
     [](double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); },
     1.0F / 32,
     {0, 0},
     {0, 1},
     9.9e-5},
    {"silu", [](double x) { return x / (1 + std::exp(-x)); }, 1.0F / 16, {0, 0}, {0, 1}, 2.5e-4},
    {"exp", [](double x) { return std::exp2(x / node_count); }, 1.0F, {}, {}, 5e-7},
}};

const Entry& entry_of(Activation activation) {
    return entries[static_cast<std::size_t>(activation)];
}

float between(float from, float to, float share) {
    return from + (to - from) * share;
}

class Tables {
  public:
    Tables() {
        for (std::size_t a = 0; a < activation_count; ++a) {
            const bool is_exp = static_cast<Activation>(a) == Activation::exp;
            const double low = is_exp ? 0.0 : static_cast<double>(first_node);
            const auto step = static_cast<double>(entries[a].step);
            for (std::size_t i = 0; i < node_count; ++i) {
                const double at = (low + static_cast<double>(i)) * step;
                nodes_[a][i] = static_cast<float>(entries[a].function(at));
            }
        }
    }
    const Nodes& of(Activation activation) const {
        return nodes_[static_cast<std::size_t>(activation)];
    }

  private:
    std::array<Nodes, activation_count> nodes_{};
};

const Nodes& nodes_of(Activation activation) {
    static const Tables tables;
    return tables.of(activation);
}

float straight(const Tail& tail, float x) {
    // A slope of zero times infinity would be NaN.
    return tail.slope == 0.0F ? tail.constant : tail.constant + tail.slope * x;
}

float table_exp(float x) {
    constexpr float log2_e = std::numbers::log2e_v<float>;
    if (x > 89.0F) return INFINITY;  // e^89 > 2^128
    if (x < -104.0F) return 0.0F;    // e^-104 < 2^-150
    // Multiples of 1/512 in FP64: in FP32 the product with log2(e) would cost 1e-5 of large
    // results.
    const double position = static_cast<double>(x) * static_cast<double>(log2_e) * node_count;
    const auto whole = static_cast<std::int64_t>(std::floor(position));
    const auto share = static_cast<float>(position - static_cast<double>(whole));
    const auto node = static_cast<std::size_t>(whole) % node_count;
    const Nodes& nodes = nodes_of(Activation::exp);
    const float next = node + 1 < node_count ? nodes[node + 1] : 2.0F;
    return std::ldexp(between(nodes[node], next, share), static_cast<int>(whole >> 9));
}

}  // namespace

std::string_view activation_name(Activation activation) {
    return entry_of(activation).name;
}

Bf16 activate(Activation activation, float x) {
    if (std::isnan(x)) return to_bf16(x);
    if (activation == Activation::exp) return to_bf16(table_exp(x));
    const Entry& entry = entry_of(activation);
    const float position = x / entry.step;  // exact: steps are powers of two
    if (position <= first_node) return to_bf16(straight(entry.left, x));
    if (position >= last_node) return to_bf16(straight(entry.right, x));
    // From the node on zero's side, so that tiny values of either sign keep their bits.
    const float whole = std::trunc(position);
    const Nodes& nodes = nodes_of(activation);
    const auto from = static_cast<std::size_t>(whole - first_node);
    const std::size_t to = x < 0.0F ? from - 1 : from + 1;
    return to_bf16(between(nodes[from], nodes[to], std::abs(position - whole)));
}

double activation_error(Activation activation) {
    return entry_of(activation).error;
}

}  // namespace memside::pim
