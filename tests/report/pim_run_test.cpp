#include "report/pim_run.h"

#include <nlohmann/json.hpp>

#include "pim/run_names.h"
#include "report/table.h"
#include "report/text_table.h"
#include "report/trace.h"

namespace memside {
namespace {

using nlohmann::json;
using pim::Activity;
using pim::Command;
using testing::HasSubstr;

template <typename T>
constexpr std::size_t index(T name) {
    return static_cast<std::size_t>(name);
}

// Two of 32 channels work for 100 cycles of 0.5 ns; the others are refreshed once.
PimRun sample() {
    PimRun run;
    run.program = "kernels/x.aim";
    run.instructions = 1234567;
    run.timing.name = "GDDR6-AiM";
    run.timing.clock_ns = 0.5;
    run.timing.nCCDS = 2;
    run.result.cycles = 100;
    for (const std::size_t i : {3U, 31U}) {
        pim::ChannelResult& channel = run.result.channels[i];
        channel.addressed = true;
        channel.commands[index(Command::act16)] = 1;
        channel.commands[index(Command::mac16)] = 8;
        channel.activity_cycles[index(Activity::mac)] = 16;
        channel.activity_cycles[index(Activity::row)] = 56;
        channel.activity_cycles[index(Activity::waiting)] = 28;
    }
    run.result.channels[0].commands[index(Command::ref_all_bank)] = 1;
    run.result.channels[0].activity_cycles[index(Activity::waiting)] = 100;
    run.result.warnings = {"GBuf entry 3 is read before it is written"};
    run.result.trace = {{57, 16, 8, 31, Command::mac16},
                        {1, 56, 1, 31, Command::act16},
                        {1, 56, 1, 3, Command::act16}};
    run.timing.constants = {{"timing.nREFI", "3800", "assumed: as GDDR6", "t.yaml:1"},
                            {"timing.nRP", "32", "aim", "t.yaml:2"},
                            {"timing.nRFCab", "240", "assumed: as GDDR6", "t.yaml:3"},
                            {"timing.nRFCpb", "120", "assumed: as GDDR6", "t.yaml:4"}};
    run.energy = {{"ACT16", 94411.2}, {"controllers", 5588.8}};
    return run;
}

TEST(PimJson, has_the_documented_keys_and_sums) {
    const json result = json::parse(to_json(sample()));
    EXPECT_EQ(result["cycles"], 100);
    EXPECT_EQ(result["time_ns"], 50.0);
    EXPECT_EQ(result["instructions"], 1234567);
    EXPECT_EQ(result["commands"], json({{"ACT16", 2}, {"MAC16", 16}, {"REFab", 1}}));
    EXPECT_DOUBLE_EQ(result["mac_utilization"].get<double>(), 0.16);  // 8 x 2 / 100
    EXPECT_DOUBLE_EQ(result["energy_pj"].get<double>(), 100000.0);
    EXPECT_EQ(result["energy"][1]["name"], "controllers");
    EXPECT_EQ(result["warnings"].size(), 1u);
    EXPECT_EQ(result["scheduler"], "in-order");
    EXPECT_EQ(result["refresh"], "all-bank");
    EXPECT_TRUE(result["added_hardware"].is_null());
}

TEST(PimJson, mac_and_stall_cycles_add_up_to_those_of_the_addressed_channels) {
    const json result = json::parse(to_json(sample()));
    std::uint64_t sum = result["mac_cycles"];
    for (const auto& [name, cycles] : result["stall_cycles"].items()) {
        EXPECT_NE(name, "mac");
        sum += cycles.get<std::uint64_t>();
    }
    EXPECT_EQ(result["stall_cycles"].size(), pim::activity_count - 1);
    EXPECT_EQ(sum, 2u * 100);
}

TEST(PimJson, the_channels_commands_add_up_to_the_total) {
    const json result = json::parse(to_json(sample()));
    std::map<std::string, int> sum;
    for (const json& channel : result["per_channel"]) {
        for (const auto& [name, count] : channel["commands"].items()) sum[name] += int{count};
    }
    EXPECT_EQ(json(sum), result["commands"]);
    EXPECT_EQ(result["per_channel"].size(), 3u);
    EXPECT_EQ(result["per_channel"][0]["addressed"], false);
    EXPECT_EQ(result["per_channel"][1]["channel"], 3);
}

TEST(PimJson, lists_only_the_assumptions_that_the_run_rests_on) {
    PimRun run = sample();
    const auto keys = [&] {
        std::vector<std::string> found;
        const json result = json::parse(to_json(run));
        for (const json& each : result["assumptions"]) found.push_back(each["key"]);
        return found;
    };
    EXPECT_EQ(keys(), (std::vector<std::string>{"timing.nREFI", "timing.nRFCab"}));
    run.options.refresh = pim::RefreshMode::per_bank;
    EXPECT_EQ(keys(), (std::vector<std::string>{"timing.nREFI", "timing.nRFCpb"}));
    run.options.refresh = pim::RefreshMode::off;
    EXPECT_EQ(keys(), std::vector<std::string>{});
}

TEST(PimJson, dynamic_scheduling_states_its_hardware) {
    PimRun run = sample();
    run.options.scheduler = pim::Scheduler::dcs;
    run.energy_model.dcs_bytes_per_controller = 576;
    EXPECT_EQ(json::parse(to_json(run))["added_hardware"]["dcs_bytes_per_controller"], 576.0);
    EXPECT_THAT(summary(run, false), HasSubstr("576 B per controller"));
}

TEST(PimTrace, a_channel_is_a_process_with_a_thread_for_each_kind_of_work) {
    const json trace = json::parse(to_trace(sample()));
    std::vector<std::string> processes;
    std::vector<json> events;
    for (const json& event : trace["traceEvents"]) {
        if (event["name"] == "process_name") processes.push_back(event["args"]["name"]);
        if (event["ph"] == "X") events.push_back(event);
    }
    EXPECT_EQ(processes, (std::vector<std::string>{"channel 3", "channel 31"}));
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0]["pid"], 4);  // by start, then channel
    EXPECT_EQ(events[1]["pid"], 32);
    EXPECT_EQ(events[1]["tid"], 1);
    EXPECT_DOUBLE_EQ(events[1]["ts"].get<double>(), 0.0005);
    EXPECT_DOUBLE_EQ(events[1]["dur"].get<double>(), 0.028);
    EXPECT_EQ(events[2]["name"], "MAC16 x 8");
    EXPECT_EQ(events[2]["tid"], 2);
    EXPECT_DOUBLE_EQ(events[2]["ts"].get<double>(), 0.0285);
    EXPECT_EQ(events[2]["args"]["commands"], 8);
}

