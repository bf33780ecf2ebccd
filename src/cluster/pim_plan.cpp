#include "cluster/pim_plan.h"

#include <algorithm>
#include <cmath>

#include "cluster/pim_holding.h"
#include "pim/dynamic/kv_layout.h"

namespace memside {
namespace {

constexpr double value_bytes = 2;  // the banks multiply bf16
// Of a row of all 32 channels: 1 MiB, which is also a chunk of DPA.
constexpr double row_bytes =
    double{pim::channel_count} * pim::bank_count * pim::columns_per_row * pim::lanes * value_bytes;

std::uint32_t share(std::int64_t size, std::int64_t parts) {
    return static_cast<std::uint32_t>((size + parts - 1) / parts);
}

double linear_bytes(const PimLinear& linear, const PimModule& module) {
    if (!module.fc_in_banks) return linear.parameters() * value_bytes;
    // Rows are dealt to the banks of all groups of channels; a row of a bank holds 1,024 inputs.
    const std::uint32_t per_group =
        pim::channel_count * pim::bank_count * static_cast<std::uint32_t>(module.channel_groups);
    return double{1} * pim::units(linear.rows, per_group) *
           pim::units(linear.columns, pim::columns_per_row * pim::lanes) * row_bytes *
           module.channel_groups;
}

// Bytes of the digests of one layer of a request: a region of each head.
double layer_digest_bytes(const ModelSpec& model, const PimOptions& options, std::int64_t heads,
                          std::int64_t tokens) {
    const bool reserved = options.access == PimAccess::reserved;
    const std::int64_t held = reserved ? reserved_tokens(model, options, tokens) : tokens;
    const std::int64_t pages = kv::page_count(held, options.pages->format().page_tokens);
    const double bytes =
        double{kv::digest_vectors} * model.head_dim * value_bytes * static_cast<double>(pages);
    const double region = reserved ? bytes : std::ceil(bytes / row_bytes) * row_bytes;
    return static_cast<double>(heads) * region;
}

// Bytes of one layer's KV of a request on a module with `heads` KV heads.
double layer_kv_bytes(const ModelSpec& model, const PimOptions& options, PimLayerKind kind,
                      std::int64_t heads, std::int64_t tokens) {
    if (kind == PimLayerKind::selected) {
        return layer_kv_bytes(model, options, PimLayerKind::whole, heads, tokens) +
               layer_digest_bytes(model, options, heads, tokens);
    }
    const double region = double{1} * model.head_dim * value_bytes;
    const bool slides = kind == PimLayerKind::window;
    if (options.access == PimAccess::reserved) {
        const std::int64_t held =
            slides ? model.sliding_window_tokens : reserved_tokens(model, options, tokens);
        return 2 * static_cast<double>(heads) * region * static_cast<double>(held);
    }
    if (slides) tokens = std::min<std::int64_t>(tokens, model.sliding_window_tokens);
    // Keys and values of a head, or of heads in lockstep, have chunks of their own.
    const bool tcp = options.program.partition == PimPartition::tcp;
    const std::int64_t together =
        tcp ? 1 : std::min<std::int64_t>(heads, std::int64_t{pim::channel_count});
    const double bytes = static_cast<double>(together) * region * static_cast<double>(tokens);
    const double chunks = std::ceil(bytes / row_bytes) * row_bytes;
    return 2 * std::ceil(static_cast<double>(heads) / static_cast<double>(together)) * chunks;
}

// All layers of a stage.
double stage_kv_bytes(const ModelSpec& model, const PimOptions& options, const PimStage& stage,
                      std::int64_t heads, std::int64_t tokens) {
    const auto kinds = stage.kinds(model, options);
    double bytes = 0;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        if (kinds[kind] == 0) continue;
        bytes += kinds[kind] *
                 layer_kv_bytes(model, options, static_cast<PimLayerKind>(kind), heads, tokens);
    }
    return bytes;
}

}  // namespace

PimLayerKind layer_kind(const ModelSpec& model, const PimOptions& options, int layer) {
    if (model.slides(layer)) return PimLayerKind::window;
    const bool selects =
        options.pages != nullptr && kv::selects(model, options.pages->format(), layer);
    return selects ? PimLayerKind::selected : PimLayerKind::whole;
}

std::array<int, pim_layer_kinds> PimStage::kinds(const ModelSpec& model,
                                                 const PimOptions& options) const {
    std::array<int, pim_layer_kinds> counts{};
    for (int layer = first_layer; layer < first_layer + layers; ++layer) {
        ++counts[static_cast<std::size_t>(layer_kind(model, options, layer))];
    }
    return counts;
}

