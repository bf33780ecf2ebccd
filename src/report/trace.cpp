#include "report/trace.h"

#include <cassert>
#include <cmath>
#include <tuple>

#include "report/json_writer.h"

namespace memside {
namespace {

constexpr auto one_line = JsonWriter::Layout::one_line;
constexpr std::int64_t process = 1;

std::int64_t nanoseconds(double seconds) {
    return std::llround(seconds * 1e9);
}

void microseconds(JsonWriter& json, std::string_view key, std::int64_t ns) {
    json.key(key);
    json.number_text(fmt::format("{}.{:03}", ns / 1000, ns % 1000));
}

// Names a process or a thread, or gives it its place in the list.
template <typename T>
void metadata(JsonWriter& json, std::string_view what, std::int64_t thread, std::string_view key,
              const T& content) {
    json.begin_object(one_line);
    json.member("ph", "M");
    json.member("name", what);
    json.member("pid", process);
    json.member("tid", thread);
    json.key("args");
    json.begin_object();
    json.member(key, content);
    json.end_object();
    json.end_object();
}

// Both ends are rounded, not the duration: tasks that follow each other never come to overlap.
void event(JsonWriter& json, const TimelineTask& task) {
    const std::int64_t start_ns = nanoseconds(task.start_s);
    const std::int64_t end_ns = nanoseconds(task.start_s + task.duration_s);
    json.begin_object(one_line);
    json.member("ph", "X");
    json.member("name", task.name);
    json.member("cat", task.phase);
    json.member("pid", process);
    json.member("tid", std::int64_t{task.resource} + 1);
    microseconds(json, "ts", start_ns);
    microseconds(json, "dur", end_ns - start_ns);
    json.key("args");
    json.begin_object();
    json.key("layer");
    if (task.layer >= 0) {
        json.value(std::int64_t{task.layer});
    } else {
        json.null();
    }
    json.member("phase", task.phase);
    json.member("bytes", task.bytes);
    json.member("flops", task.flops);
    json.member("critical", task.critical);
    json.end_object();
    json.end_object();
}

}  // namespace

Status check_trace_size(std::size_t tasks, const std::string& where) {
    if (tasks <= max_trace_tasks) return {};
    return bad_input(where,
                     fmt::format("the step has {} tasks; allowed: up to {}. Fewer devices or "
                                 "a smaller model make fewer",
                                 tasks, max_trace_tasks));
}

std::string to_trace(const SimulationResult& result) {
    assert(result.timeline.size() <= max_trace_tasks);
    std::vector<const TimelineTask*> tasks;
    for (const TimelineTask& task : result.timeline) {
        assert(task.resource >= 0 &&
               static_cast<std::size_t>(task.resource) < result.timeline_resources.size());
        tasks.push_back(&task);
    }
    std::sort(tasks.begin(), tasks.end(), [](const auto* a, const auto* b) {
        // Addresses last: equal tasks stay in the order of the timeline.
        return std::tuple(a->start_s, a->resource, a) < std::tuple(b->start_s, b->resource, b);
    });

    JsonWriter json;
    json.begin_object();
    json.member("displayTimeUnit", "ms");
    json.key("otherData");
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("kind", "modelled, not measured");
    json.member("model", result.model);
    json.member("system", result.system);
    json.member("policy", result.policy);
    json.member("context_tokens", result.context_tokens);
    json.member("batch", result.batch);
    json.member("seed", result.seed);
    json.end_object();
    json.key("traceEvents");
    json.begin_array();
    metadata(json, "process_name", 0, "name",
             fmt::format("{} on {} ({})", result.model, result.system, result.policy));
    for (std::size_t i = 0; i < result.timeline_resources.size(); ++i) {
        const auto thread = static_cast<std::int64_t>(i) + 1;
        metadata(json, "thread_name", thread, "name", result.timeline_resources[i]);
        metadata(json, "thread_sort_index", thread, "sort_index", thread);
    }
    for (const TimelineTask* task : tasks) event(json, *task);
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

}  // namespace memside