TEST(PimTrace, too_many_events_are_refused_with_the_limit) {
    EXPECT_TRUE(check_pim_trace_size(max_trace_tasks, "--trace").ok());
    const Status status = check_pim_trace_size(max_trace_tasks + 1, "--trace");
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message(),
                HasSubstr("2000001 events or more; allowed: up to 2000000"));
}

TEST(PimSummary, says_what_ran_and_fits_the_terminal) {
    const std::string text = summary(sample(), false);
    EXPECT_THAT(text, HasSubstr("x.aim on GDDR6-AiM, in-order, all-bank refresh"));
    EXPECT_THAT(text, HasSubstr("1,234,567 instructions, 2 of 32 channels addressed"));
    EXPECT_THAT(text, HasSubstr("100 cycles   50 ns   MAC utilisation 16.0 %   100 nJ"));
    EXPECT_THAT(text, HasSubstr("opening and closing rows  112  56.0 %"));
    EXPECT_THAT(text, HasSubstr("GBuf entry 3 is read before it is written"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), terminal_columns) << line;
    }
}

TEST(PimSummary, of_a_program_without_instructions_has_no_division_by_zero) {
    PimRun run;
    run.timing.clock_ns = 0.5;
    EXPECT_THAT(summary(run, false), HasSubstr("0 of 32 channels addressed"));
    EXPECT_EQ(json::parse(to_json(run))["mac_utilization"], 0.0);
}

}  // namespace
}  // namespace memside
