#include "cluster/hardware.h"

#include "gpu/gpu_roofline.h"
#include "pnm/pnm_device.h"

namespace memside {
namespace {

PointLink read_link(ConstantReader& constants, std::string_view role) {
    PointLink link;
    link.bytes_per_s = constants.value(role, "bandwidth") * constants.value(role, "efficiency");
    link.latency_s = constants.value(role, "latency");
    link.energy_j_per_byte = constants.value(role, "energy");
    return link;
}

Result<MemoryFabric> make_fabric(ConstantReader& constants, std::string_view memory_role) {
    const SystemSpec& system = constants.system();
    for (const std::string_view role :
         {memory_role, std::string_view("host_link"), std::string_view("uplink"),
          std::string_view("device_link")}) {
        if (!system.has(role)) {
            return bad_input("system " + system.name, fmt::format("has no {}", role));
        }
    }
    MemoryFabric fabric;
    fabric.devices = constants.count(memory_role);
    fabric.uplinks = constants.count("uplink");
    fabric.host_link = read_link(constants, "host_link");
    fabric.uplink = read_link(constants, "uplink");
    fabric.device_link = read_link(constants, "device_link");
    return fabric;
}

Result<PnmPool> make_pnm_pool(ConstantReader& constants) {
    PnmPool pool;
    MEMSIDE_TRY(pool.fabric, make_fabric(constants, "pnm"));
    MEMSIDE_TRY(pool.device, pnm::make_device(constants));
    MEMSIDE_TRY(pool.programs, pnm::read_layer_programs());
    pool.capacity_bytes = constants.value("pnm", "memory_capacity");
    pool.digest_in_capacity = constants.flag("pnm", "digest_in_capacity");
    return pool;
}

Result<CxlPool> make_cxl_pool(ConstantReader& constants) {
    CxlPool pool;
    MEMSIDE_TRY(pool.fabric, make_fabric(constants, "cxl"));
    pool.capacity_bytes = constants.value("cxl", "memory_capacity");
    pool.bytes_per_s =
        constants.value("cxl", "memory_bandwidth") * constants.value("cxl", "memory_efficiency");
    pool.active_power_w =
        constants.value("cxl", "active_power") - constants.value("cxl", "idle_power");
    return pool;
}

}  // namespace

std::string each_gpu(std::int64_t gpus) {
    return gpus == 1 ? "the GPU" : fmt::format("each of {} GPUs", gpus);
}

TaskEnergy task_energy(const OperationCost& cost, double units) {
    return {units * (cost.energy_j - cost.compute_j - cost.access_j), units * cost.compute_j,
            units * cost.access_j};
}

double Hardware::all_reduce_s(double bytes) const {
    if (!node_link) return memside::all_reduce_s(gpu_link, gpus, bytes);
    return hierarchical_all_reduce_s(gpu_link, gpus / gpu_nodes, *node_link, gpu_nodes, bytes);
}

Result<Hardware> make_hardware(ConstantReader& constants, MemoryUse use) {
    const SystemSpec& system = constants.system();
    Hardware hardware;
    hardware.gpu = gpu::make_gpu_roofline(constants);
    hardware.gpus = constants.count("gpu");
    hardware.gpu_usable_bytes = gpu::usable_bytes(constants);
    if (hardware.gpus > 1) hardware.gpu_link = read_collective_link(constants, "gpu_link");
    if (const Component* node_link = system.find("node_link"); node_link != nullptr) {
        hardware.gpu_nodes = node_link->count;
        if (hardware.gpus % hardware.gpu_nodes != 0) {
            return bad_input("system " + system.name,
                             fmt::format("{} GPUs cannot be spread evenly over {} nodes",
                                         hardware.gpus, hardware.gpu_nodes));
        }
        if (hardware.gpu_nodes > 1) {
            hardware.node_link = read_collective_link(constants, "node_link");
        }
    }
    if (use.pnm) {
        MEMSIDE_TRY(hardware.pnm, make_pnm_pool(constants));
    }
    if (use.cxl) {
        MEMSIDE_TRY(hardware.cxl, make_cxl_pool(constants));
    }
    if (use.pim) {
        MEMSIDE_TRY(const MemoryFabric fabric, make_fabric(constants, "pim"));
        hardware.pim = PimPool{read_pim_module(constants), fabric};
    }
    return hardware;
}

}  // namespace memside
