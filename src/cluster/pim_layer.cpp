#include "cluster/pim_layer.h"

#include <algorithm>
#include <numeric>

#include "pim/kernels/kernel.h"

namespace memside {
namespace {

constexpr double value_bytes = 2;  // bf16
// CENT per block of a transformer: 5 broadcasts and 5 gathers of a vector of the hidden size, and
// one of each of the feed-forward size.
constexpr double hidden_transfers = 5;

// The kernels that a module runs for attention, longest first. A program of the user's has all
// heads of a request.
std::vector<PimAttention> kernels_of(const ModelSpec& model, const PimProgramOptions& options,
                                     std::int64_t heads,
                                     const std::vector<std::int64_t>& contexts) {
    std::vector<std::int64_t> pairs;
    for (const std::int64_t context : contexts) {
        pairs.insert(pairs.end(), static_cast<std::size_t>(heads), context + 1);
    }
    std::size_t together = options.partition == PimPartition::tcp ? 1 : pim::channel_count;
    if (options.attention) together = static_cast<std::size_t>(heads);
    std::vector<PimAttention> kernels;
    for (std::size_t first = 0; first < pairs.size(); first += together) {
        PimAttention kernel;
        kernel.pairs = static_cast<std::uint32_t>(std::min(together, pairs.size() - first));
        kernel.group = static_cast<std::uint32_t>(model.group_size());
        kernel.head_dim = static_cast<std::uint32_t>(model.head_dim);
        kernel.tokens = pairs[first];  // in lockstep the longest decides
        kernels.push_back(kernel);
    }
    return kernels;
}

}  // namespace

double PimWork::time_s() const {
    return std::accumulate(phase_s.begin(), phase_s.end(), 0.0);
}

PimWork& PimWork::add(const PimWork& other, double times) {
    for (std::size_t i = 0; i < phase_s.size(); ++i) phase_s[i] += times * other.phase_s[i];
    kernels.add(other.kernels, times);
    link_bytes += times * other.link_bytes;
    matrix_flops += times * other.matrix_flops;
    external_bytes += times * other.external_bytes;
    return *this;
}

PimLayer::PimLayer(const ModelSpec& model, const PimMachine& machine, const PimPlan& plan,
                   const PimOptions& options, PimKernels& kernels)
    : model_(model), machine_(machine), plan_(plan), options_(options), kernels_(kernels) {}

Result<PimWork> PimLayer::layer(const std::vector<std::int64_t>& contexts) const {
    const auto requests = static_cast<double>(contexts.size());
    PimWork work;
    for (const PimLinear& linear : plan_.linears) {
        MEMSIDE_CHECK(add_linear(linear, requests, work));
    }
    MEMSIDE_CHECK(add_attention(contexts, work));
    add_vector(requests, work);
    add_link(requests, work);
    return work;
}

Result<PimWork> PimLayer::output_head(std::int64_t requests) const {
    PimWork work;
    MEMSIDE_CHECK(add_linear(plan_.output_head, static_cast<double>(requests), work));
    pim::HubInstruction norm;
    norm.op = pim::HubOp::rms_norm;
    norm.values = static_cast<std::uint32_t>(model_.hidden);
    work.of(PimPhase::vector) += static_cast<double>(requests) * kernels_.hub_s(norm);
    return work;
}

double PimLayer::hop_s(std::int64_t requests) const {
    if (plan_.pp == 1) return 0;
    return machine_.link.send_s(static_cast<double>(requests) * value_bytes * model_.hidden);
}

double PimLayer::hop_bytes(std::int64_t requests) const {
    if (plan_.pp == 1) return 0;
    return machine_.link.wire_bytes(static_cast<double>(requests) * value_bytes * model_.hidden);
}

// In the banks a GEMV for each request; on the processor one product for all of them.
Status PimLayer::add_linear(const PimLinear& linear, double requests, PimWork& work) const {
    const PimModule& module = machine_.module;
    const auto modules = static_cast<double>(plan_.tp);
    if (!module.fc_in_banks) {
        const double weight_bytes = linear.parameters() * value_bytes;
        work.of(PimPhase::fc) += module.matrix_s(requests, linear.parameters(), weight_bytes);
        work.matrix_flops += modules * 2 * requests * linear.parameters();
        work.external_bytes += modules * weight_bytes;
        return {};
    }
    const auto groups = static_cast<std::uint32_t>(module.channel_groups);
    const PimGemv shape{pim::units(linear.rows, groups), linear.columns};
    MEMSIDE_TRY(const PimKernelTime time, kernels_.gemv(shape));
    work.of(PimPhase::fc) += requests * time.time_s;
    work.kernels.add(time, requests * groups * modules);
    return {};
}

Status PimLayer::add_attention(const std::vector<std::int64_t>& contexts, PimWork& work) const {
    // Modules with as many heads do the same: the fullest come first.
    for (std::size_t first = 0; first < plan_.kv_heads.size();) {
        const std::int64_t heads = plan_.kv_heads[first];
        std::size_t last = first;
        while (last < plan_.kv_heads.size() && plan_.kv_heads[last] == heads) ++last;
        const auto modules = static_cast<double>(last - first);
        // Kernels go to the group of channels that is free first.
        std::vector<double> aim_s(static_cast<std::size_t>(machine_.module.channel_groups));
        std::vector<double> hub_s(aim_s.size());
        for (const PimAttention& kernel : kernels_of(model_, options_.program, heads, contexts)) {
            MEMSIDE_TRY(const PimKernelTime time, kernels_.attention(kernel));
            std::size_t free = 0;
            for (std::size_t g = 1; g < aim_s.size(); ++g) {
                if (aim_s[g] + hub_s[g] < aim_s[free] + hub_s[free]) free = g;
            }
            aim_s[free] += time.time_s - time.hub_s;
            hub_s[free] += time.hub_s;
            work.kernels.add(time, modules);
        }
        if (first == 0) {
            std::size_t longest = 0;
            for (std::size_t g = 1; g < aim_s.size(); ++g) {
                if (aim_s[g] + hub_s[g] > aim_s[longest] + hub_s[longest]) longest = g;
            }
            work.of(PimPhase::attention) += aim_s[longest];
            work.of(PimPhase::softmax) += hub_s[longest];
        }
        first = last;
    }
    return {};
}

// Norms, rotation, gate and residual sums on every module's extra processing unit.
void PimLayer::add_vector(double requests, PimWork& work) const {
    pim::HubInstruction norm;
    norm.op = pim::HubOp::rms_norm;
    norm.values = static_cast<std::uint32_t>(model_.hidden);
    pim::HubInstruction rope;
    rope.op = pim::HubOp::rope;
    rope.heads = static_cast<std::uint32_t>(plan_.most_heads() * (model_.group_size() + 1));
    rope.head_dim = static_cast<std::uint32_t>(model_.head_dim);
    pim::HubInstruction gate;
    gate.op = pim::HubOp::gate;
    gate.tiles = pim::units(plan_.linears[2].rows / 2, pim::lanes);
    pim::HubInstruction sum;
    sum.op = pim::HubOp::add;
    sum.tiles = pim::units(static_cast<std::uint32_t>(model_.hidden), pim::lanes);
    const double one = 2 * kernels_.hub_s(norm) + kernels_.hub_s(rope) + kernels_.hub_s(gate) +
                       2 * kernels_.hub_s(sum);
    work.of(PimPhase::vector) += requests * one;
}

void PimLayer::add_link(double requests, PimWork& work) const {
    if (plan_.tp == 1) return;
    const SharedLink& link = machine_.link;
    const double hidden = requests * value_bytes * model_.hidden;
    const double ffn = requests * value_bytes * model_.ffn;
    const auto others = static_cast<double>(plan_.tp - 1);
    const auto modules = static_cast<double>(plan_.tp);
    const auto both_s = [&](double payload) {
        return link.broadcast_s(payload) + link.gather_s(payload, plan_.tp);
    };
    const auto both_bytes = [&](double payload) {
        return others * (link.wire_bytes(payload) + link.wire_bytes(payload / modules));
    };
    work.of(PimPhase::link) += hidden_transfers * both_s(hidden) + both_s(ffn);
    work.link_bytes += hidden_transfers * both_bytes(hidden) + both_bytes(ffn);
}

}  // namespace memside
