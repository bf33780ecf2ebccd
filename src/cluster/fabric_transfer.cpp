#include "cluster/fabric_transfer.h"

#include <numeric>

namespace memside {

AttentionTraffic attention_traffic(const ModelSpec& model, const std::vector<double>& requests) {
    constexpr double value_bytes = 2.0;
    AttentionTraffic traffic;
    for (const double count : requests) {
        const double q_values = count * model.heads * model.head_dim;
        const double kv_values = count * 2.0 * model.kv_heads * model.head_dim;
        traffic.down.push_back((q_values + kv_values) * value_bytes);
        traffic.up.push_back(q_values * value_bytes);
    }
    return traffic;
}

FabricTransfer::FabricTransfer(TaskGraph& graph, const MemoryFabric& fabric, int gpus)
    : fabric_(fabric), gpus_(gpus) {
    host_down_ = graph.add_resource("host link down", "host_link_down");
    host_up_ = graph.add_resource("host link up", "host_link_up");
    for (int i = 0; i < fabric.uplinks; ++i) {
        uplink_down_.push_back(graph.add_resource(fmt::format("uplink {} down", i), "uplink_down"));
        uplink_up_.push_back(graph.add_resource(fmt::format("uplink {} up", i), "uplink_up"));
    }
    for (int i = 0; i < fabric.devices; ++i) {
        device_down_.push_back(
            graph.add_resource(fmt::format("device link {} down", i), "device_link_down"));
        device_up_.push_back(
            graph.add_resource(fmt::format("device link {} up", i), "device_link_up"));
    }
}

ResourceId FabricTransfer::uplink_of(const std::vector<ResourceId>& uplinks, int device) const {
    // Devices are numbered over the memory nodes in turn, so that a small batch uses all uplinks.
    return uplinks[static_cast<std::size_t>(device % fabric_.uplinks)];
}

TaskId FabricTransfer::send(TaskGraph& graph, const Hop& hop, int layer, double bytes,
                            TaskId after) {
    Task task;
    task.name = hop.name;
    task.phase = hop.phase;
    task.resource = hop.resource;
    task.layer = layer;
    task.duration_s = hop.link->transfer_s(bytes);
    task.latency_s = hop.link->latency_s;
    task.bytes = bytes;
    task.energy.access_j = bytes * hop.link->energy_j_per_byte;
    return graph.add(task, {after});
}

std::vector<ResourceId> FabricTransfer::down_links() const {
    std::vector<ResourceId> links{host_down_};
    links.insert(links.end(), uplink_down_.begin(), uplink_down_.end());
    links.insert(links.end(), device_down_.begin(), device_down_.end());
    return links;
}

// Every GPU moves the heads that it computes over its own link, all at once: the group's link
// carries the total at gpus times the rate of one.
PointLink FabricTransfer::group_link() const {
    PointLink group = fabric_.host_link;
    group.bytes_per_s *= gpus_;
    return group;
}

std::vector<TaskId> FabricTransfer::scatter(TaskGraph& graph, int layer,
                                            const std::vector<double>& bytes, TaskId after) {
    const PointLink group = group_link();
    const double total = std::accumulate(bytes.begin(), bytes.end(), 0.0);
    const TaskId at_host =
        send(graph, {"scatter", "transfer", host_down_, &group}, layer, total, after);
    std::vector<TaskId> arrivals;
    for (std::size_t d = 0; d < bytes.size(); ++d) {
        if (bytes[d] == 0.0) {
            arrivals.push_back(at_host);  // nothing for this device
            continue;
        }
        const Hop to_switch{"scatter", "transfer", uplink_of(uplink_down_, static_cast<int>(d)),
                            &fabric_.uplink};
        const TaskId at_switch = send(graph, to_switch, layer, bytes[d], at_host);
        arrivals.push_back(send(graph,
                                {"scatter", "transfer", device_down_[d], &fabric_.device_link},
                                layer, bytes[d], at_switch));
    }
    return arrivals;
}

std::vector<TaskId> FabricTransfer::gather(TaskGraph& graph, int layer,
                                           const std::vector<double>& bytes,
                                           const std::vector<TaskId>& after) {
    const PointLink group = group_link();
    std::vector<TaskId> arrivals;
    for (std::size_t d = 0; d < bytes.size(); ++d) {
        if (bytes[d] == 0.0) continue;
        const TaskId at_switch =
            send(graph, {"gather", "transfer", device_up_[d], &fabric_.device_link}, layer,
                 bytes[d], after[d]);
        const Hop to_host{"gather", "transfer", uplink_of(uplink_up_, static_cast<int>(d)),
                          &fabric_.uplink};
        const TaskId at_host = send(graph, to_host, layer, bytes[d], at_switch);
        arrivals.push_back(
            send(graph, {"gather", "transfer", host_up_, &group}, layer, bytes[d], at_host));
    }
    return arrivals;
}

std::vector<TaskId> FabricTransfer::stream_down(TaskGraph& graph, int layer, std::string_view name,
                                                const std::vector<double>& bytes, TaskId after) {
    const PointLink group = group_link();
    std::vector<TaskId> last;
    for (std::size_t d = 0; d < bytes.size(); ++d) {
        if (bytes[d] == 0.0) continue;
        const Hop hops[] = {
            {name, name, host_down_, &group},
            {name, name, uplink_of(uplink_down_, static_cast<int>(d)), &fabric_.uplink},
            {name, name, device_down_[d], &fabric_.device_link},
        };
        for (const Hop& hop : hops) last.push_back(send(graph, hop, layer, bytes[d], after));
    }
    return last;
}

std::vector<TaskId> FabricTransfer::stream_up(TaskGraph& graph, int layer, std::string_view name,
                                              const std::vector<double>& bytes,
                                              const std::vector<TaskId>& after) {
    const PointLink group = group_link();
    std::vector<TaskId> last;
    for (std::size_t d = 0; d < bytes.size(); ++d) {
        if (bytes[d] == 0.0) continue;
        const Hop hops[] = {
            {name, name, device_up_[d], &fabric_.device_link},
            {name, name, uplink_of(uplink_up_, static_cast<int>(d)), &fabric_.uplink},
            {name, name, host_up_, &group},
        };
        for (const Hop& hop : hops) {
            last.push_back(send(graph, hop, layer, bytes[d], after[d]));
        }
    }
    return last;
}

}  // namespace memside
