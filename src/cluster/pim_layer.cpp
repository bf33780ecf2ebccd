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
                                     std::int64_t heads, const std::vector<std::int64_t>& contexts,
                                     PimLayerKind kind) {
    std::vector<std::int64_t> pairs;
    for (const std::int64_t context : contexts) {
        std::int64_t tokens = context + 1;
        if (kind == PimLayerKind::window) {
            tokens = std::min<std::int64_t>(tokens, model.sliding_window_tokens);
        }
        pairs.insert(pairs.end(), static_cast<std::size_t>(heads), tokens);
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

// Attention on a group of channels and its hub.
struct GroupTime {
    double aim_s = 0;
    double hub_s = 0;  // in which the channels wait
    PimKernelTime work;
    PimKernelTime doubled;  // the same attention with registers for two heads, and its blocks
    PimBlocks blocks;

    double serial_s() const { return aim_s + hub_s; }

    // Takes the overlapped schedule where it is the faster one: with half of the registers HFP may
    // have to run fewer heads together.
    void overlap() {
        if (blocks.empty()) return;
        const OverlapTime both = overlapped(blocks);
        if (both.time_s >= serial_s()) return;
        aim_s = both.channels_s;
        hub_s = both.time_s - both.channels_s;
        // Channels stand by for as long as the schedule takes.
        doubled.open_channel_s *= both.time_s / doubled.time_s;
        work = doubled;
    }
};

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

Result<PimWork> PimLayer::layer(const std::vector<std::int64_t>& contexts,
                                PimLayerKind kind) const {
    const auto requests = static_cast<double>(contexts.size());
    PimWork work;
    for (const PimLinear& linear : plan_.linears) {
        MEMSIDE_CHECK(add_linear(linear, requests, work));
    }
    MEMSIDE_CHECK(add_attention(contexts, kind, work));
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

// Heads and requests take the sampled page sets in turn.
Result<PimKernelTime> PimLayer::run(const PimAttention& kernel, PimLayerKind kind,
                                    std::size_t number) const {
    if (kind != PimLayerKind::selected) return kernels_.attention(kernel);
    MEMSIDE_TRY(const std::vector<kv::PageList>* sets, options_.pages->sets(kernel.tokens - 1));
    PimSelected shape;
    shape.group = kernel.group;
    shape.head_dim = kernel.head_dim;
    shape.tokens = kernel.tokens;
    shape.page_tokens = static_cast<std::uint32_t>(options_.pages->format().page_tokens);
    shape.pages = (*sets)[number % sets->size()];
    shape.doubled = kernel.doubled;
    return kernels_.selected(shape);
}

Status PimLayer::add_attention(const std::vector<std::int64_t>& contexts, PimLayerKind kind,
                               PimWork& work) const {
    // Modules with as many heads do the same: the fullest come first.
    for (std::size_t first = 0; first < plan_.kv_heads.size();) {
        const std::int64_t heads = plan_.kv_heads[first];
        std::size_t last = first;
        while (last < plan_.kv_heads.size() && plan_.kv_heads[last] == heads) ++last;
        const auto modules = static_cast<double>(last - first);
        // Kernels go to the group of channels that is free first.
        std::vector<GroupTime> groups(static_cast<std::size_t>(machine_.module.channel_groups));
        std::size_t number = 0;
        for (PimAttention& kernel : kernels_of(model_, options_.program, heads, contexts, kind)) {
            MEMSIDE_TRY(const PimKernelTime time, run(kernel, kind, number));
            const auto free = std::min_element(
                groups.begin(), groups.end(),
                [](const GroupTime& a, const GroupTime& b) { return a.serial_s() < b.serial_s(); });
            free->aim_s += time.time_s - time.hub_s;
            free->hub_s += time.hub_s;
            free->work.add(time);
            ++number;
            if (options_.hub == PimHub::serial) continue;
            kernel.doubled = true;
            MEMSIDE_TRY(const PimKernelTime doubled, run(kernel, kind, number - 1));
            free->doubled.add(doubled);
            free->blocks.insert(free->blocks.end(), doubled.blocks.begin(), doubled.blocks.end());
        }
        for (GroupTime& group : groups) {
            group.overlap();
            work.kernels.add(group.work, modules);
        }
        if (first == 0) {
            const GroupTime& longest = *std::max_element(
                groups.begin(), groups.end(),
                [](const GroupTime& a, const GroupTime& b) { return a.serial_s() < b.serial_s(); });
            // Of what the hub is waited for, picking pages has its share.
            const PimKernelTime& of = longest.work;
            const double top_k = of.hub_s > 0 ? longest.hub_s * of.top_k_s / of.hub_s : 0;
            work.of(PimPhase::attention) += longest.aim_s - of.scan_s;
            work.of(PimPhase::digest_scan) += of.scan_s;
            work.of(PimPhase::softmax) += longest.hub_s - top_k;
            work.of(PimPhase::top_k) += top_k;
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
    const bool gemma = model_.architecture == Architecture::gemma3;
    const double norms = gemma ? 4 : 2;
    pim::HubInstruction head_norm;  // of every query and key head, where the model has them
    head_norm.op = pim::HubOp::rms_norm;
    head_norm.values = static_cast<std::uint32_t>(model_.head_dim);
    head_norm.rows = rope.heads;
    const bool of_heads = gemma || model_.architecture == Architecture::qwen3;
    const double one = norms * kernels_.hub_s(norm) + (of_heads ? kernels_.hub_s(head_norm) : 0.0) +
                       kernels_.hub_s(rope) + kernels_.hub_s(gate) + 2 * kernels_.hub_s(sum);
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
