#include "eval/key_statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "eval/symmetric_eigen.h"
#include "kv/counter_random.h"

namespace memside::eval {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// Two nearly normal numbers of twelve uniforms each, with tails to 6, the same on every machine.
kv::NormalPair normals(std::uint64_t key, std::uint64_t counter) {
    kv::NormalPair sum{0.0F, 0.0F};
    for (std::uint64_t draw = 0; draw < 3; ++draw) {
        const kv::NormalPair pair = kv::normal_pair(kv::random_bits(key, 3 * counter + draw));
        sum.sum += pair.sum;
        sum.difference += pair.difference;
    }
    constexpr float one_over_sqrt_3 = 0.57735027F;
    return {sum.sum * one_over_sqrt_3, sum.difference * one_over_sqrt_3};
}

// Covariance of rows f64 [count][dim], centred already.
std::vector<double> covariance_of(const std::vector<double>& rows, std::size_t dim) {
    std::vector<double> result(dim * dim, 0.0);
    const std::size_t count = rows.size() / dim;
    for (std::size_t t = 0; t < count; ++t) {
        const double* row = rows.data() + t * dim;
        for (std::size_t i = 0; i < dim; ++i) {
            double* to = result.data() + i * dim;
            for (std::size_t j = i; j < dim; ++j) to[j] += row[i] * row[j];
        }
    }
    for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t j = i; j < dim; ++j) {
            result[i * dim + j] /= static_cast<double>(count);
            result[j * dim + i] = result[i * dim + j];
        }
    }
    return result;
}

void measure_channels(const std::vector<double>& centred, KeyStatistics& result) {
    const auto dim = static_cast<std::size_t>(result.dim);
    const std::size_t tokens = centred.size() / dim;
    const auto page = index(result.page_tokens);
    double width = 0.0;
    double fourth = 0.0;
    for (std::size_t d = 0; d < dim; ++d) {
        const double variance = result.covariance[d * dim + d];
        if (variance <= 0.0) continue;
        double sum = 0.0;
        for (std::size_t t = 0; t < tokens; ++t) sum += std::pow(centred[t * dim + d], 4);
        fourth += sum / static_cast<double>(tokens) / (variance * variance);
        double widths = 0.0;
        for (std::size_t p = 0; p < tokens / page; ++p) {
            double low = centred[p * page * dim + d];
            double high = low;
            for (std::size_t t = p * page; t < (p + 1) * page; ++t) {
                low = std::min(low, centred[t * dim + d]);
                high = std::max(high, centred[t * dim + d]);
            }
            widths += high - low;
        }
        width += widths / static_cast<double>(tokens / page) / std::sqrt(variance);
    }
    result.kurtosis = fourth / static_cast<double>(dim);
    result.box_width = width / static_cast<double>(dim);
}

}  // namespace

double KeyStatistics::effective_axes() const {
    double sum = 0.0;
    double squares = 0.0;
    for (const double value : variance) {
        sum += value;
        squares += value * value;
    }
    return squares > 0.0 ? sum * sum / squares : 0.0;
}

KeyStatistics measure_keys(std::span<const float> keys, int dim, std::int64_t page_tokens) {
    KeyStatistics result;
    result.dim = dim;
    const auto width = static_cast<std::size_t>(dim);
    const std::size_t tokens = keys.size() / width;
    result.tokens = static_cast<std::int64_t>(tokens);
    result.page_tokens = page_tokens;
    assert(result.tokens >= 2 * page_tokens);
    result.mean.assign(width, 0.0);
    for (std::size_t i = 0; i < tokens * width; ++i) result.mean[i % width] += double{keys[i]};
    for (double& value : result.mean) value /= static_cast<double>(tokens);
    std::vector<double> centred(tokens * width);
    for (std::size_t i = 0; i < centred.size(); ++i) {
        centred[i] = double{keys[i]} - result.mean[i % width];
    }
    result.covariance = covariance_of(centred, width);
    SymmetricEigen eigen = symmetric_eigen(result.covariance, dim);
    for (double& value : eigen.values) value = std::max(value, 0.0);
    result.axes = std::move(eigen.vectors);
    result.variance = std::move(eigen.values);

    const auto page = index(page_tokens);
    std::vector<double> means(tokens / page * width, 0.0);
    for (std::size_t t = 0; t < tokens / page * page; ++t) {
        for (std::size_t d = 0; d < width; ++d) {
            means[t / page * width + d] += centred[t * width + d] / static_cast<double>(page);
        }
    }
    result.page_share.assign(width, 0.0);
    for (std::size_t a = 0; a < width; ++a) {
        double squares = 0.0;
        for (std::size_t p = 0; p < means.size() / width; ++p) {
            double along = 0.0;
            for (std::size_t d = 0; d < width; ++d) {
                along += means[p * width + d] * result.axes[a * width + d];
            }
            squares += along * along;
        }
        const double variance = squares / static_cast<double>(means.size() / width);
        if (result.variance[a] > 0.0) result.page_share[a] = variance / result.variance[a];
    }
    measure_channels(centred, result);
    return result;
}

