// Capacity of policies that keep the KV cache in CXL-PNM devices.
#pragma once

#include "cluster/policy.h"

namespace memside {

// bad_input unless the system has CXL-PNM devices.
Status needs_pnm(const Policy& policy, const SystemSpec& system);

// Whole requests per device, KV and digests counted; the weights must fit the GPUs. A request must
// fit one device: attention is data parallel over requests.
Fit pnm_fit(const Hardware& hardware, const DecodeJob& job);

}  // namespace memside
