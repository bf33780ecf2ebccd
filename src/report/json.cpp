#include "report/json.h"

#include "report/fields.h"
#include "report/json_writer.h"

namespace memside {
namespace {

constexpr auto one_line = JsonWriter::Layout::one_line;

// An array of objects, each on a line.
template <typename T, typename WriteMembers>
void write_rows(JsonWriter& json, std::string_view key, const std::vector<T>& rows,
                WriteMembers write_members) {
    json.key(key);
    json.begin_array();
    for (const T& row : rows) {
        json.begin_object(one_line);
        write_members(row);
        json.end_object();
    }
    json.end_array();
}

void write_capacity(JsonWriter& json, const std::optional<SimulationResult::Capacity>& capacity) {
    json.key("capacity");
    if (!capacity) return json.null();
    json.begin_object();
    json.member("device", capacity->device);
    json.member("devices", capacity->devices);
    json.member("capacity_bytes", capacity->capacity_bytes);
    json.member("weight_bytes", capacity->weight_bytes);
    json.member("request_bytes", capacity->request_bytes);
    json.member("digest_bytes", capacity->digest_bytes);
    json.member("requests_per_device", capacity->requests_per_device);
    json.end_object();
}

void write_layer(JsonWriter& json, const SimulationResult& result) {
    json.key("layer_timeline");
    if (!result.layer_timeline) return json.null();
    const SimulationResult::LayerTimeline& layer = *result.layer_timeline;
    json.begin_object();
    json.member("layer", layer.layer);
    json.key("resources");
    json.begin_array(one_line);
    for (const std::string& resource : layer.resources) json.value(resource);
    json.end_array();
    write_rows(json, "tasks", layer.tasks, [&](const TimelineTask& task) {
        json.member("name", task.name);
        json.member("phase", task.phase);
        json.member("resource", std::int64_t{task.resource});
        json.member("start_s", task.start_s);
        json.member("time_s", task.duration_s);
    });
    json.end_object();
}

}  // namespace

std::string to_json(const SimulationResult& result) {
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    for (const ScalarField& field : scalar_fields()) {
        if (const auto mean = shown_mean(field, result)) {
            json.member(field.key, *mean);
            continue;
        }
        std::visit([&](auto member) { json.member(field.key, result.*member); }, field.member);
    }
    const auto write_time = [&](const PhaseTime& phase) {
        json.member("name", phase.name);
        json.member("time_s", phase.time_s);
    };
    write_rows(json, "phases", result.phases, write_time);
    write_rows(json, "prefill", result.prefill, write_time);
    write_rows(json, "resources", result.resources, [&](const ResourceBusy& resource) {
        json.member("name", resource.name);
        json.member("busy_s", resource.busy_s);
    });
    write_rows(json, "energy", result.energy, [&](const EnergyShare& share) {
        json.member("name", share.name);
        json.member("j_per_token", share.j_per_token);
    });
    write_rows(json, "page_steps", result.page_steps, [&](const PageStep& step) {
        json.member("selected", step.selected);
        json.member("recalled", step.recalled);
        json.member("dropped_out", step.dropped_out);
    });
    write_rows(json, "serving", result.serving, [&](const ServingPoint& point) {
        json.member("time_s", point.time_s);
        json.member("batch", point.batch);
        json.member("waiting", point.waiting);
        json.member("kv_capacity_utilization", point.kv_live_share);
    });
    write_rows(json, "assumptions", result.assumptions, [&](const Assumption& assumption) {
        json.member("key", assumption.key);
        json.member("value", assumption.value);
        json.member("source", assumption.source);
    });
    json.member("seed", result.seed);
    json.member("reason", result.reason);
    write_capacity(json, result.capacity);
    write_layer(json, result);
    write_rows(json, "constants", result.constants, [&](const Constant& constant) {
        json.member("key", constant.path);
        json.member("value", constant.text);
        json.member("source", constant.source);
    });
    write_rows(json, "request", result.settings, [&](const auto& setting) {
        json.member("key", setting.first);
        json.member("value", setting.second);
    });
    json.end_object();
    return std::move(json).finish();
}

}  // namespace memside
