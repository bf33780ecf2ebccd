#include "cluster/cost.h"

#include "cluster/simulate.h"
#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

Ownership of(const std::string& name,
             const std::vector<std::pair<std::string, std::string>>& set = {}) {
    const auto system = load_system(name, set);
    EXPECT_TRUE(system.ok());
    ConstantReader constants(*system);
    return ownership(constants);
}

// Kim et al., PACT 2025: $0.072/h of electricity and $0.761/h of hardware for an A100, $0.027/h and
// $0.266/h for a CXL-PNM device, printed with three decimals.
TEST(Cost, an_hour_of_the_papers_devices_costs_what_the_paper_says) {
    const Ownership gpu = of("a100x1");
    EXPECT_NEAR(gpu.electricity_usd_per_hour, 0.072, 0.0005);
    EXPECT_DOUBLE_EQ(gpu.hardware_usd_per_hour, 0.761);
    const Ownership with_pnm = of("a100x1-pnm1");
    EXPECT_NEAR(with_pnm.electricity_usd_per_hour - gpu.electricity_usd_per_hour, 0.027, 0.0005);
    EXPECT_NEAR(with_pnm.hardware_usd_per_hour - gpu.hardware_usd_per_hour, 0.266, 1e-12);
}

TEST(Cost, two_a100_and_eight_pnm_by_hand) {
    const Ownership owned = of("a100x2-pnm8");
    EXPECT_DOUBLE_EQ(owned.power_w, 2 * 400.0 + 8 * 150.0);
    // 2 kW at 0.181 USD/kWh.
    EXPECT_NEAR(owned.electricity_usd_per_hour, 0.362, 1e-12);
    EXPECT_NEAR(owned.usd_per_hour(), 2 * 0.761 + 8 * 0.266 + 0.362, 1e-12);
}

TEST(Cost, plain_cxl_modules_are_paid_for_and_draw_power) {
    const Ownership without = of("a100x2");
    const Ownership with = of("a100x2-cxl");
    EXPECT_NEAR(with.hardware_usd_per_hour - without.hardware_usd_per_hour, 2 * 0.19, 1e-12);
    EXPECT_DOUBLE_EQ(with.power_w - without.power_w, 2 * 60.0);
}

TEST(Cost, host_switch_and_cooling_come_on_top_when_asked_for) {
    SystemSpec system = toy_system(2, 3);
    set(system.components.at("cost"), "include_host", 1.0);
    ConstantReader constants(system);
    const Ownership owned = ownership(constants);
    // GPUs 2 x 300 W, devices 3 x 150 W, hosts 2 x 50 W, one switch of 30 W, half as much again for
    // cooling.
    EXPECT_DOUBLE_EQ(owned.power_w, 1.5 * (600.0 + 450.0 + 100.0 + 30.0));
    EXPECT_DOUBLE_EQ(owned.hardware_usd_per_hour, 2 * 1.0 + 3 * 0.5 + 2 * 0.25 + 0.125);
    EXPECT_NEAR(owned.electricity_usd_per_hour, owned.power_w / 1000.0 * 0.36, 1e-12);
}

TEST(Cost, without_memory_devices_there_is_no_switch) {
    const Ownership with = of("a100x1", {{"cost.include_host", "true"}});
    const Ownership without = of("a100x1");
    EXPECT_NEAR(with.hardware_usd_per_hour - without.hardware_usd_per_hour, 0.186, 1e-12);
    EXPECT_NEAR(with.power_w, (400.0 + 412.5) * 1.56, 1e-9);
}

TEST(Cost, constants_of_the_host_are_read_only_when_they_are_charged) {
    for (const bool host : {false, true}) {
        SystemSpec system = toy_system(1, 0);
        set(system.components.at("cost"), "include_host", host ? 1.0 : 0.0);
        ConstantReader constants(system);
        ownership(constants);
        bool read = false;
        for (const Constant& constant : constants.used()) {
            read = read || constant.path == "cost.host_power";
        }
        EXPECT_EQ(read, host);
    }
}

TEST(Cost, tokens_per_dollar_are_throughput_over_the_hourly_cost) {
    SimulationRequest request;
    request.model = *load_model("llama-3.1-8b");
    request.system = *load_system("a100x1-pnm8", {});
    request.policy = "pnm-kv";
    request.context_tokens = 131072;
    const auto result = simulate(request);
    // 0.761 + 8 x 0.266 of hardware, 1.6 kW at 0.181 USD/kWh.
    EXPECT_NEAR(*result->usd_per_hour, 2.889 + 0.2896, 1e-9);
    EXPECT_NEAR(*result->tokens_per_usd, *result->throughput_tok_per_s * 3600 / 3.1786, 1e-3);
}

}  // namespace
}  // namespace memside
