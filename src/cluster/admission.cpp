#include "cluster/admission.h"

#include <algorithm>
#include <numeric>

#include "base/number.h"

namespace memside {
namespace {

// Bytes that one request of `context` takes on its memory device, or on each GPU.
double request_load(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                    std::int64_t context) {
    DecodeJob one = job;
    one.context_tokens = context;
    return policy.fit(hardware, one).capacity.request_bytes;
}

// The batch of alike requests: what was asked for, or the largest that fits.
void admit_alike(const SimulationRequest& request, const DecodeJob& job, Admission& admission) {
    const Fit& fit = admission.fit;
    // Beyond this, activations and logits, which the reserve stands for, would no longer be small.
    constexpr std::int64_t most_requests = 1'000'000;
    const std::int64_t batch = request.batch.value_or(std::min(fit.max_batch, most_requests));
    if (batch > std::max(fit.max_batch, fit.max_split_batch)) {
        admission.reason =
            fmt::format("a batch of {} was asked for and {} at most fit: {} {} x {} requests of {}",
                        batch, fit.max_batch, fit.capacity.devices, fit.capacity.device,
                        fit.capacity.requests_per_device, format_bytes(fit.capacity.request_bytes));
        if (fit.max_split_batch > fit.max_batch) {
            admission.reason += fmt::format(", {} in micro-batches", fit.max_split_batch);
        }
        return;
    }
    admission.requests = {{job.context_tokens, batch}};
}

// Every second request of each group; the odd one out goes to the first and the second half in
// turn.
std::pair<Requests, Requests> halves(const Requests& requests, bool& first_has_more) {
    std::pair<Requests, Requests> both;
    for (const RequestGroup& group : requests) {
        std::int64_t first = group.count / 2;
        if (group.count % 2 == 1) {
            if (first_has_more) ++first;
            first_has_more = !first_has_more;
        }
        if (first > 0) both.first.push_back({group.context_tokens, first});
        if (group.count > first) both.second.push_back({group.context_tokens, group.count - first});
    }
    return both;
}

Requests joined(const std::vector<Requests>& by_device) {
    Requests all;
    for (const Requests& requests : by_device) {
        all.insert(all.end(), requests.begin(), requests.end());
    }
    return all;
}

}  // namespace

StepShape half_batches(const BatchPart& whole) {
    StepShape shape;
    BatchPart parts[2];
    bool first_has_more = true;
    const std::vector<Requests> devices =
        whole.by_device.empty() ? std::vector<Requests>{whole.requests} : whole.by_device;
    for (const Requests& device : devices) {
        auto [first, second] = halves(device, first_has_more);
        parts[0].by_device.push_back(std::move(first));
        parts[1].by_device.push_back(std::move(second));
    }
    for (BatchPart& part : parts) {
        part.requests = joined(part.by_device);
        if (request_count(part.requests) > 0) shape.parts.push_back(std::move(part));
    }
    return shape;
}

Result<Admission> admit(const SimulationRequest& request, const Policy& policy,
                        const Hardware& hardware, const DecodeJob& job) {
    Admission admission;
    admission.fit = policy.fit(hardware, job);
    if (admission.fit.max_batch == 0) {
        admission.reason = admission.fit.reason;
        return admission;
    }
    admit_alike(request, job, admission);
    if (!admission.reason.empty()) return admission;

    const std::int64_t batch = request_count(admission.requests);
    const kv::MicroBatches split = policy.micro_batches(hardware, job, batch);
    if (split.count > 1 && request.half_batches) {
        return bad_input("--overlap", fmt::format("half-batches need the whole batch resident; {} "
                                                  "requests run as {} micro-batches",
                                                  batch, split.count));
    }
    BatchPart whole{admission.requests, {}};
    if (policy.uses_pnm()) {
        whole.by_device = place(
            admission.requests, hardware.pnm->fabric.devices, job.placement,
            [&](std::int64_t context) { return request_load(policy, hardware, job, context); });
    }
    if (split.count > 1) {
        admission.shape.sequential = true;
        for (std::int64_t part = 0; part < split.count; ++part) {
            const std::int64_t count = batch / split.count + (part < batch % split.count ? 1 : 0);
            admission.shape.parts.push_back({{{job.context_tokens, count}}, {}});
        }
    } else if (request.half_batches) {
        admission.shape = half_batches(whole);
    } else {
        admission.shape.parts.push_back(std::move(whole));
    }
    return admission;
}

std::int64_t requests_on_fullest(const Admission& admission) {
    std::vector<std::int64_t> on_device;
    std::int64_t largest_part = 0;
    for (const BatchPart& part : admission.shape.parts) {
        largest_part = std::max(largest_part, request_count(part.requests));
        on_device.resize(std::max(on_device.size(), part.by_device.size()), 0);
        for (std::size_t d = 0; d < part.by_device.size(); ++d) {
            on_device[d] += request_count(part.by_device[d]);
        }
    }
    if (admission.fit.capacity.device != "pnm") {
        // Halves are resident together, micro-batches one after the other.
        return admission.shape.sequential ? largest_part : request_count(admission.requests);
    }
    return on_device.empty() ? 0 : *std::max_element(on_device.begin(), on_device.end());
}

double live_kv_bytes(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                     const Requests& requests) {
    double bytes = 0.0;
    for (const RequestGroup& group : requests) {
        DecodeJob one = job;
        one.context_tokens = group.context_tokens;
        bytes += static_cast<double>(group.count) * policy.fit(hardware, one).kv_request_bytes;
    }
    return bytes;
}

}  // namespace memside
