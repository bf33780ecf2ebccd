#include "engine/numa_topology.h"

#include <cstring>

#include "engine/huge_memory.h"

namespace memside::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<NumaNode> nodes(const std::string& description,
                            const std::vector<unsigned long>& distances = {}) {
    const auto made = NumaTopology::synthetic(description, distances);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return made.ok() ? made->nodes() : std::vector<NumaNode>();
}

TEST(NumaTopology, nodes_have_the_cores_of_their_package) {
    const auto two = nodes("pack:2 [numa] core:3 pu:1");
    ASSERT_EQ(two.size(), 2U);
    EXPECT_EQ(two[0].number, 0);
    EXPECT_EQ(two[1].number, 1);
    EXPECT_TRUE(two[0].own_cores && two[1].own_cores);
    EXPECT_THAT(two[0].cpus, ElementsAre(0, 1, 2));
    EXPECT_THAT(two[1].cpus, ElementsAre(3, 4, 5));
    const auto threads = nodes("pack:1 [numa] core:2 pu:2");
    ASSERT_EQ(threads.size(), 1U);
    EXPECT_THAT(threads[0].cpus, ElementsAre(0, 1, 2, 3));
}

TEST(NumaTopology, a_node_without_cores_is_served_by_the_nearest) {
    // Memory of the whole machine, beside that of each package.
    const std::string description = "[numa] pack:2 [numa] core:2 pu:1";
    const auto all = nodes(description);
    ASSERT_EQ(all.size(), 3U);
    std::size_t expander = 0;
    int without = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        if (all[i].own_cores) continue;
        expander = i;
        ++without;
    }
    ASSERT_EQ(without, 1);
    // Nothing is said of distances: both packages are as near.
    EXPECT_THAT(all[expander].cpus, ElementsAre(0, 1, 2, 3));
    // Nearer to the package of the last cores.
    std::vector<unsigned long> distances(9, 20);
    std::size_t last = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        distances[i * 3 + i] = 10;
        if (all[i].own_cores && all[i].cpus.back() == 3) last = i;
    }
    distances[expander * 3 + last] = distances[last * 3 + expander] = 14;
    const auto told = nodes(description, distances);
    EXPECT_FALSE(told[expander].own_cores);
    EXPECT_THAT(told[expander].cpus, ElementsAre(2, 3));
}

TEST(NumaTopology, unknown_nodes_are_refused_with_those_that_there_are) {
    const auto topology = NumaTopology::synthetic("pack:2 [numa] core:1 pu:1").value();
    const auto found = topology.find({1, 0}, "--kv-tier");
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->front().number, 1);
    const auto missing = topology.find({0, 7}, "--kv-tier");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, Error::Kind::bad_input);
    EXPECT_EQ(missing.error().message(),
              "--kv-tier: there is no memory node 7; this machine has 0, 1");
    EXPECT_THAT(topology.find({1, 1}, "x").error().message(), HasSubstr("named twice"));
    EXPECT_FALSE(NumaTopology::synthetic("no topology").ok());
}

TEST(NumaTopology, this_machine_has_a_node_whose_memory_can_be_bound) {
    const auto machine = NumaTopology::of_machine();
    ASSERT_TRUE(machine.ok()) << machine.error().message();
    const NumaNode& node = machine->nodes().front();
    ASSERT_FALSE(node.cpus.empty());
    auto memory = HugeMemory::reserve(std::size_t{4} << 20).value();
    const Status bound = bind_memory(memory.data(), memory.size(), {node.number});
    if (!bound.ok()) GTEST_SKIP() << bound.error().message();
    std::memset(memory.data(), 1, memory.size());
    EXPECT_FALSE(bind_memory(memory.data(), memory.size(), {1000}).ok());
}

}  // namespace
}  // namespace memside::engine
