#include "tune/measure.h"

#include <cassert>
#include <ctime>

#include "base/median.h"

namespace memside::tune {
namespace {

double now_ns(bool thread_time) {
    timespec time{};
    ::clock_gettime(thread_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

double run_ns(Kernel& kernel, std::size_t runs, bool thread_time) {
    const double start_ns = now_ns(thread_time);
    for (std::size_t i = 0; i < runs; ++i) kernel.run();
    return now_ns(thread_time) - start_ns;
}

// Empty when the output is the reference.
std::string difference(const Kernel& kernel, std::span<const std::byte> reference) {
    const std::vector<std::byte> output = kernel.output();
    if (output.size() != reference.size()) {
        return fmt::format("the output has {} bytes; the reference has {}", output.size(),
                           reference.size());
    }
    const auto [at, expected] = std::mismatch(output.begin(), output.end(), reference.begin());
    if (at == output.end()) return "";
    std::size_t others = 0;
    for (std::size_t i = 0; i < output.size(); ++i) others += output[i] != reference[i] ? 1U : 0U;
    return fmt::format("byte {} is {}; the reference has {} ({} of {} bytes differ)",
                       at - output.begin(), std::to_integer<int>(*at),
                       std::to_integer<int>(*expected), others, output.size());
}

}  // namespace

TrialResult measure(Measurer& measurer, const Point& point, const Sampling& sampling) {
    Result<std::unique_ptr<Kernel>> built = measurer.build(point);
    if (!built.ok()) return failed(TrialStatus::refused, built.error().message());
    Kernel& kernel = **built;
    kernel.clear_output();
    kernel.run();
    std::string wrong = difference(kernel, measurer.reference());
    if (!wrong.empty()) return failed(TrialStatus::wrong, std::move(wrong));

    const double once_ns = std::max(run_ns(kernel, 1, sampling.thread_time), 1.0);
    const auto runs = static_cast<std::size_t>(std::max(1.0, sampling.sample_ns / once_ns));
    std::vector<double> samples;
    for (int i = 0; i < std::max(1, sampling.samples); ++i) {
        samples.push_back(run_ns(kernel, runs, sampling.thread_time) / static_cast<double>(runs));
    }
    wrong = difference(kernel, measurer.reference());
    if (!wrong.empty()) {
        return failed(TrialStatus::wrong, fmt::format("after more runs, {}", wrong));
    }
    // A clock may stand still between two readings; nothing takes no time.
    return {TrialStatus::ok, std::max(median(std::move(samples)), 1e-3), ""};
}

}  // namespace memside::tune
