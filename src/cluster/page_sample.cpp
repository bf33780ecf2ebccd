#include "cluster/page_sample.h"

#include <cmath>

namespace memside {
namespace {

// Counts of one run relative to the size of the request.
PageShares shares_of(const DecodeJob& job, std::int64_t context,
                     const kv::SelectionRunResult& run) {
    const auto pages = static_cast<double>(kv::page_count(context, job.format.page_tokens));
    const auto budget = static_cast<double>(job.budget_pages(context));
    return {run.scanned.mean / pages, run.selected.mean / budget, run.recalled.mean / budget,
            run.in_pool.mean / budget};
}

Result<SampledPages> sample_alike(const DecodeJob& job, const RequestGroup& group,
                                  const SelectionOptions& options, const ResidencySetup& residency,
                                  std::uint64_t seed) {
    MEMSIDE_TRY(const kv::SelectionRunResult run,
                select_pages(job.model, job.format, group.context_tokens,
                             job.budget_tokens(group.context_tokens), group.count, options,
                             residency, seed));
    SampledPages sample;
    sample.shares = shares_of(job, group.context_tokens, run);
    sample.selected = run.selected.mean;
    sample.recalled = run.recalled.mean;
    sample.recalled_stderr = run.recalled.standard_error;
    sample.pairs = run.pairs;
    sample.drop_out_rate = run.drop_out_rate();
    sample.by_step = run.by_step;
    if (residency.variant != "none") {
        sample.pool_tokens = residency.pool_pages * job.format.page_tokens;
    }
    return sample;
}

// The context of the request with that number, counted through the groups.
std::int64_t context_of(const Requests& requests, std::int64_t number) {
    for (const RequestGroup& group : requests) {
        if (number < group.count) return group.context_tokens;
        number -= group.count;
    }
    return requests.back().context_tokens;
}

}  // namespace

Result<SampledPages> sample_pages(const DecodeJob& job, const Requests& requests,
                                  const SelectionOptions& options,
                                  const std::function<ResidencySetup(std::int64_t)>& residency,
                                  std::uint64_t seed) {
    if (requests.size() == 1) {
        const RequestGroup& group = requests.front();
        return sample_alike(job, group, options, residency(group.context_tokens), seed);
    }
    const int layers = selecting_layers(job.model, job.format);
    const std::vector<std::int64_t> drawn =
        kv::draw_sample(request_count(requests) * layers, options.sample_pairs, seed);
    SampledPages sample;
    sample.pairs = std::ssize(drawn);
    sample.by_step.resize(static_cast<std::size_t>(options.steps));
    double squares = 0.0;
    double pool_tokens = 0.0;
    for (const std::int64_t pair : drawn) {
        // A seed of its own for every pair: alike requests differ as those of one source do.
        const std::int64_t context = context_of(requests, pair / layers);
        MEMSIDE_TRY(const SampledPages one,
                    sample_alike(job, {context, 1}, options.with_one_pair(), residency(context),
                                 seed + static_cast<std::uint64_t>(pair)));
        sample.shares.scanned += one.shares.scanned;
        sample.shares.selected += one.shares.selected;
        sample.shares.recalled += one.shares.recalled;
        sample.shares.in_pool += one.shares.in_pool;
        sample.selected += one.selected;
        sample.recalled += one.recalled;
        squares += one.recalled * one.recalled;
        sample.drop_out_rate += one.drop_out_rate;
        pool_tokens += static_cast<double>(one.pool_tokens.value_or(0));
        if (one.pool_tokens) sample.pool_tokens = 0;
        const auto share = 1.0 / static_cast<double>(drawn.size());
        for (std::size_t step = 0; step < sample.by_step.size(); ++step) {
            sample.by_step[step].selected += share * one.by_step[step].selected;
            sample.by_step[step].recalled += share * one.by_step[step].recalled;
            sample.by_step[step].dropped_out += share * one.by_step[step].dropped_out;
        }
    }
    const auto n = static_cast<double>(drawn.size());
    for (double* sum :
         {&sample.shares.scanned, &sample.shares.selected, &sample.shares.recalled,
          &sample.shares.in_pool, &sample.selected, &sample.recalled, &sample.drop_out_rate}) {
        *sum /= n;
    }
    if (sample.pool_tokens) sample.pool_tokens = static_cast<std::int64_t>(pool_tokens / n);
    if (n > 1.0) {
        const double population = static_cast<double>(request_count(requests)) * layers;
        const double variance =
            std::max(0.0, squares - n * sample.recalled * sample.recalled) / (n - 1.0);
        sample.recalled_stderr = std::sqrt(variance / n * (1.0 - n / population));
    }
    return sample;
}

}  // namespace memside
