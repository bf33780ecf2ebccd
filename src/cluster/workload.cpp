#include "cluster/workload.h"

#include <algorithm>
#include <cmath>

#include "base/number.h"
#include "base/text.h"
#include "kv/counter_random.h"
#include "model/length_distribution.h"

namespace memside {
namespace {

// The stream of gaps between arrivals, apart from that of lengths.
constexpr std::uint64_t arrival_stream = 0x61727269;

class WorkloadMaker {
  public:
    explicit WorkloadMaker(const WorkloadOptions& options) : options_(options) {}

    Result<Workload> make() {
        const bool file = options_.source.ends_with(".csv") || options_.source.ends_with(".jsonl");
        MEMSIDE_CHECK(file ? from_file() : from_lengths());
        if (options_.arrivals_per_s) {
            draw_arrivals();
        } else if (!file_arrivals_) {
            note("arrival-rate", "all at the start", "by default: none waits for an arrival");
        }
        std::stable_sort(workload_.requests.begin(), workload_.requests.end(),
                         [](const ServedRequest& a, const ServedRequest& b) {
                             return a.arrival_s < b.arrival_s;
                         });
        return std::move(workload_);
    }

  private:
    void note(std::string key, std::string value, std::string source) {
        workload_.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    }

    Status from_lengths() {
        const auto lengths = find_length_statistics(options_.source, "--workload");
        if (!lengths.ok()) {
            return bad_input("--workload", lengths.error().what + ", FILE.csv, FILE.jsonl");
        }
        const LengthDistribution distribution(*lengths);
        const std::int64_t count = options_.requests.value_or(default_workload_requests);
        for (std::int64_t i = 0; i < count; ++i) {
            // As lengths_capacity() draws them: both speak of the same requests.
            const std::uint64_t bits =
                kv::random_bits(options_.seed, static_cast<std::uint64_t>(i));
            workload_.requests.push_back({distribution.quantile(kv::uniform(bits)), 0, 0.0});
        }
        note("workload", options_.source,
             fmt::format("lengths: {}; assumed: beta distributed between the smallest and the "
                         "largest",
                         lengths->source));
        note("requests", std::to_string(count),
             options_.requests ? "as asked for" : "assumed: enough to fill and drain a batch");
        give_output();
        return {};
    }

    Status from_file() {
        MEMSIDE_TRY(WorkloadFile file, read_workload_file(options_.source));
        if (file.has_output && options_.output_tokens) {
            return bad_input("--output-tokens", fmt::format("{} gives output_tokens itself",
                                                            in_quotes(options_.source)));
        }
        if (file.has_arrivals && options_.arrivals_per_s) {
            return bad_input("--arrival-rate",
                             fmt::format("{} gives arrival_s itself", in_quotes(options_.source)));
        }
        const auto held = std::ssize(file.requests);
        const std::int64_t count = options_.requests.value_or(held);
        if (count > held) {
            return bad_input("--requests", fmt::format("{} holds {} requests, {} were asked for",
                                                       in_quotes(options_.source), held, count));
        }
        file.requests.resize(static_cast<std::size_t>(count));
        workload_.requests = std::move(file.requests);
        file_arrivals_ = file.has_arrivals;
        note("workload", options_.source, fmt::format("{} of the file's {} requests", count, held));
        if (!file.has_output) give_output();
        return {};
    }

    void give_output() {
        const std::int64_t tokens = options_.output_tokens.value_or(default_output_tokens);
        for (ServedRequest& request : workload_.requests) request.output_tokens = tokens;
        note("output-tokens", std::to_string(tokens),
             options_.output_tokens
                 ? "as asked for, of every request"
                 : "assumed: of every request; LongBench and LV-Eval ask for short answers");
    }

    void draw_arrivals() {
        const std::uint64_t key = kv::key_of({options_.seed, arrival_stream});
        double now_s = 0.0;
        std::uint64_t counter = 0;
        for (ServedRequest& request : workload_.requests) {
            const double u = kv::uniform(kv::random_bits(key, counter++));
            now_s -= std::log1p(-u) / *options_.arrivals_per_s;
            request.arrival_s = now_s;
        }
        note("arrival-rate", fmt::format("{} requests/s", *options_.arrivals_per_s),
             "as asked for; assumed: a Poisson process");
    }

    const WorkloadOptions& options_;
    Workload workload_;
    bool file_arrivals_ = false;
};

}  // namespace

std::int64_t Workload::output_tokens() const {
    std::int64_t sum = 0;
    for (const ServedRequest& request : requests) sum += request.output_tokens;
    return sum;
}

double Workload::mean_context() const {
    double sum = 0.0;
    for (const ServedRequest& request : requests) {
        sum += static_cast<double>(request.context_tokens);
    }
    return sum / static_cast<double>(std::max<std::ptrdiff_t>(1, std::ssize(requests)));
}

std::int64_t Workload::longest() const {
    std::int64_t most = 0;
    for (const ServedRequest& request : requests) most = std::max(most, request.last_tokens());
    return most;
}

Result<Workload> make_workload(const WorkloadOptions& options) {
    return WorkloadMaker(options).make();
}

}  // namespace memside
