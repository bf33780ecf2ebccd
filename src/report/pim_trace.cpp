#include <cmath>

#include "pim/instruction_table.h"
#include "pim/run_names.h"
#include "report/json_writer.h"
#include "report/pim_run.h"
#include "report/trace.h"

namespace memside {
namespace {

using pim::Command;

constexpr auto one_line = JsonWriter::Layout::one_line;

enum class Lane : std::int64_t { rows = 1, compute = 2, transfers = 3 };
constexpr std::string_view lane_names[] = {"rows and modes", "compute", "transfers"};

Lane lane_of(Command command) {
    switch (command) {
        case Command::act:
        case Command::act16:
        case Command::pre:
        case Command::prea:
        case Command::tmod:
        case Command::ref_all_bank:
        case Command::ref_per_bank:
            return Lane::rows;
        case Command::mac:
        case Command::mac16:
        case Command::af16:
        case Command::ewmul16:
            return Lane::compute;
        default:
            return Lane::transfers;
    }
}

void metadata(JsonWriter& json, std::string_view what, std::int64_t process, std::int64_t thread,
              std::string_view name) {
    json.begin_object(one_line);
    json.member("ph", "M");
    json.member("name", what);
    json.member("pid", process);
    json.member("tid", thread);
    json.key("args");
    json.begin_object();
    json.member("name", name);
    json.end_object();
    json.end_object();
}

void microseconds(JsonWriter& json, std::string_view key, std::int64_t tenths_of_ns) {
    json.key(key);
    json.number_text(fmt::format("{}.{:04}", tenths_of_ns / 10000, tenths_of_ns % 10000));
}

void event(JsonWriter& json, const pim::TraceEvent& event, double clock_ns) {
    const auto tenths = [&](std::uint64_t cycle) {
        return static_cast<std::int64_t>(std::llround(static_cast<double>(cycle) * clock_ns * 10));
    };
    const std::string_view name = pim::command_name(event.command);
    json.begin_object(one_line);
    json.member("ph", "X");
    if (event.repeats > 1) {
        json.member("name", fmt::format("{} x {}", name, event.repeats));
    } else {
        json.member("name", name);
    }
    json.member("cat", name);
    json.member("pid", std::int64_t{event.channel} + 1);
    json.member("tid", static_cast<std::int64_t>(lane_of(event.command)));
    // Both ends are rounded, not the duration: events that follow each other never overlap.
    microseconds(json, "ts", tenths(event.start));
    microseconds(json, "dur", tenths(event.start + event.cycles) - tenths(event.start));
    json.key("args");
    json.begin_object();
    json.member("cycle", event.start);
    json.member("cycles", std::uint64_t{event.cycles});
    json.member("commands", std::uint64_t{event.repeats});
    json.end_object();
    json.end_object();
}

}  // namespace

Status check_pim_trace_size(std::uint64_t events, const std::string& where) {
    if (events <= max_trace_tasks) return {};
    return bad_input(where, fmt::format("the run has {} events or more; allowed: up to {}. Fewer "
                                        "channels or a shorter program make fewer",
                                        events, max_trace_tasks));
}

std::string to_trace(const PimRun& run) {
    std::vector<pim::TraceEvent> events = run.result.trace;
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
        return a.start != b.start ? a.start < b.start : a.channel < b.channel;
    });
    std::array<bool, pim::channel_count> used{};
    for (const pim::TraceEvent& each : events) used[each.channel] = true;

    JsonWriter json;
    json.begin_object();
    json.member("displayTimeUnit", "ns");
    json.key("otherData");
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("kind", "modelled, not measured");
    json.member("program", run.program);
    json.member("timing", run.timing.name);
    json.member("scheduler", pim::scheduler_name(run.options.scheduler));
    json.member("refresh", pim::refresh_name(run.options.refresh));
    json.member("cycles", run.result.cycles);
    json.end_object();
    json.key("traceEvents");
    json.begin_array();
    for (std::size_t channel = 0; channel < used.size(); ++channel) {
        if (!used[channel]) continue;
        const auto process = static_cast<std::int64_t>(channel) + 1;
        metadata(json, "process_name", process, 0, fmt::format("channel {}", channel));
        for (std::size_t lane = 0; lane < std::size(lane_names); ++lane) {
            metadata(json, "thread_name", process, static_cast<std::int64_t>(lane) + 1,
                     lane_names[lane]);
        }
    }
    for (const pim::TraceEvent& each : events) event(json, each, run.timing.clock_ns);
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

}  // namespace memside
