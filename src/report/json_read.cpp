// from_json(): a checked walk over a parsed document. Every message names the file and the key.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/fields.h"
#include "report/json.h"

namespace memside {
namespace {

using Json = nlohmann::json;

std::string found(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "null";
        case Json::value_t::boolean:
            return value.get<bool>() ? "true" : "false";
        case Json::value_t::string:
            return in_quotes(value.get_ref<const std::string&>());
        case Json::value_t::array:
            return "a list";
        case Json::value_t::object:
            return "an object";
        default:
            return in_quotes(value.dump());
    }
}

// One object of the document. `path` is how messages call it: "", "capacity", "phases[2]".
struct Object {
    const Json& json;
    const std::string& file;
    std::string path;

    std::string where(std::string_view key) const {
        return fmt::format("{}: {}{}{}", file, path, path.empty() ? "" : ".", key);
    }

    Error wrong(std::string_view key, const Json& value, std::string_view allowed) const {
        return bad_input(where(key),
                         fmt::format("{} is not allowed here; allowed: {}", found(value), allowed));
    }

    const Json* find(std::string_view key) const {
        const auto at = json.find(std::string(key));
        return at == json.end() ? nullptr : &*at;
    }

    // The value of a key that must be there. A missing one is most often a misspelt one.
    Result<const Json*> require(std::string_view key) const {
        if (const Json* value = find(key)) return value;
        std::vector<std::string> keys;
        for (const auto& [name, value] : json.items()) keys.push_back(name);
        const std::string near = nearest(key, keys);
        return bad_input(where(key),
                         near.empty() ? "the key is missing; is this a result of simulate --json?"
                                      : "the key is missing; there is " + in_quotes(near));
    }
};

Status convert(const Object& object, std::string_view key, const Json& value, std::string& out) {
    if (!value.is_string()) return object.wrong(key, value, "a text");
    out = value.get<std::string>();
    return {};
}

Status convert(const Object& object, std::string_view key, const Json& value, double& out) {
    constexpr std::string_view allowed = "a number that is not negative";
    if (!value.is_number()) return object.wrong(key, value, allowed);
    const double number = value.get<double>();
    if (!std::isfinite(number) || number < 0) return object.wrong(key, value, allowed);
    out = number;
    return {};
}

Status convert(const Object& object, std::string_view key, const Json& value, std::uint64_t& out) {
    // The parser holds what is negative or has a fraction in other types than unsigned.
    if (!value.is_number_unsigned()) {
        return object.wrong(key, value, "a whole number from 0 to 2^64 - 1");
    }
    out = value.get<std::uint64_t>();
    return {};
}

Status convert(const Object& object, std::string_view key, const Json& value, std::int64_t& out) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
        return object.wrong(key, value, "a whole number from 0 to 2^63 - 1");
    }
    out = value.get<std::int64_t>();
    return {};
}

template <typename T>
Status read(const Object& object, std::string_view key, T& out) {
    MEMSIDE_TRY(const Json* value, object.require(key));
    return convert(object, key, *value, out);
}

template <typename T>
Status read(const Object& object, std::string_view key, std::optional<T>& out) {
    const Json* value = object.find(key);
    if (value == nullptr || value->is_null()) return {};
    T content{};
    MEMSIDE_CHECK(convert(object, key, *value, content));
    out = content;
    return {};
}

// A list of objects; `read_members(object, row)` fills one row.
template <typename T, typename ReadMembers>
Status read_rows(const Object& object, std::string_view key, bool required, std::vector<T>& rows,
                 ReadMembers read_members) {
    if (!required && object.find(key) == nullptr) return {};
    MEMSIDE_TRY(const Json* list, object.require(key));
    if (!list->is_array()) return object.wrong(key, *list, "a list");
    for (const Json& item : *list) {
        const std::string name = fmt::format("{}[{}]", key, rows.size());
        if (!item.is_object()) return object.wrong(name, item, "an object");
        T row;
        const std::string path = object.path.empty() ? name : object.path + '.' + name;
        MEMSIDE_CHECK(read_members(Object{item, object.file, path}, row));
        rows.push_back(std::move(row));
    }
    return {};
}

// Named numbers: phases, resources and the energy differ only in the name of the number.
template <typename T>
Status read_shares(const Object& root, std::string_view key, std::string_view number_key,
                   double T::* number, std::vector<T>& rows, bool required = true) {
    return read_rows(root, key, required, rows, [&](const Object& object, T& row) -> Status {
        MEMSIDE_CHECK(read(object, "name", row.name));
        return read(object, number_key, row.*number);
    });
}

// Keyed texts with a source: assumptions and constants.
template <typename T>
Status read_sourced(const Object& root, std::string_view list_key, bool required,
                    std::string T::* key, std::string T::* value, std::vector<T>& rows) {
    return read_rows(root, list_key, required, rows, [&](const Object& object, T& row) -> Status {
        MEMSIDE_CHECK(read(object, "key", row.*key));
        MEMSIDE_CHECK(read(object, "value", row.*value));
        return read(object, "source", row.source);
    });
}

Status read_capacity(const Object& root, std::optional<SimulationResult::Capacity>& out) {
    const Json* value = root.find("capacity");
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_object()) return root.wrong("capacity", *value, "an object or null");
    const Object object{*value, root.file, "capacity"};
    SimulationResult::Capacity capacity;
    MEMSIDE_CHECK(read(object, "device", capacity.device));
    MEMSIDE_CHECK(read(object, "devices", capacity.devices));
    MEMSIDE_CHECK(read(object, "capacity_bytes", capacity.capacity_bytes));
    MEMSIDE_CHECK(read(object, "weight_bytes", capacity.weight_bytes));
    MEMSIDE_CHECK(read(object, "request_bytes", capacity.request_bytes));
    MEMSIDE_CHECK(read(object, "digest_bytes", capacity.digest_bytes));
    MEMSIDE_CHECK(read(object, "requests_per_device", capacity.requests_per_device));
    out = std::move(capacity);
    return {};
}

