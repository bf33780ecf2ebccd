// Page counts of a batch from a sample of its (request, layer) pairs.
#pragma once

#include <functional>

#include "cluster/policy.h"

namespace memside {

struct SampledPages {
    PageShares shares;
    // Means per request, selecting layer and step over the batch.
    double selected = 0;
    double recalled = 0;
    std::optional<double> recalled_stderr;
    std::int64_t pairs = 0;  // that were run
    double drop_out_rate = 0;
    std::optional<std::int64_t> pool_tokens;  // resident per request and layer, mean
    std::vector<kv::StepMeans> by_step;       // the counted steps in order
};

// `residency(context)`: what the policy keeps on the GPUs for a request of that context. Requests
// of one length share a score source and one run; of several lengths, each sampled pair has its
// own.
Result<SampledPages> sample_pages(const DecodeJob& job, const Requests& requests,
                                  const SelectionOptions& options,
                                  const std::function<ResidencySetup(std::int64_t)>& residency,
                                  std::uint64_t seed);

}  // namespace memside
