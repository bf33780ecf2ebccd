// Random FP16 vectors and KV caches from a seed.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "dram/traffic.h"
#include "pnm/functional_pages.h"

namespace memside::pnm {

class RandomValues {
  public:
    explicit RandomValues(std::uint64_t seed) : random_(seed) {}

    // Uniform in [-limit, limit].
    double value(double limit) {
        return limit * (2.0 * static_cast<double>(random_.next() >> 11) * 0x1p-53 - 1.0);
    }
    std::vector<Half> halves(std::size_t count, double limit) {
        std::vector<Half> values;
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(to_half(static_cast<float>(value(limit))));
        }
        return values;
    }
    KvPages pages(const KvShape& shape, std::size_t tokens, double key_limit, double value_limit) {
        KvPages made(shape);
        for (std::size_t i = 0; i < tokens; ++i) {
            made.append(halves(shape.row(), key_limit), halves(shape.row(), value_limit));
        }
        return made;
    }
    std::size_t below(std::size_t bound) { return random_.below(bound); }

  private:
    dram::SplitMix random_;
};

}  // namespace memside::pnm
