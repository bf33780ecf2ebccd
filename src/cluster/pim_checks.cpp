#include "cluster/pim_checks.h"

#include "base/text.h"
#include "cluster/pim_pages.h"
#include "cluster/policy.h"

namespace memside {
namespace {

// A window is a ring of places: token t lies where token t - window lay. So it has no old tokens to
// mask when it is whole columns of all channels of a pair.
Status check_windows(const SimulationRequest& request) {
    if (request.model.sliding_layers() == 0) return {};
    if (!request.workload.empty()) {
        return bad_input("--model",
                         fmt::format("{} has sliding-window layers, which are not modelled for "
                                     "--policy pim with a workload; allowed: --context",
                                     request.model.name));
    }
    const bool tcp = request.pim.program.partition == PimPartition::tcp;
    const std::int64_t whole = std::int64_t{pim::bank_count} * (tcp ? pim::channel_count : 1);
    if (request.model.sliding_window_tokens % whole == 0) return {};
    return bad_input("--model",
                     fmt::format("{} has sliding windows of {} tokens; modelled for "
                                 "--policy pim: multiples of {}",
                                 request.model.name, request.model.sliding_window_tokens, whole));
}

Status check_selection(const SimulationRequest& request) {
    if (!request.budget_tokens) return refuse_selection_settings(request.settings);
    if (!request.workload.empty()) {
        return bad_input("--budget",
                         "selected pages on DRAM-PIM are modelled with --context only, "
                         "not with a workload");
    }
    if (request.pim.program.partition == PimPartition::hfp) {
        return bad_input("--budget",
                         "selected pages are modelled for --partition tcp only, not for hfp");
    }
    if (request.format.digest_type != kv::DigestType::f16) {
        return bad_input("--digest-type", "the banks multiply 16-bit digests; allowed: f16");
    }
    return {};
}

// What a program of the user's does not have.
Status check_program(const SimulationRequest& request) {
    if (!request.pim.program.attention) return {};
    const auto refuse = [](std::string_view what) {
        return bad_input("--program",
                         fmt::format("a program of attention is not modelled with {}", what));
    };
    if (request.budget_tokens) return refuse("--budget");
    if (request.pim.hub == PimHub::overlap) return refuse("--hub overlap");
    if (request.model.sliding_layers() > 0) return refuse("sliding-window layers");
    return {};
}

}  // namespace

Status check_modelled_on_pim(const SimulationRequest& request, ConstantReader& constants) {
    MEMSIDE_TRY(const Policy* policy, find_policy(request.policy));
    MEMSIDE_CHECK(policy->supports(request.system));
    if (request.half_batches) {
        return bad_input("--overlap",
                         "half-batches are not modelled for --policy pim; allowed: none");
    }
    if (kv::bits(request.format.value_type) != 16) {
        return bad_input("--kv-type", "the banks multiply 16-bit values; allowed: f16, bf16");
    }
    MEMSIDE_CHECK(check_windows(request));
    MEMSIDE_CHECK(check_selection(request));
    MEMSIDE_CHECK(check_program(request));
    if (constants.flag("cost", "include_host")) {
        return bad_input("--set cost.include_host",
                         "the server around DRAM-PIM modules is not modelled; allowed: false");
    }
    return {};
}

}  // namespace memside
