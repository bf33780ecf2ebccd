#include "cluster/fabric_transfer.h"

#include "cluster/toy_system.h"

namespace memside {
namespace {

struct Path {
    explicit Path(int gpus, int devices, int uplinks = 1) : system(toy_system(gpus, devices)) {
        system.components["uplink"].count = uplinks;
        ConstantReader constants(system);
        hardware = std::move(make_hardware(constants, {.pnm = true})).value();
        gpu = graph.add_resource("GPUs", "gpu");
        Task nothing;
        nothing.resource = gpu;
        start = graph.add(nothing, {});
    }
    SystemSpec system;
    Hardware hardware;
    TaskGraph graph;
    ResourceId gpu = 0;
    TaskId start = 0;
};

TEST(FabricTransfer, a_message_is_stored_and_forwarded_at_each_hop) {
    Path path(1, 1);
    FabricTransfer transfer(path.graph, path.hardware.pnm->fabric, 1);
    transfer.scatter(path.graph, 0, {1e6}, path.start);
    // 1 MB at 10, 20 and 5 GB/s.
    EXPECT_DOUBLE_EQ(run(path.graph).makespan_s, 100e-6 + 50e-6 + 200e-6);
}

TEST(FabricTransfer, devices_share_the_uplink_but_not_their_own_links) {
    Path path(1, 2);
    FabricTransfer transfer(path.graph, path.hardware.pnm->fabric, 1);
    transfer.scatter(path.graph, 0, {1e6, 1e6}, path.start);
    // 2 MB at 10 GB/s; the second message waits 50 us for the uplink, then takes its own link.
    EXPECT_DOUBLE_EQ(run(path.graph).makespan_s, 200e-6 + 50e-6 + 50e-6 + 200e-6);
}

TEST(FabricTransfer, every_gpu_brings_its_own_host_link) {
    Path path(2, 1);
    FabricTransfer transfer(path.graph, path.hardware.pnm->fabric, 2);
    transfer.scatter(path.graph, 0, {1e6}, path.start);
    EXPECT_DOUBLE_EQ(run(path.graph).makespan_s, 50e-6 + 50e-6 + 200e-6);
}

TEST(FabricTransfer, two_memory_nodes_have_an_uplink_each) {
    Path path(1, 2, 2);
    FabricTransfer transfer(path.graph, path.hardware.pnm->fabric, 1);
    transfer.scatter(path.graph, 0, {1e6, 1e6}, path.start);
    EXPECT_DOUBLE_EQ(run(path.graph).makespan_s, 200e-6 + 50e-6 + 200e-6);
}

TEST(FabricTransfer, a_stream_goes_at_the_pace_of_the_slowest_hop) {
    Path path(1, 2);
    FabricTransfer transfer(path.graph, path.hardware.pnm->fabric, 1);
    transfer.stream_down(path.graph, 0, "fill", {1e6, 1e6}, path.start);
    // 2 MB at the host's 10 GB/s, while the devices take 1 MB each at 5 GB/s.
    EXPECT_DOUBLE_EQ(run(path.graph).makespan_s, 200e-6);
    for (const ResourceId hop : transfer.down_links()) {
        EXPECT_GT(run(path.graph).busy_s[static_cast<std::size_t>(hop)], 0.0);
    }
}

TEST(FabricTransfer, energy_is_charged_for_every_hop) {
    Path path(1, 1);
    FabricTransfer transfer(path.graph, path.hardware.pnm->fabric, 1);
    const auto arrived = transfer.scatter(path.graph, 0, {1e6}, path.start);
    transfer.gather(path.graph, 0, {5e5}, arrived);
    double energy_j = 0.0;
    for (const Task& task : path.graph.tasks()) energy_j += task.energy.access_j;
    EXPECT_DOUBLE_EQ(energy_j, 3 * 1.5e6 * 1e-11);
}

}  // namespace
}  // namespace memside
