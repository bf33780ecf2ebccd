#include "cluster/layer_timeline.h"

namespace memside {
namespace {

TimelineTask task(std::string name, int resource, int layer, double start_s, double duration_s) {
    TimelineTask out;
    out.name = std::move(name);
    out.phase = "fc";
    out.resource = resource;
    out.layer = layer;
    out.start_s = start_s;
    out.duration_s = duration_s;
    return out;
}

TEST(LayerTimeline, a_step_without_layers_has_none) {
    SimulationResult result;
    result.timeline_resources = {"GPUs"};
    result.timeline = {task("embedding", 0, -1, 0, 1)};
    EXPECT_FALSE(layer_timeline(result).has_value());
}

TEST(LayerTimeline, the_middle_layer_starts_at_zero_and_its_neighbours_are_cut) {
    SimulationResult result;
    result.timeline_resources = {"GPUs", "PNM 0", "PNM 1", "idle link"};
    // Layer 1 of 0 to 2 lasts from 10 to 16. Layer 0 still runs on the device until 12, layer 2
    // starts on the GPUs at 15.
    result.timeline = {task("ffn", 0, 0, 0, 10),       task("attention", 1, 0, 8, 4),
                       task("qkv", 0, 1, 10, 2),       task("attention", 1, 1, 12, 4),
                       task("attention", 2, 1, 12, 4), task("qkv", 0, 2, 15, 2)};
    const auto layer = layer_timeline(result);
    ASSERT_TRUE(layer.has_value());
    EXPECT_EQ(layer->layer, 1);
    EXPECT_EQ(layer->resources, (std::vector<std::string>{"GPUs", "PNM 0"}));
    ASSERT_EQ(layer->tasks.size(), 4u);
    const auto expect_task = [&](std::size_t i, int resource, double start_s, double duration_s) {
        EXPECT_EQ(layer->tasks[i].resource, resource);
        EXPECT_DOUBLE_EQ(layer->tasks[i].start_s, start_s);
        EXPECT_DOUBLE_EQ(layer->tasks[i].duration_s, duration_s);
    };
    expect_task(0, 1, 0, 2);  // layer 0's attention, cut at its start
    expect_task(1, 0, 0, 2);
    expect_task(2, 1, 2, 4);
    expect_task(3, 0, 5, 1);  // layer 2's qkv, cut at its end
}

}  // namespace
}  // namespace memside