Status read_layer(const Object& root, std::optional<SimulationResult::LayerTimeline>& out) {
    const Json* value = root.find("layer_timeline");
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_object()) return root.wrong("layer_timeline", *value, "an object or null");
    const Object object{*value, root.file, "layer_timeline"};
    SimulationResult::LayerTimeline layer;
    MEMSIDE_CHECK(read(object, "layer", layer.layer));
    MEMSIDE_TRY(const Json* resources, object.require("resources"));
    if (!resources->is_array()) return object.wrong("resources", *resources, "a list");
    for (const Json& name : *resources) {
        MEMSIDE_CHECK(convert(object, "resources", name, layer.resources.emplace_back()));
    }
    const auto read_task = [&](const Object& row, TimelineTask& task) -> Status {
        std::int64_t resource = 0;
        MEMSIDE_CHECK(read(row, "name", task.name));
        MEMSIDE_CHECK(read(row, "phase", task.phase));
        MEMSIDE_CHECK(read(row, "resource", resource));
        MEMSIDE_CHECK(read(row, "start_s", task.start_s));
        if (resource >= std::ssize(layer.resources)) {
            return row.wrong("resource", row.json.at("resource"),
                             "the place of a resource in the list, from 0");
        }
        task.resource = static_cast<int>(resource);
        return read(row, "time_s", task.duration_s);
    };
    MEMSIDE_CHECK(read_rows(object, "tasks", true, layer.tasks, read_task));
    out = std::move(layer);
    return {};
}

// Of a served workload, which has a curve: the time average.
Status read_mean_batch(const Object& root, SimulationResult& result) {
    MEMSIDE_CHECK(read(root, "batch", result.batch_mean));
    constexpr double most = 1e9;
    result.batch =
        std::max<std::int64_t>(1, std::llround(std::min(result.batch_mean.value_or(0.0), most)));
    return {};
}

Status read_lists(const Object& root, SimulationResult& result) {
    MEMSIDE_CHECK(read_shares(root, "phases", "time_s", &PhaseTime::time_s, result.phases));
    // Results of older versions have none.
    MEMSIDE_CHECK(
        read_shares(root, "prefill", "time_s", &PhaseTime::time_s, result.prefill, false));
    MEMSIDE_CHECK(
        read_shares(root, "resources", "busy_s", &ResourceBusy::busy_s, result.resources));
    MEMSIDE_CHECK(
        read_shares(root, "energy", "j_per_token", &EnergyShare::j_per_token, result.energy));
    const auto read_step = [](const Object& object, PageStep& step) -> Status {
        MEMSIDE_CHECK(read(object, "selected", step.selected));
        MEMSIDE_CHECK(read(object, "recalled", step.recalled));
        return read(object, "dropped_out", step.dropped_out);
    };
    MEMSIDE_CHECK(read_rows(root, "page_steps", false, result.page_steps, read_step));
    const auto read_point = [](const Object& object, ServingPoint& point) -> Status {
        MEMSIDE_CHECK(read(object, "time_s", point.time_s));
        MEMSIDE_CHECK(read(object, "batch", point.batch));
        MEMSIDE_CHECK(read(object, "waiting", point.waiting));
        return read(object, "kv_capacity_utilization", point.kv_live_share);
    };
    MEMSIDE_CHECK(read_rows(root, "serving", false, result.serving, read_point));
    MEMSIDE_CHECK(read_sourced(root, "assumptions", true, &Assumption::key, &Assumption::value,
                               result.assumptions));
    MEMSIDE_CHECK(
        read_sourced(root, "constants", false, &Constant::path, &Constant::text, result.constants));
    return read_rows(root, "request", false, result.settings,
                     [](const Object& object, auto& setting) -> Status {
                         MEMSIDE_CHECK(read(object, "key", setting.first));
                         return read(object, "value", setting.second);
                     });
}

// The parser's message without its identifiers: "parse error at line 3, column 7: ...".
std::string readable(std::string_view message) {
    const auto bracket = message.find("] ");
    return std::string(bracket == std::string_view::npos ? message : message.substr(bracket + 2));
}

}  // namespace

Result<SimulationResult> from_json(std::string_view text, const std::string& file) {
    Json document;
    try {
        document = Json::parse(text);
    } catch (const Json::exception& error) {
        return bad_input(file, "is not valid JSON: " + readable(error.what()));
    }
    if (!document.is_object()) {
        return bad_input(file, found(document) + " is not a result; allowed: a JSON object");
    }
    const Object root{document, file, ""};
    std::string version;
    MEMSIDE_CHECK(read(root, "version", version));
    SimulationResult result;
    MEMSIDE_CHECK(read_lists(root, result));
    for (const ScalarField& field : scalar_fields()) {
        if (field.key == "batch" && !result.serving.empty()) {
            MEMSIDE_CHECK(read_mean_batch(root, result));
            continue;
        }
        MEMSIDE_CHECK(std::visit([&](auto member) { return read(root, field.key, result.*member); },
                                 field.member));
    }
    MEMSIDE_CHECK(read(root, "seed", result.seed));
    std::optional<std::string> reason;
    MEMSIDE_CHECK(read(root, "reason", reason));
    result.reason = reason.value_or("");
    MEMSIDE_CHECK(read_capacity(root, result.capacity));
    MEMSIDE_CHECK(read_layer(root, result.layer_timeline));
    return result;
}

}  // namespace memside
