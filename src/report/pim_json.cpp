#include "pim/instruction_table.h"
#include "pim/run_names.h"
#include "report/json_writer.h"
#include "report/pim_run.h"

namespace memside {
namespace {

constexpr auto one_line = JsonWriter::Layout::one_line;
constexpr auto mac = static_cast<std::size_t>(pim::Activity::mac);

// Those that were issued.
void write_commands(JsonWriter& json, const std::array<std::uint64_t, pim::command_count>& counts) {
    json.key("commands");
    json.begin_object(one_line);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        json.member(pim::command_name(static_cast<pim::Command>(i)), counts[i]);
    }
    json.end_object();
}

void write_activities(JsonWriter& json,
                      const std::array<std::uint64_t, pim::activity_count>& cycles) {
    json.member("mac_cycles", cycles[mac]);
    json.key("stall_cycles");
    json.begin_object(one_line);
    for (std::size_t i = 0; i < cycles.size(); ++i) {
        if (i != mac) json.member(pim::activity_names[i].key, cycles[i]);
    }
    json.end_object();
}

void write_channels(JsonWriter& json, const PimRun& run) {
    json.key("per_channel");
    json.begin_array();
    for (std::size_t i = 0; i < run.result.channels.size(); ++i) {
        const pim::ChannelResult& channel = run.result.channels[i];
        // Channels that no instruction addresses are refreshed too.
        const bool idle = std::all_of(channel.commands.begin(), channel.commands.end(),
                                      [](std::uint64_t count) { return count == 0; });
        if (!channel.addressed && idle) continue;
        json.begin_object(one_line);
        json.member("channel", static_cast<std::int64_t>(i));
        json.member("addressed", channel.addressed);
        write_commands(json, channel.commands);
        write_activities(json, channel.activity_cycles);
        json.end_object();
    }
    json.end_array();
}

void write_energy(JsonWriter& json, const PimRun& run) {
    json.member("energy_pj", run.energy_pj());
    json.key("energy");
    json.begin_array();
    for (const pim::EnergyEntry& entry : run.energy) {
        json.begin_object(one_line);
        json.member("name", entry.name);
        json.member("pj", entry.pj);
        json.end_object();
    }
    json.end_array();
}

// What the literature states about the hardware of dynamic scheduling and access.
void write_added_hardware(JsonWriter& json, const PimRun& run) {
    json.key("added_hardware");
    if (run.options.scheduler != pim::Scheduler::dcs) return json.null();
    const pim::EnergyModel& model = run.energy_model;
    json.begin_object(one_line);
    json.member("dcs_bytes_per_controller", model.dcs_bytes_per_controller);
    json.member("dcs_control_area_ratio", model.dcs_control_area_ratio);
    json.member("dcs_power_ratio", model.dcs_power_ratio);
    json.member("dpa_dispatcher_area_ratio", model.dpa_dispatcher_area_ratio);
    json.member("dpa_buffer_bytes", model.dpa_buffer_bytes);
    json.end_object();
}

// The step of a dynamic program: its cycles are those of the AiM commands and those of the hub.
void write_dynamic(JsonWriter& json, const DynamicRun& run) {
    json.key("dynamic");
    json.begin_object();
    json.member("tokens", run.tokens);
    json.member("items", run.items);
    json.member("program_bytes", run.program_bytes);
    json.member("aim_cycles", run.time.aim_cycles);
    json.member("hub_cycles", run.time.hub_cycles);
    json.key("hub");
    json.begin_array();
    for (std::size_t i = 0; i < pim::hub_op_count; ++i) {
        if (run.time.hub_calls[i] == 0) continue;
        json.begin_object(one_line);
        json.member("op", pim::info(static_cast<pim::HubOp>(i)).name);
        json.member("calls", run.time.hub_calls[i]);
        json.member("ns", run.time.hub_ns[i]);
        json.end_object();
    }
    json.end_array();
    json.end_object();
}

}  // namespace

std::string to_json(const PimRun& run) {
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("program", run.program);
    json.member("timing", run.timing.name);
    json.member("scheduler", pim::scheduler_name(run.options.scheduler));
    json.member("refresh", pim::refresh_name(run.options.refresh));
    json.member("instructions", run.instructions);
    json.member("cycles", run.result.cycles);
    json.member("time_ns", run.time_ns());
    json.member("mac_utilization", run.result.mac_utilization(run.timing));
    write_commands(json, run.result.commands());
    write_activities(json, run.activity_cycles());
    write_channels(json, run);
    write_energy(json, run);
    write_added_hardware(json, run);
    if (run.dynamic) write_dynamic(json, *run.dynamic);
    json.key("warnings");
    json.begin_array();
    for (const std::string& warning : run.result.warnings) json.value(warning);
    json.end_array();
    json.key("assumptions");
    json.begin_array();
    for (const dram::SourcedConstant& constant : run.assumed()) {
        json.begin_object(one_line);
        json.member("key", constant.path);
        json.member("value", constant.text);
        json.member("source", constant.source);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

}  // namespace memside
