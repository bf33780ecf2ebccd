// Attention times between lengths that were simulated: what makes requests of many lengths cheap.
#pragma once

#include "cluster/pim_kernels.h"

namespace memside {

// Asks `kernels` at lengths that are a sixteenth of a power of two apart, and draws a straight line
// between two of them; below 1,024 tokens, where a sixteenth is no more than a granule, it asks
// for the length itself. Commands are rounded to whole ones. `kernels` outlives it.
class KernelsBetween : public PimKernels {
  public:
    explicit KernelsBetween(PimKernels& kernels) : kernels_(kernels) {}

    Result<PimKernelTime> attention(const PimAttention& shape) override;
    Result<PimKernelTime> gemv(const PimGemv& shape) override { return remember_gemv(shape); }
    double hub_s(const pim::HubInstruction& hub) const override { return kernels_.hub_s(hub); }

  private:
    using Key = std::array<std::int64_t, 5>;  // pairs, group, head dimension, tokens, doubled
    Result<PimKernelTime> at(PimAttention shape, std::int64_t tokens);
    Result<PimKernelTime> remember_gemv(const PimGemv& shape);

    PimKernels& kernels_;
    std::map<Key, PimKernelTime> attention_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, PimKernelTime> gemv_;
};

}  // namespace memside
