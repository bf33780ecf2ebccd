#include "calibrate/calibrate.h"

#include <cmath>

#include "base/number.h"
#include "calibrate/attention_fit.h"
#include "calibrate/selection_shape.h"
#include "calibrate/workbench.h"
#include "engine/attention_kernel.h"
#include "engine/matmul.h"
#include "kv/digest_storage.h"
#include "system/cpu_schema.h"

namespace memside::calibrate {
namespace {

using Samples = std::map<std::string, Sample>;

constexpr const char* single_prefix = "1 ";
constexpr const char* all_prefix = "all ";

std::string rate_text(double bytes_per_s) {
    return fmt::format("{:.4g} GB/s", bytes_per_s / 1e9);
}

std::string time_text(double seconds) {
    return fmt::format("{:.4g} ns", seconds * 1e9);
}

// The constants of one number of threads out of its samples.
class Constants {
  public:
    Constants(const Samples& samples, std::string prefix, unsigned threads, int turns)
        : samples_(samples), prefix_(std::move(prefix)), threads_(threads), turns_(turns) {}

    std::vector<MeasuredConstant> make(const Sample& disk) {
        add_text("cores", fmt::format("{}", threads_), "as many as were at work");
        add_text("threads", fmt::format("{}", threads_), "as many as were at work");
        add_text("memory_capacity",
                 format_bytes(static_cast<double>(engine::physical_memory_bytes())),
                 "as the system says");
        add_cache();
        for (const SchemaKey& key : cpu_schema()) {
            const auto found = samples_.find(prefix_ + std::string(key.key));
            if (found == samples_.end()) continue;
            const bool rate = key.dimension == Dimension::bytes_per_second;
            add(std::string(key.key),
                rate ? rate_text(found->second.median) : time_text(found->second.median),
                fmt::format("median of {} turns", turns_), found->second.spread);
        }
        add("disk_rate", rate_text(disk.median), "median of 5 turns, one reader, 1 MiB a time",
            disk.spread);
        if (threads_ == 1) add_text("fork_latency", "0 ns", "one thread wakes nobody");
        add_values();
        add_attention();
        add_selection();
        return in_order();
    }

  private:
    const Sample& sample(const std::string& name) const { return samples_.at(prefix_ + name); }

    void add(std::string key, std::string text, std::string how, double spread) {
        made_.push_back({std::move(key), std::move(text), std::move(how), spread});
    }
    void add_text(std::string key, std::string text, std::string how) {
        add(std::move(key), std::move(text), std::move(how), 0.0);
    }

    // The largest working set that is read faster than halfway, on a logarithmic scale, from memory
    // to the cache. What the system says is the size of the processor's, of which a virtual machine
    // may have a part.
    void add_cache() {
        const double fast = std::sqrt(sample("cache_rate").median * sample("stream_rate").median);
        int held = cache_points[0];
        for (const int point : cache_points) {
            if (sample(fmt::format("cache of {} MiB", point)).median >= fast) held = point;
        }
        add_text("last_level_cache", fmt::format("{} MiB", held),
                 "the largest of seven working sets that is read faster than halfway from memory "
                 "to cache");
    }

    // One thread does these, however many there are.
    void add_values() {
        for (const char* key : {"norm_latency", "add_latency", "gate_latency", "round_latency",
                                "turn_latency", "store_latency", "digest_latency"}) {
            const Sample& taken = samples_.at(single_prefix + std::string(key));
            if (threads_ == 1) continue;  // found above
            add(key, time_text(taken.median), fmt::format("median of {} turns, one thread", turns_),
                taken.spread);
        }
    }

