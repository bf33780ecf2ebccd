#include "cluster/pnm_transfer.h"

#include <numeric>

namespace memside {

PnmTransfer::PnmTransfer(TaskGraph& graph, const PnmPool& pool, int gpus, int active_devices)
    : pool_(pool), gpus_(gpus) {
    host_down_ = graph.add_resource("host link down", "host_link");
    host_up_ = graph.add_resource("host link up", "host_link");
    for (int i = 0; i < pool.uplinks; ++i) {
        uplink_down_.push_back(graph.add_resource(fmt::format("uplink {} down", i), "uplink"));
        uplink_up_.push_back(graph.add_resource(fmt::format("uplink {} up", i), "uplink"));
    }
    for (int i = 0; i < active_devices; ++i) {
        device_down_.push_back(
            graph.add_resource(fmt::format("device link {} down", i), "device_link"));
        device_up_.push_back(
            graph.add_resource(fmt::format("device link {} up", i), "device_link"));
    }
}

ResourceId PnmTransfer::uplink_of(const std::vector<ResourceId>& uplinks, int device) const {
    // Consecutive devices share a switch, as those of one memory node do.
    const int per_uplink = (pool_.devices + pool_.uplinks - 1) / pool_.uplinks;
    return uplinks[static_cast<std::size_t>(device / per_uplink)];
}

TaskId PnmTransfer::send(TaskGraph& graph, const Hop& hop, int layer, double bytes, TaskId after) {
    Task task;
    task.name = hop.name;
    task.phase = "transfer";
    task.resource = hop.resource;
    task.layer = layer;
    task.duration_s = hop.link->transfer_s(bytes);
    task.latency_s = hop.link->latency_s;
    task.bytes = bytes;
    energy_j_ += bytes * hop.link->energy_j_per_byte;
    return graph.add(task, {after});
}

std::vector<TaskId> PnmTransfer::scatter(TaskGraph& graph, int layer,
                                         const std::vector<double>& bytes, TaskId after) {
    // Every GPU sends the heads that it computed over its own link, all at once: the group's link
    // carries the total at gpus times the rate of one.
    PointLink group = pool_.host_link;
    group.bytes_per_s *= gpus_;
    const double total = std::accumulate(bytes.begin(), bytes.end(), 0.0);
    const TaskId at_host = send(graph, {"scatter", host_down_, &group}, layer, total, after);
    std::vector<TaskId> arrivals;
    for (std::size_t d = 0; d < bytes.size(); ++d) {
        const Hop to_switch{"scatter", uplink_of(uplink_down_, static_cast<int>(d)), &pool_.uplink};
        const TaskId at_switch = send(graph, to_switch, layer, bytes[d], at_host);
        arrivals.push_back(send(graph, {"scatter", device_down_[d], &pool_.device_link}, layer,
                                bytes[d], at_switch));
    }
    return arrivals;
}

std::vector<TaskId> PnmTransfer::gather(TaskGraph& graph, int layer,
                                        const std::vector<double>& bytes,
                                        const std::vector<TaskId>& after) {
    PointLink group = pool_.host_link;
    group.bytes_per_s *= gpus_;
    std::vector<TaskId> arrivals;
    for (std::size_t d = 0; d < bytes.size(); ++d) {
        const TaskId at_switch =
            send(graph, {"gather", device_up_[d], &pool_.device_link}, layer, bytes[d], after[d]);
        const Hop to_host{"gather", uplink_of(uplink_up_, static_cast<int>(d)), &pool_.uplink};
        const TaskId at_host = send(graph, to_host, layer, bytes[d], at_switch);
        arrivals.push_back(send(graph, {"gather", host_up_, &group}, layer, bytes[d], at_host));
    }
    return arrivals;
}

}  // namespace memside
