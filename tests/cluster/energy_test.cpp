#include "cluster/energy.h"

#include <map>

#include "cluster/simulate.h"
#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

std::map<std::string, double> parts_of(const TaskGraph& graph, const SystemSpec& system) {
    ConstantReader constants(system);
    std::map<std::string, double> parts;
    for (const EnergyShare& part : energy_parts(graph, run(graph), constants)) {
        parts[part.name] = part.j_per_token;
    }
    return parts;
}

Task task(ResourceId resource, double duration_s, TaskEnergy energy) {
    Task one;
    one.name = one.phase = "x";
    one.resource = resource;
    one.duration_s = duration_s;
    one.energy = energy;
    return one;
}

// Two GPUs work for 2 s, one of two devices for 3 s after that, a link for 1 s beside it.
TEST(Energy, every_second_of_every_unit_is_charged_once_as_busy_or_idle) {
    TaskGraph graph;
    const ResourceId gpu = graph.add_resource("GPUs", "gpu");
    const ResourceId near = graph.add_resource("PNM 0", "pnm");
    graph.add_resource("PNM 1", "pnm");
    const ResourceId link = graph.add_resource("uplink", "uplink_up");
    const TaskId first = graph.add(task(gpu, 2.0, {400.0, 7.0, 11.0}), {});
    graph.add(task(near, 3.0, {240.0, 0.0, 13.0}), {first});
    graph.add(task(link, 1.0, {0.0, 0.0, 0.5}), {first});
    const auto parts = parts_of(graph, toy_system(2, 2));
    // Idle power of 100 W a GPU and 20 W a device goes on while they work.
    EXPECT_DOUBLE_EQ(parts.at("gpu_busy"), 400.0 + 2 * 100.0 * 2.0);
    EXPECT_DOUBLE_EQ(parts.at("gpu_compute"), 7.0);
    EXPECT_DOUBLE_EQ(parts.at("gpu_memory"), 11.0);
    EXPECT_DOUBLE_EQ(parts.at("gpu_idle"), 2 * 100.0 * 3.0);
    EXPECT_DOUBLE_EQ(parts.at("pnm_busy"), 240.0 + 20.0 * 3.0);
    EXPECT_DOUBLE_EQ(parts.at("pnm_memory"), 13.0);
    EXPECT_DOUBLE_EQ(parts.at("pnm_idle"), 20.0 * (2.0 + 5.0));
    EXPECT_DOUBLE_EQ(parts.at("links"), 0.5);
    EXPECT_EQ(parts.size(), 8U);
}

TEST(Energy, devices_that_a_policy_does_not_use_idle_all_along) {
    SystemSpec system = toy_system(1, 2);
    add_toy_cxl(system, 3);
    TaskGraph graph;
    graph.add(task(graph.add_resource("GPUs", "gpu"), 2.0, {}), {});
    const auto parts = parts_of(graph, system);
    EXPECT_DOUBLE_EQ(parts.at("pnm_idle"), 2 * 20.0 * 2.0);
    EXPECT_DOUBLE_EQ(parts.at("cxl_idle"), 3 * 20.0 * 2.0);
    EXPECT_EQ(parts.at("cxl_busy"), 0.0);
}

TEST(Energy, cooling_is_a_share_of_all_that_is_delivered) {
    SystemSpec system = toy_system(2, 1);
    set(system.components.at("cost"), "include_host", 1.0);
    TaskGraph graph;
    graph.add(task(graph.add_resource("GPUs", "gpu"), 2.0, {100.0, 0.0, 0.0}), {});
    const auto parts = parts_of(graph, system);
    EXPECT_DOUBLE_EQ(parts.at("host"), 2 * 50.0 * 2.0);
    EXPECT_DOUBLE_EQ(parts.at("switch"), 30.0 * 2.0);
    // GPUs 100 J and 2 x 100 W, a device of 20 W.
    EXPECT_DOUBLE_EQ(parts.at("cooling"), 0.5 * (100.0 + 400.0 + 40.0 + 200.0 + 60.0));
}

// With every part always at full power, activity and device power x time are the same.
TEST(Energy, by_activity_meets_device_power_times_time_where_everything_is_always_busy) {
    SimulationRequest request;
    request.model = *load_model("llama-3.1-8b");
    request.system = *load_system("a100x1", {{"gpu.busy_power", "400 W"}});
    request.policy = "dense";
    request.context_tokens = 131072;
    const auto result = simulate(request);
    EXPECT_NEAR(*result->energy_j_per_token, *result->energy_coarse_j_per_token,
                1e-9 * *result->energy_j_per_token);
    request.system = *load_system("a100x1", {});
    EXPECT_LT(*simulate(request)->energy_j_per_token, 0.7 * *result->energy_j_per_token);
}

TEST(Energy, recalls_and_new_tokens_are_charged_on_the_cxl_modules) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(1, 0);
    add_toy_cxl(request.system, 2);
    request.policy = "recall";
    request.context_tokens = 32768;
    request.batch = 1;
    const auto result = simulate(request);
    ASSERT_TRUE(result.ok());
    double busy_j = 0.0;
    for (const EnergyShare& part : result->energy) {
        if (part.name == "cxl_busy") busy_j = part.j_per_token;
    }
    // 60 W a module while it moves data at 500 GB/s: what is recalled, and 800 bytes of the token.
    const double bytes = *result->bytes_recalled_per_step + 800.0;
    EXPECT_NEAR(busy_j, 2 * 60.0 * bytes / 1e12, 1e-15);
}

}  // namespace
}  // namespace memside
