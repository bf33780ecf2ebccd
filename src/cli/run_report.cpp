#include "cli/run_report.h"

#include <sys/resource.h>

#include "base/number.h"

namespace memside::cli {

double DecodeReport::tok_per_s() const {
    return decode_s > 0.0 ? static_cast<double>(steps) / decode_s : 0.0;
}

double DecodeReport::per_step(std::int64_t total) const {
    return steps > 0 ? static_cast<double>(total) / static_cast<double>(steps) : 0.0;
}

double DecodeReport::per_set(std::int64_t total) const {
    const std::int64_t sets = statistics.policy.sets;
    return sets > 0 ? static_cast<double>(total) / static_cast<double>(sets) : 0.0;
}

double DecodeReport::pages_scanned() const {
    const engine::PolicyCounts& counts = statistics.policy;
    return counts.kv_heads > 0
               ? static_cast<double>(counts.pages_scanned) / static_cast<double>(counts.kv_heads)
               : 0.0;
}

double DecodeReport::share(double seconds) const {
    return statistics.total_s > 0.0 ? seconds / statistics.total_s : 0.0;
}

namespace {

// Only where pages lie in a file.
void write_file_members(JsonWriter& json, const DecodeReport& report) {
    const engine::StreamCounts& stream = report.statistics.stream;
    json.member("file_bytes_read_per_step", report.per_step(stream.bytes));
    json.member("file_reads_per_step", report.per_step(stream.reads));
    json.member("file_wait_share", report.share(stream.wait_s));
    // Of the bytes attended, those that were in memory before the step asked for them: pages that
    // stay there, not those read ahead.
    json.member("pool_hit_rate", report.pool_hit_rate());
    json.member("read_ahead_per_step", report.per_step(stream.ahead));
    json.member("read_ahead_hit_rate", stream.ahead > 0 ? static_cast<double>(stream.ahead_wanted) /
                                                              static_cast<double>(stream.ahead)
                                                        : 0.0);
    json.member("kv_memory_bytes", report.kv_memory_bytes);
    json.member("kv_file_bytes", report.kv_file_bytes);
}

}  // namespace

double DecodeReport::pool_hit_rate() const {
    const auto kv = static_cast<double>(statistics.kv_bytes());
    return kv > 0.0 ? 1.0 - static_cast<double>(statistics.kv_bytes_from_file()) / kv : 0.0;
}

void DecodeReport::set_store(const engine::KvMemory& memory) {
    reads_file = memory.file_bytes > 0;
    kv_memory_bytes = memory.memory_bytes;
    kv_file_bytes = memory.file_bytes;
}

void write_decode_members(JsonWriter& json, const DecodeReport& report) {
    const engine::StepStatistics& steps = report.statistics;
    const bool selects = report.policy.variant->selects;
    // Without meaning where every page is attended where it is.
    const auto of_selection = [&](const char* key, double value) {
        json.key(key);
        if (selects) {
            json.value(value);
        } else {
            json.null();
        }
    };
    json.member("policy", report.policy.variant->name);
    json.key("budget_tokens");
    if (selects) {
        json.value(report.policy.selection.budget_tokens);
    } else {
        json.null();
    }
    json.member("kernels", report.kernels);
    json.member("decode_tok_per_s", report.tok_per_s());
    of_selection("pages_selected_per_step", report.per_set(steps.policy.pages_selected));
    of_selection("pages_scanned_per_step", report.pages_scanned());
    of_selection("pages_recalled_per_step", report.per_set(steps.policy.pages_recalled));
    json.member("kv_bytes_read_per_step", report.per_step(steps.kv_bytes()));
    of_selection("digest_bytes_read_per_step", report.per_step(steps.policy.digest_bytes));
    of_selection("pool_bytes_read_per_step", report.per_step(steps.policy.pool_bytes));
    of_selection("pool_bytes_written_per_step", report.per_step(steps.policy.copied_bytes));
    json.key("bytes_read");
    json.begin_object(JsonWriter::Layout::one_line);
    // Of all steps, where bytes were found; the pool is memory of the same machine, and a copy is
    // read before it is written.
    json.member("dram", steps.kv_bytes() - steps.kv_bytes_from_file() + steps.policy.digest_bytes +
                            steps.policy.copied_bytes - steps.policy.copied_bytes_from_file);
    if (report.reads_file) json.member("file", steps.stream.bytes);
    json.end_object();
    if (report.reads_file) write_file_members(json, report);
    const double scoring = report.share(steps.policy.scoring_s);
    const double recall = report.share(steps.policy.recall_s);
    const double attention = report.share(steps.attention_s);
    json.key("time_share");
    json.begin_object(JsonWriter::Layout::one_line);
    json.member("scoring", scoring);
    json.member("recall", recall);
    json.member("attention", attention);
    json.member("fc", 1.0 - scoring - recall - attention);
    json.end_object();
    json.member("peak_rss_bytes", peak_rss_bytes());
}

std::vector<std::string> describe_decode(const DecodeReport& report) {
    const engine::StepStatistics& steps = report.statistics;
    const bool selects = report.policy.variant->selects;
    const double scoring = report.share(steps.policy.scoring_s);
    const double recall = report.share(steps.policy.recall_s);
    const double attention = report.share(steps.attention_s);
    std::string time = fmt::format("{:.1f} tok/s; of a step", report.tok_per_s());
    if (selects) time += fmt::format(" scoring {:.1f} %,", 100.0 * scoring);
    if (report.policy.variant->residency != nullptr && steps.policy.copied_bytes > 0) {
        time += fmt::format(" recall {:.1f} %,", 100.0 * recall);
    }
    time += fmt::format(" attention {:.1f} %, the rest {:.1f} %", 100.0 * attention,
                        100.0 * (1.0 - scoring - recall - attention));
    std::vector<std::string> lines{std::move(time)};
    const std::string kv = format_bytes(report.per_step(steps.kv_bytes()));
    if (selects) {
        lines.push_back(fmt::format(
            "{}: {:.1f} pages of a set selected, {:.1f} scored, {:.2f} recalled; a step reads {} "
            "of keys and values and {} of digests",
            report.policy.variant->name, report.per_set(steps.policy.pages_selected),
            report.pages_scanned(), report.per_set(steps.policy.pages_recalled), kv,
            format_bytes(report.per_step(steps.policy.digest_bytes))));
    } else {
        lines.push_back(fmt::format("dense: a step reads {} of keys and values", kv));
    }
    if (report.reads_file) {
        lines.push_back(fmt::format(
            "file: a step reads {} and waits for it {:.1f} % of its time; {:.1f} % of what it "
            "attends was in memory; {} of keys and values lie in the file, {} in memory",
            format_bytes(report.per_step(steps.stream.bytes)),
            100.0 * report.share(steps.stream.wait_s), 100.0 * report.pool_hit_rate(),
            format_bytes(static_cast<double>(report.kv_file_bytes)),
            format_bytes(static_cast<double>(report.kv_memory_bytes))));
    }
    lines.push_back(fmt::format("{}; peak memory {}", report.kernels,
                                format_bytes(static_cast<double>(peak_rss_bytes()))));
    return lines;
}

std::int64_t peak_rss_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace memside::cli
