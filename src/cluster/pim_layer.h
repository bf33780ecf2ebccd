// What the modules of a pipeline stage do for a group of requests in one layer: time by phase on
// the fullest module, and everything that costs energy on all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cluster/pim_plan.h"

namespace memside {

// In the order of reports.
enum class PimPhase : std::uint8_t { fc, attention, softmax, vector, link, digest_scan, top_k };
inline constexpr std::array<std::string_view, 7> pim_phase_names{
    "fc", "attention", "softmax", "vector", "link", "digest_scan", "top_k"};

struct PimWork {
    std::array<double, pim_phase_names.size()> phase_s{};  // of the fullest module
    PimKernelTime kernels;                                 // of all modules; its times are sums
    double link_bytes = 0;                                 // on the wire
    double matrix_flops = 0;                               // of the processors
    double external_bytes = 0;                             // from the banks to them

    double& of(PimPhase phase) { return phase_s[static_cast<std::size_t>(phase)]; }
    double time_s() const;
    PimWork& add(const PimWork& other, double times = 1);
};

class PimLayer {
  public:
    // All outlive it.
    PimLayer(const ModelSpec& model, const PimMachine& machine, const PimPlan& plan,
             const PimOptions& options, PimKernels& kernels);

    // One layer for requests of these contexts, in descending order; each attends its new token as
    // well.
    Result<PimWork> layer(const std::vector<std::int64_t>& contexts,
                          PimLayerKind kind = PimLayerKind::whole) const;
    // The last norm and the output head.
    Result<PimWork> output_head(std::int64_t requests) const;
    // From a stage to the next: a vector of each request.
    double hop_s(std::int64_t requests) const;
    double hop_bytes(std::int64_t requests) const;

  private:
    Status add_linear(const PimLinear& linear, double requests, PimWork& work) const;
    Status add_attention(const std::vector<std::int64_t>& contexts, PimLayerKind kind,
                         PimWork& work) const;
    Result<PimKernelTime> run(const PimAttention& kernel, PimLayerKind kind,
                              std::size_t number) const;
    void add_vector(double requests, PimWork& work) const;
    void add_link(double requests, PimWork& work) const;

    const ModelSpec& model_;
    const PimMachine& machine_;
    const PimPlan& plan_;
    const PimOptions& options_;
    PimKernels& kernels_;
};

}  // namespace memside
