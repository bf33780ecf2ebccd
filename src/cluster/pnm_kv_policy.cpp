// `pnm-kv`: the KV cache lives in CXL-PNM devices, each of which selects and attends the pages of
// its own requests; GPUs compute the rest (Kim et al., PACT 2025, "PNM-KV"). Attention is data
// parallel over requests, so a request must fit one device, and nothing is ever recalled.
#include "cluster/pnm_fit.h"
#include "cluster/pnm_layer.h"

namespace memside {
namespace {

class PnmKvAttention final : public AttentionSide {
  public:
    PnmKvAttention(StepPlan& step, const Hardware& hardware, const DecodeJob& job,
                   const PageShares& pages)
        : step_(step),
          job_(job),
          devices_(step, *hardware.pnm, job, pages),
          transfer_(step.graph, hardware.pnm->fabric, hardware.gpus) {}

    Result<std::vector<TaskId>> attend(FcBuilder&, int layer, const BatchPart& part,
                                       TaskId qkv) override {
        const AttentionTraffic traffic = attention_traffic(job_.model, counts(part.by_device));
        const auto arrived = transfer_.scatter(step_.graph, layer, traffic.down, qkv);
        MEMSIDE_TRY(const auto sorted, devices_.select(layer, part.by_device, arrived));
        MEMSIDE_TRY(const auto attended, devices_.attend(layer, part.by_device, false, sorted));
        return transfer_.gather(step_.graph, layer, traffic.up, attended);
    }

  private:
    StepPlan& step_;
    const DecodeJob& job_;
    PnmDevices devices_;
    FabricTransfer transfer_;
};

class PnmKvPolicy final : public Policy {
  public:
    std::string_view name() const override { return "pnm-kv"; }
    std::string_view summary() const override {
        return "KV in CXL-PNM devices, which select and attend pages; FC on the GPUs";
    }
    bool selects_pages() const override { return true; }
    bool uses_pnm() const override { return true; }

    Status supports(const SystemSpec& system) const override { return needs_pnm(*this, system); }

    Fit fit(const Hardware& hardware, const DecodeJob& job) const override {
        return pnm_fit(hardware, job);
    }
    std::unique_ptr<AttentionSide> attention(StepPlan& step, const Hardware& hardware,
                                             const DecodeJob& job,
                                             const PageShares& pages) const override {
        return std::make_unique<PnmKvAttention>(step, hardware, job, pages);
    }
};

}  // namespace

std::unique_ptr<Policy> make_pnm_kv_policy() {
    return std::make_unique<PnmKvPolicy>();
}

}  // namespace memside
