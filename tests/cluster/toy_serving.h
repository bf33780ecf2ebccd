// A step model whose times can be summed by hand: a step takes base_s and token_s for every token
// that the running requests hold.
#pragma once

#include "cluster/serving.h"

namespace memside {

struct ToyStepModel final : StepModel {
    double base_s = 1.0;
    double token_s = 0.0;
    double square_s = 0.0;  // of the square of the tokens, so that a step is not linear
    std::int64_t capacity_bytes = 0;
    std::unique_ptr<ServingMemory> held;
    std::int64_t planned = 0;  // steps that were asked for

    // A byte is a token. Chunks of `chunk` bytes from `capacity`.
    ToyStepModel(std::int64_t capacity, std::int64_t chunk) : capacity_bytes(capacity) {
        std::vector<MemoryPool> pools(1);
        pools[0].allocator = kv::make_chunked_allocator({capacity, 0, chunk});
        pools[0].bytes = [](std::int64_t tokens) { return tokens; };
        held = make_shared_memory(std::move(pools));
    }

    ServingMemory& memory() override { return *held; }

    Result<StepCost> step(const std::vector<ActiveRequest>& running) override {
        ++planned;
        double tokens = 0.0;
        double squares = 0.0;
        for (const ActiveRequest& request : running) {
            const auto own = static_cast<double>(request.tokens);
            tokens += own;
            squares += own * own;
        }
        StepCost cost;
        cost.step_s = base_s + token_s * tokens + square_s * squares;
        cost.phases = {{"base", base_s}, {"tokens", cost.step_s - base_s}};
        cost.energy_j = {{"step", 1.0}};
        cost.kv_bytes_read = tokens;
        cost.kv_live_share = tokens / static_cast<double>(capacity_bytes);
        return cost;
    }

    std::vector<EnergyShare> idle_energy_j(double seconds) override {
        return {{"idle", 2.0 * seconds}};
    }
};

inline Workload toy_workload(std::vector<ServedRequest> requests) {
    Workload workload;
    workload.requests = std::move(requests);
    return workload;
}

}  // namespace memside
