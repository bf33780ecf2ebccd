#include "study/settings.h"

#include "study/simulation_options.h"

namespace memside {
namespace {

Settings seventy() {
    return {"",
            {{"model", "llama-3.1-70b", ""},
             {"system", "a100x2-pnm8", ""},
             {"policy", "pnm-kv", ""},
             {"context", "128K", ""}}};
}

TEST(Settings, become_a_request_that_remembers_what_was_written) {
    Settings settings = seventy();
    settings.put({"batch", "4", ""});
    settings.put({"gpu.price", "2 USD/h", ""});
    settings.put({"threads", "3", ""});
    const auto request = read_request(settings);
    ASSERT_TRUE(request.ok()) << request.error().message();
    EXPECT_EQ(request->batch, 4);
    EXPECT_EQ(request->context_tokens, 131072);
    EXPECT_EQ(request->system.at("gpu").value("price"), 2.0);
    EXPECT_EQ(request->selection.threads, 3);
    // The number of threads never changes a result, so it is not part of what makes it again.
    EXPECT_EQ(request->settings.size(), 6);
    EXPECT_EQ(request->settings.back(),
              std::pair(std::string("gpu.price"), std::string("2 USD/h")));
}

TEST(Settings, put_replaces_the_setting_of_that_name) {
    Settings settings = seventy();
    settings.put({"context", "256K", ""});
    EXPECT_EQ(settings.list.size(), 4);
    EXPECT_EQ(settings.text("context"), "256K");
}

TEST(Settings, messages_name_the_option_or_the_line) {
    Settings settings = seventy();
    settings.put({"context", "many", ""});
    EXPECT_THAT(read_request(settings).error().message(), testing::StartsWith("--context: "));
    settings.file = "s.yaml";
    settings.put({"context", "many", "s.yaml:3"});
    EXPECT_THAT(read_request(settings).error().message(),
                testing::StartsWith("s.yaml:3: context: "));
}

TEST(Settings, every_option_belongs_to_the_group_that_lists_it) {
    std::size_t count = 0;
    for (const SimulationOptionGroup& group : simulation_options()) {
        for (const SimulationOption& option : group.options) {
            EXPECT_EQ(option_group(option.name), &group) << option.name;
            ++count;
        }
    }
    EXPECT_GT(count, 20);
    EXPECT_EQ(option_group("contxt"), nullptr);
}

TEST(Settings, an_option_of_another_policy_is_refused) {
    Settings settings = seventy();
    settings.put({"policy", "dense", ""});
    settings.put({"system", "a100x8", ""});
    settings.put({"budget", "4K", ""});
    EXPECT_THAT(read_request(settings).error().message(),
                testing::StartsWith("--budget: has no meaning for --policy dense"));
}

}  // namespace
}  // namespace memside