Result<PimPlan> make_pim_plan(const ModelSpec& model, std::int64_t modules, std::int64_t tp,
                              std::int64_t pp) {
    if (tp < 1 || pp < 1 || tp * pp != modules) {
        return bad_input("--tp", fmt::format("tp {} x pp {} is not the {} modules of the system",
                                             tp, pp, modules));
    }
    if (tp > model.kv_heads) {
        return bad_input("--tp", fmt::format("{} modules share a layer, but {} has {} KV heads: a "
                                             "head over several modules is not modelled",
                                             tp, model.name, model.kv_heads));
    }
    if (pp > model.layers) {
        return bad_input(
            "--pp", fmt::format("{} stages for the {} layers of {}", pp, model.layers, model.name));
    }
    PimPlan plan;
    plan.tp = tp;
    plan.pp = pp;
    for (std::int64_t s = 0; s < pp; ++s) {
        // The first stages take what is left over: the last one has the output head.
        const auto layers = static_cast<int>(model.layers / pp + (s < model.layers % pp ? 1 : 0));
        const PimStage* before = plan.stages.empty() ? nullptr : &plan.stages.back();
        const int first = before == nullptr ? 0 : before->first_layer + before->layers;
        plan.stages.push_back({layers, s + 1 == pp, first});
    }
    for (std::int64_t m = 0; m < tp; ++m) {
        plan.kv_heads.push_back(model.kv_heads / tp + (m < model.kv_heads % tp ? 1 : 0));
    }
    const std::int64_t group = model.group_size();
    const auto hidden = static_cast<std::uint32_t>(model.hidden);
    const std::uint32_t out = share(model.hidden, tp);
    plan.linears = {
        {"qkv", static_cast<std::uint32_t>(plan.most_heads() * (group + 2) * model.head_dim),
         hidden},
        {"attention output", out, static_cast<std::uint32_t>(model.heads * model.head_dim)},
        {"gate and up", 2 * share(model.ffn, tp), hidden},
        {"down", out, static_cast<std::uint32_t>(model.ffn)}};
    plan.output_head = {"output head", share(model.vocab, tp), hidden};
    return plan;
}

std::vector<std::pair<std::int64_t, std::int64_t>> pim_pairs(const ModelSpec& model,
                                                             std::int64_t modules) {
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (std::int64_t tp = 1; tp <= modules; ++tp) {
        if (modules % tp == 0 && tp <= model.kv_heads && modules / tp <= model.layers) {
            pairs.emplace_back(tp, modules / tp);
        }
    }
    return pairs;
}

double stage_weight_bytes(const PimPlan& plan, const PimStage& stage, const ModelSpec& model,
                          const PimModule& module) {
    double layer = 0;
    for (const PimLinear& linear : plan.linears) layer += linear_bytes(linear, module);
    // Two norms of a layer.
    layer += 2 * value_bytes * model.hidden;
    double bytes = layer * stage.layers;
    if (stage.last) bytes += linear_bytes(plan.output_head, module) + value_bytes * model.hidden;
    return bytes;
}

std::int64_t reserved_tokens(const ModelSpec& model, const PimOptions& options,
                             std::int64_t tokens) {
    const std::int64_t asked =
        options.reserve_tokens == 0 ? model.window_tokens : options.reserve_tokens;
    return std::max(asked, tokens);
}

PimStageMemory pim_stage_memory(const PimPlan& plan, const PimStage& stage, const ModelSpec& model,
                                const PimMachine& machine, const PimOptions& options) {
    PimStageMemory memory;
    const double weights = stage_weight_bytes(plan, stage, model, machine.module);
    memory.room_bytes =
        static_cast<std::int64_t>(std::max(0.0, machine.module.capacity_bytes - weights));
    const std::int64_t heads = plan.most_heads();
    const bool tcp = options.program.partition == PimPartition::tcp;
    const std::int64_t together =
        options.access == PimAccess::reserved || tcp
            ? 1
            : std::min<std::int64_t>(heads, std::int64_t{pim::channel_count});
    const std::int64_t regions = 2 * stage.layers * ((heads + together - 1) / together);
    memory.token_bytes =
        regions * together * model.head_dim * static_cast<std::int64_t>(value_bytes);
    memory.chunk_bytes = regions * static_cast<std::int64_t>(row_bytes);
    return memory;
}

PimFit pim_fit(const PimPlan& plan, const ModelSpec& model, const PimMachine& machine,
               const PimOptions& options, std::int64_t context_tokens) {
    PimFit fit;
    fit.max_batch = INT64_MAX;
    const std::int64_t tokens = context_tokens + 1;
    for (const PimStage& stage : plan.stages) {
        const double weights = stage_weight_bytes(plan, stage, model, machine.module);
        const double room = std::max(0.0, machine.module.capacity_bytes - weights);
        fit.kv_capacity_bytes += static_cast<double>(plan.tp) * room;
        const double request = stage_kv_bytes(model, options, stage, plan.most_heads(), tokens);
        const auto batch = static_cast<std::int64_t>(std::floor(room / request));
        if (batch < fit.max_batch) {
            fit.max_batch = batch;
            fit.weight_bytes = weights;
            fit.request_bytes = request;
        }
        for (const std::int64_t heads : plan.kv_heads) {
            fit.reserved_request_bytes += stage_kv_bytes(model, options, stage, heads, tokens);
        }
    }
    fit.live_bytes =
        static_cast<double>(kv::dense_request_bytes(model, kv::ValueType::bf16, context_tokens));
    return fit;
}

}  // namespace memside