double coefficient_of_share(double share, std::int64_t page_tokens) {
    const auto n = static_cast<double>(page_tokens);
    // The variance of the mean of n values: (1 + 2 sum over k of (1 - k/n) keep^k) / n.
    const auto share_at = [&](double keep) {
        double sum = 1.0;
        double power = 1.0;
        for (std::int64_t k = 1; k < page_tokens; ++k) {
            power *= keep;
            sum += 2.0 * (1.0 - static_cast<double>(k) / n) * power;
        }
        return sum / n;
    };
    double low = 0.0;
    double high = 0.9999;
    if (share <= share_at(low)) return low;
    if (share >= share_at(high)) return high;
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (share_at(middle) < share ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

KeyGenerator::KeyGenerator(const KeyStatistics& statistics)
    : dim_(static_cast<std::size_t>(statistics.dim)) {
    for (std::size_t a = 0; a < dim_; ++a) {
        mean_.push_back(static_cast<float>(statistics.mean[a]));
        const double deviation = std::sqrt(statistics.variance[a]);
        for (std::size_t d = 0; d < dim_; ++d) {
            axes_.push_back(static_cast<float>(deviation * statistics.axes[a * dim_ + d]));
        }
        const double keep = coefficient_of_share(statistics.page_share[a], statistics.page_tokens);
        keep_.push_back(static_cast<float>(keep));
        renew_.push_back(static_cast<float>(std::sqrt(1.0 - keep * keep)));
    }
}

void KeyGenerator::draw(std::uint64_t seed, std::int64_t run, std::span<float> keys) const {
    assert(keys.size() == index(run_tokens) * dim_);
    const std::uint64_t key = kv::key_of({seed, 0xA550C, static_cast<std::uint64_t>(run)});
    // Tokens whose keys are summed together: the axes are read once for all of them.
    constexpr std::size_t tile = 16;
    std::vector<float> state(dim_);
    std::vector<float> along(tile * dim_);
    for (std::size_t first = 0; first < index(run_tokens); first += tile) {
        for (std::size_t t = 0; t < tile; ++t) {
            const bool begins = first + t == 0;
            for (std::size_t a = 0; a < dim_; a += 2) {
                const kv::NormalPair drawn = normals(key, ((first + t) * dim_ + a) / 2);
                state[a] = begins ? drawn.sum : keep_[a] * state[a] + renew_[a] * drawn.sum;
                if (a + 1 == dim_) continue;
                state[a + 1] = begins
                                   ? drawn.difference
                                   : keep_[a + 1] * state[a + 1] + renew_[a + 1] * drawn.difference;
            }
            std::ranges::copy(state, along.begin() + std::ptrdiff_t(t * dim_));
        }
        for (std::size_t t = 0; t < tile; ++t) {
            std::ranges::copy(mean_, keys.begin() + std::ptrdiff_t((first + t) * dim_));
        }
        for (std::size_t a = 0; a < dim_; ++a) {
            const float* axis = axes_.data() + a * dim_;
            for (std::size_t t = 0; t < tile; ++t) {
                const float z = along[t * dim_ + a];
                float* to = keys.data() + (first + t) * dim_;
                for (std::size_t d = 0; d < dim_; ++d) to[d] += z * axis[d];
            }
        }
    }
}

}  // namespace memside::eval