    void add_attention() {
        AttentionTimes f16;
        for (const std::string_view type : measured_kv_types()) {
            // A probe's seconds are those of all threads together over a page; a thread takes
            // as many times that.
            double spread = 0.0;
            const AttentionTimes times = fit_attention([&](int dim, int rows) {
                const Sample& taken =
                    samples_.at(attention_probe(prefix_, std::string(type), dim, rows));
                spread = std::max(spread, taken.spread);
                return taken.median * threads_;
            });
            if (type == "f16") f16 = times;
            const std::string how = fmt::format(
                "fitted to 18 shapes of the kernel with an error of {:.1f} %", 100.0 * times.error);
            add(fmt::format("attention_rows_{}", type), fmt::format("{}", times.rows_per_pass), how,
                spread);
            add(fmt::format("attention_read_{}", type), time_text(times.read_s), how, spread);
            add(fmt::format("attention_multiply_{}", type), time_text(times.multiply_s), how,
                spread);
            add(fmt::format("attention_softmax_{}", type), time_text(times.softmax_s), how, spread);
        }
        std::vector<OverlapPoint> points;
        double spread = 0.0;
        const double page_bytes = 2.0 * probe_page_tokens * overlap_dim * 2.0;
        for (const int rows : attention_rows) {
            const Sample& taken = samples_.at(overlap_probe(prefix_, rows));
            spread = std::max(spread, taken.spread);
            points.push_back({f16.page_s(probe_page_tokens, overlap_dim, rows) / threads_,
                              page_bytes / sample("stream_rate").median, taken.median});
        }
        add("attention_overlap", fmt::format("{:.3f}", fit_overlap(points)),
            fmt::format("fitted to {} shapes of the kernel over f16 pages in DRAM", points.size()),
            spread);
    }

    void add_selection() {
        const double few = sample("select f16 of few").median;
        constexpr double query_values = 4.0 * SelectionShape::kv_heads * SelectionShape::head_dim;
        add("select_latency", time_text(few / query_values),
            fmt::format("median of {} turns, 16 pages", turns_),
            sample("select f16 of few").spread);
        const double page_sets =
            static_cast<double>(SelectionShape::pages) * SelectionShape::kv_heads;
        const double choosing = sample("top_page_latency").median * page_sets / threads_;
        for (const auto type : {kv::DigestType::f16, kv::DigestType::int8}) {
            const std::string name = kv::digest_type_names()[static_cast<std::size_t>(type)];
            const Sample& taken = sample("select " + name);
            const double bytes =
                page_sets * static_cast<double>(kv::digest_bytes(SelectionShape::head_dim, type));
            // At least a tenth: choosing never takes as long as scoring.
            const double scoring = std::max(taken.median - few - choosing, taken.median / 10.0);
            add("scan_" + name, rate_text(bytes / scoring),
                fmt::format("median of {} turns, 2,048 pages of 8 KV heads, less what choosing "
                            "takes",
                            turns_),
                taken.spread);
        }
    }

    std::vector<MeasuredConstant> in_order() const {
        std::vector<MeasuredConstant> ordered;
        for (const SchemaKey& key : cpu_schema()) {
            const auto found = std::ranges::find(made_, key.key, &MeasuredConstant::key);
            if (found != made_.end()) ordered.push_back(*found);
        }
        return ordered;
    }

    const Samples& samples_;
    std::string prefix_;
    unsigned threads_;
    int turns_;
    std::vector<MeasuredConstant> made_;
};

}  // namespace

Result<Calibration> calibrate(const CalibrationOptions& options) {
    MEMSIDE_TRY(const Sample disk, measure_disk(options.folder));
    MEMSIDE_TRY(const auto bench, Workbench::make(options.threads, options.folder));
    ProbeSet probes;
    // On a machine with one core the two are the same, and both are measured.
    for (engine::ThreadPool* pool : {&bench->single(), &bench->all()}) {
        const std::string prefix = pool == &bench->single() ? single_prefix : all_prefix;
        MEMSIDE_CHECK(add_memory_probes(*bench, *pool, prefix, probes));
        add_matmul_probes(*bench, *pool, prefix, probes);
        MEMSIDE_CHECK(add_attention_probes(*bench, *pool, prefix, probes));
        MEMSIDE_CHECK(add_selection_probes(*bench, *pool, prefix, probes));
    }
    MEMSIDE_CHECK(add_value_probes(single_prefix, probes));
    const Samples samples = probes.run(options.turns, options.progress);
    Calibration result;
    result.threads = bench->all().threads();
    result.all = Constants(samples, all_prefix, result.threads, options.turns).make(disk);
    result.single = Constants(samples, single_prefix, 1, options.turns).make(disk);
    result.kernels = fmt::format("{} weights, {} attention", engine::matmul_variant().name,
                                 engine::attention_variant().name);
    return result;
}

}  // namespace memside::calibrate
