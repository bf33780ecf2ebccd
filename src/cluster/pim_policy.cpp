// `pim`: DRAM-PIM modules hold weights and KV, and their banks multiply (PIMphony, arXiv
// 2412.20166). simulate() gives modules without GPUs a simulation of their own, and modules beside
// GPUs the policy of gpu_pim.h.
#include <cassert>

#include "base/text.h"
#include "cluster/policy.h"

namespace memside {
namespace {

class PimPolicy final : public Policy {
  public:
    std::string_view name() const override { return "pim"; }
    std::string_view summary() const override {
        return "weights and KV in DRAM-PIM modules; with GPUs beside them KV only, FC on the GPUs";
    }
    bool selects_pages() const override { return false; }
    bool may_select_pages() const override { return true; }  // with --budget
    bool uses_pim() const override { return true; }

    Status supports(const SystemSpec& system) const override {
        if (system.has("pim")) return {};
        return bad_input("--policy", fmt::format("'pim' needs DRAM-PIM modules; system {} has "
                                                 "none (cent-x8, neupims-x4, a100x2-pim8)",
                                                 in_quotes(system.name)));
    }
    Fit fit(const Hardware&, const DecodeJob&) const override {
        assert(false);  // not asked: see above
        return {};
    }
    std::unique_ptr<AttentionSide> attention(StepPlan&, const Hardware&, const DecodeJob&,
                                             const PageShares&) const override {
        assert(false);  // likewise
        return nullptr;
    }
};

}  // namespace

std::unique_ptr<Policy> make_pim_policy() {
    return std::make_unique<PimPolicy>();
}

}  // namespace memside
