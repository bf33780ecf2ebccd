// The slow reference, and random operands to compare with it.
#include <cassert>
#include <cmath>

#include "conv/conv_problem.h"

namespace memside::conv {
namespace {

std::int32_t activation(std::uint8_t byte, ByteType type) {
    return type == ByteType::u8 ? std::int32_t{byte} : std::int32_t{static_cast<std::int8_t>(byte)};
}

// The sum of one output value, modulo 2^32.
std::uint32_t sum_products(const ConvProblem& problem, std::span<const std::uint8_t> input,
                           std::span<const std::int8_t> weights, std::int64_t image,
                           std::int64_t out_y, std::int64_t out_x, std::int64_t k) {
    const ConvShape& shape = problem.shape;
    std::uint32_t sum = 0;
    for (std::int64_t r = 0; r < shape.r; ++r) {
        for (std::int64_t s = 0; s < shape.s; ++s) {
            const std::int64_t y = out_y * shape.stride - shape.pad + r * shape.dilation;
            const std::int64_t x = out_x * shape.stride - shape.pad + s * shape.dilation;
            if (y < 0 || y >= shape.h || x < 0 || x >= shape.w) continue;
            const std::int64_t pixel = (image * shape.h + y) * shape.w + x;
            const std::int64_t tap = (k * shape.r + r) * shape.s + s;
            for (std::int64_t c = 0; c < shape.c; ++c) {
                const auto at = static_cast<std::size_t>(pixel * shape.c + c);
                const std::int32_t a =
                    activation(input[at], problem.input) - problem.input_zero_point;
                const std::int32_t b = weights[static_cast<std::size_t>(tap * shape.c + c)];
                sum += static_cast<std::uint32_t>(a * b);
            }
        }
    }
    return sum;
}

std::uint8_t requantise(const ConvProblem& problem, const Requantisation& tables, std::size_t k,
                        std::uint32_t sum) {
    const auto biased = static_cast<std::int32_t>(sum + static_cast<std::uint32_t>(tables.bias[k]));
    const std::int64_t scaled = std::int64_t{biased} * tables.multiplier[k];
    const std::int64_t half = std::int64_t{1} << (tables.shift[k] - 1);
    const std::int64_t y = ((scaled + half) >> tables.shift[k]) + problem.output_zero_point;
    const std::int64_t low = problem.output_low();
    const std::int64_t high = problem.output_high();
    return static_cast<std::uint8_t>(std::clamp(y, low, high));
}

// splitmix64: the same numbers with every standard library.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    std::int32_t between(std::int32_t low, std::int32_t high) {
        const auto span = static_cast<std::uint64_t>(std::int64_t{high} - low + 1);
        return static_cast<std::int32_t>(low + static_cast<std::int64_t>(next() % span));
    }

  private:
    std::uint64_t state_;
};

}  // namespace

std::vector<std::uint8_t> convolve_reference(const ConvProblem& problem,
                                             std::span<const std::uint8_t> input,
                                             std::span<const std::int8_t> weights,
                                             const Requantisation& requantisation) {
    const ConvShape& shape = problem.shape;
    assert(std::ssize(input) == shape.n * shape.h * shape.w * shape.c);
    assert(std::ssize(weights) == shape.k * shape.reduction());
    std::vector<std::uint8_t> output;
    output.reserve(static_cast<std::size_t>(output_bytes(shape, Layout::plain)));
    for (std::int64_t image = 0; image < shape.n; ++image) {
        for (std::int64_t y = 0; y < shape.out_h(); ++y) {
            for (std::int64_t x = 0; x < shape.out_w(); ++x) {
                for (std::int64_t k = 0; k < shape.k; ++k) {
                    const std::uint32_t sum = sum_products(problem, input, weights, image, y, x, k);
                    output.push_back(
                        requantise(problem, requantisation, static_cast<std::size_t>(k), sum));
                }
            }
        }
    }
    return output;
}

ConvOperands random_operands(const ConvProblem& problem, std::uint64_t seed) {
    const ConvShape& shape = problem.shape;
    Random random(seed);
    ConvOperands operands;
    operands.input.resize(static_cast<std::size_t>(shape.n * shape.h * shape.w * shape.c));
    for (std::uint8_t& value : operands.input) value = static_cast<std::uint8_t>(random.next());
    const std::int32_t extreme = problem.weight == WeightType::s4 ? 8 : 128;
    operands.weights.resize(static_cast<std::size_t>(shape.k * shape.reduction()));
    for (std::int8_t& value : operands.weights) {
        value = static_cast<std::int8_t>(random.between(-extreme, extreme - 1));
    }
    // A sum of n products of uniform numbers has a deviation near sqrt(n) x 147 x extreme /
    // sqrt(3): scaled to about 64, it reaches both ends of a byte now and then.
    const double deviation =
        147.0 * extreme / 1.7 * std::sqrt(static_cast<double>(shape.reduction()));
    for (std::int64_t k = 0; k < shape.k; ++k) {
        const double scale = 64.0 / deviation * (0.5 + random.between(0, 1000) / 1000.0);
        const Result<DyadicScale> dyadic = dyadic_scale(std::min(scale, 0.24), "");
        operands.requantisation.multiplier.push_back(dyadic.value().multiplier);
        operands.requantisation.shift.push_back(dyadic.value().shift);
        const auto reach = static_cast<std::int32_t>(deviation);
        operands.requantisation.bias.push_back(random.between(-reach, reach));
    }
    return operands;
}

}  // namespace memside::conv
