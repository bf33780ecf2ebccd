// What becomes of a layer's keys and values once the prompt has gone through its projections: the
// side of a prefill that depends on where a policy keeps the KV cache.
#pragma once

#include <memory>
#include <vector>

#include "cluster/policy.h"

namespace memside {

class KvStore {
  public:
    virtual ~KvStore() = default;

    // Adds what happens to the KV of `layer`, ready after `computed`; returns the tasks after which
    // it can be attended by decode steps.
    virtual Result<std::vector<TaskId>> store(FcBuilder& fc, int layer, TaskId computed) = 0;

    // Links that the KV crosses, to tell how long they take for it.
    virtual std::vector<ResourceId> links() const { return {}; }
};

// `context`: tokens of the prompt. The store of a policy that keeps KV in CXL-PNM devices, in plain
// CXL memory, or else in HBM.
std::unique_ptr<KvStore> make_kv_store(TaskGraph& graph, const Policy& policy,
                                       const Hardware& hardware, const DecodeJob& job,
                                       std::int64_t context, std::int64_t batch);

}  // namespace memside
