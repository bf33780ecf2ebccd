// The path between the GPUs and the CXL-PNM devices: GPU to host, host to switch, switch to device.
// All of it is host-mediated; messages are stored and forwarded at each hop.
#pragma once

#include <string_view>
#include <vector>

#include "cluster/hardware.h"
#include "cluster/task_graph.h"
#include "model/model_spec.h"

namespace memside {

// Bytes per device and layer: query, key and value down, the attention output up, as FP16.
struct AttentionTraffic {
    std::vector<double> down;
    std::vector<double> up;
};
AttentionTraffic attention_traffic(const ModelSpec& model, const std::vector<double>& requests);

class FabricTransfer {
  public:
    // Adds the links' resources, each direction on its own.
    FabricTransfer(TaskGraph& graph, const MemoryFabric& fabric, int gpus);

    // Sends `bytes[d]` from the GPUs to device d; the result's d-th task ends its arrival.
    std::vector<TaskId> scatter(TaskGraph& graph, int layer, const std::vector<double>& bytes,
                                TaskId after);

    // Brings `bytes[d]` from device d, ready after `after[d]`, back to the GPUs.
    std::vector<TaskId> gather(TaskGraph& graph, int layer, const std::vector<double>& bytes,
                               const std::vector<TaskId>& after);

    // Moves `bytes[d]` from the GPUs to device d in large pieces, all ready after `after`;
    // likewise.
    std::vector<TaskId> stream_down(TaskGraph& graph, int layer, std::string_view name,
                                    const std::vector<double>& bytes, TaskId after);

    // Moves `bytes[d]` from device d to the GPUs in large pieces, ready after `after[d]`: the hops
    // work at the same time, so the slowest sets the pace. Returns the last tasks.
    std::vector<TaskId> stream_up(TaskGraph& graph, int layer, std::string_view name,
                                  const std::vector<double>& bytes,
                                  const std::vector<TaskId>& after);

    // Of every hop on the way to the devices.
    std::vector<ResourceId> down_links() const;

  private:
    struct Hop {
        std::string_view name;
        std::string_view phase;
        ResourceId resource;
        const PointLink* link;
    };
    TaskId send(TaskGraph& graph, const Hop& hop, int layer, double bytes, TaskId after);
    PointLink group_link() const;
    ResourceId uplink_of(const std::vector<ResourceId>& uplinks, int device) const;

    const MemoryFabric& fabric_;
    int gpus_;
    ResourceId host_down_;
    ResourceId host_up_;
    std::vector<ResourceId> uplink_down_;
    std::vector<ResourceId> uplink_up_;
    std::vector<ResourceId> device_down_;
    std::vector<ResourceId> device_up_;
};

}  // namespace memside
