#include "cluster/lengths_capacity.h"

#include "base/number.h"
#include "kv/counter_random.h"

namespace memside {
namespace {

Result<kv::CapacityUse> used(std::string_view allocator, const kv::AllocationOptions& options,
                             const kv::CapacityRun& run) {
    MEMSIDE_TRY(const auto memory, kv::make_allocator(allocator, options, "--chunk"));
    return kv::capacity_use(*memory, run, "--modules");
}

}  // namespace

Result<LengthsCapacity> lengths_capacity(const LengthsCapacityRequest& request) {
    const ModelSpec& model = request.model;
    LengthsCapacity result;
    const std::int64_t capacity = request.module_bytes * request.modules;
    result.kv_capacity_bytes = capacity - model.weights.bytes();
    if (result.kv_capacity_bytes <= 0) {
        return bad_input(
            "--modules",
            fmt::format("{} modules hold {}, the weights of {} take {}", request.modules,
                        format_bytes(static_cast<double>(capacity)), model.name,
                        format_bytes(static_cast<double>(model.weights.bytes()))));
    }
    result.bytes_per_token = model.kv_bytes_per_token(request.kv_bits);
    result.regions_per_request = std::int64_t{2} * model.layers * model.kv_heads;

    const LengthDistribution distribution(request.lengths);
    kv::CapacityRun run;
    run.bytes_per_token = result.bytes_per_token;
    run.prompt_tokens = [&](std::int64_t index) {
        return distribution.quantile(
            kv::uniform(kv::random_bits(request.seed, static_cast<std::uint64_t>(index))));
    };
    run.output_tokens = request.output_tokens;
    run.window_tokens = request.lengths.window_tokens;
    run.steps = request.steps;

    kv::AllocationOptions options;
    options.capacity_bytes = result.kv_capacity_bytes;
    options.max_request_bytes = result.bytes_per_token * run.window_tokens;
    MEMSIDE_TRY(result.reserved, used("static", options, run));
    options.chunk_bytes = request.chunk_bytes;
    MEMSIDE_TRY(result.chunked, used("chunked", options, run));
    // All regions of a request grow alike: together they take a chunk each at a time.
    options.chunk_bytes *= result.regions_per_request;
    MEMSIDE_TRY(result.chunked_regions, used("chunked", options, run));
    return result;
}

}  // namespace memside
