// The models of a system's parts, made from its constants: what policies place work on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cluster/collective.h"
#include "cluster/pim_machine.h"
#include "cluster/task_graph.h"
#include "pnm/layer_program.h"
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

// The way between GPUs and CXL memory: GPU to host, host to switch, switch to device.
struct MemoryFabric {
    int devices = 0;
    int uplinks = 0;      // host links to switches; devices are spread evenly over them
    PointLink host_link;  // one per GPU
    PointLink uplink;
    PointLink device_link;  // one per device
};

// CXL memory with a processor beside it.
struct PnmPool {
    std::unique_ptr<Device> device;  // the model of one of them: they are alike
    double capacity_bytes = 0;       // of one device
    bool digest_in_capacity = true;
    MemoryFabric fabric;
    pnm::LayerPrograms programs;  // what a device executes for a layer
};

// CXL memory without one. Data are interleaved over the modules.
struct CxlPool {
    double capacity_bytes = 0;  // of one module
    double bytes_per_s = 0;     // of one module
    double active_power_w = 0;  // above idle, of one module that moves data
    MemoryFabric fabric;
};

// DRAM-PIM modules beside GPUs.
struct PimPool {
    PimModule module;  // one of them: they are alike
    MemoryFabric fabric;
};

struct Hardware {
    std::unique_ptr<Device> gpu;
    int gpus = 0;
    int gpu_nodes = 1;
    double gpu_usable_bytes = 0;  // of one GPU, for weights and KV
    CollectiveLink gpu_link;
    std::optional<CollectiveLink> node_link;
    std::optional<PnmPool> pnm;
    std::optional<CxlPool> cxl;
    std::optional<PimPool> pim;

    // All-reduce of `bytes` over all GPUs.
    double all_reduce_s(double bytes) const;
};

// "the GPU" or "each of 4 GPUs", for messages.
std::string each_gpu(std::int64_t gpus);

// The energy of an operation that `units` alike devices do at the same time.
TaskEnergy task_energy(const OperationCost& cost, double units);

// Which memory devices a policy uses; the constants of others are not read.
struct MemoryUse {
    bool pnm = false;
    bool cxl = false;
    bool pim = false;
};

// bad_input when a role that is needed is not filled.
Result<Hardware> make_hardware(ConstantReader& constants, MemoryUse use);

}  // namespace memside
