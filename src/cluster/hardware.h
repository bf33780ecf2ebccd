// The models of a system's parts, made from its constants: what policies place work on.
#pragma once

#include <memory>
#include <optional>

#include "cluster/collective.h"
#include "system/device.h"
#include "system/system_spec.h"

namespace memside {

// A point-to-point link, one direction.
struct PointLink {
    double bytes_per_s = 0;  // raw x efficiency
    double latency_s = 0;
    double energy_j_per_byte = 0;

    double transfer_s(double bytes) const { return bytes / bytes_per_s; }
};

// The processing-near-memory side of a system.
struct PnmPool {
    std::unique_ptr<Device> device;  // the model of one of them: they are alike
    int devices = 0;
    int uplinks = 0;            // host links to CXL switches; devices are spread evenly over them
    double capacity_bytes = 0;  // of one device
    bool digest_in_capacity = true;
    PointLink host_link;    // GPU to host, one per GPU
    PointLink uplink;       // host to switch
    PointLink device_link;  // switch to device
};

struct Hardware {
    std::unique_ptr<Device> gpu;
    int gpus = 0;
    int gpu_nodes = 1;
    double gpu_usable_bytes = 0;  // of one GPU, for weights and KV
    CollectiveLink gpu_link;
    std::optional<CollectiveLink> node_link;
    std::optional<PnmPool> pnm;

    // All-reduce of `bytes` over all GPUs.
    double all_reduce_s(double bytes) const;
};

// `with_pnm`: the policy uses the devices; else their constants are not read. bad_input when a role
// that is needed is not filled.
Result<Hardware> make_hardware(ConstantReader& constants, bool with_pnm);

}  // namespace memside
