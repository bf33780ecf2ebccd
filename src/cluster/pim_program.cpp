#include "cluster/pim_program.h"

#include <set>

#include "base/file.h"
#include "base/text.h"
#include "pim/dynamic/dynamic_binary.h"

namespace memside {
namespace {

constexpr std::size_t max_program_bytes = std::size_t{64} << 20;

// What the hub instructions of a program say about the attention.
struct AttentionHeads {
    std::uint32_t appended_keys = 0;    // KV heads whose new token is written
    std::uint32_t appended_values = 0;  // likewise
    std::uint32_t queries = 0;          // that are finished
    std::set<std::uint32_t> head_dims;
    std::set<std::uint32_t> windows;
};

bool computes_more(const pim::ExecutionEntry& entry, const pim::DynamicProgram& program) {
    if (entry.op_type == pim::OpType::attention || entry.op_type == pim::OpType::append) {
        return false;
    }
    // The tile of zeros.
    for (std::uint32_t i = 0; i < entry.item_count; ++i) {
        const pim::DynamicItem& item = program.items[entry.first_item + i];
        if (item.kind != pim::DynamicItem::Kind::hub || item.hub.op != pim::HubOp::fill)
            return true;
    }
    return false;
}

void add(const pim::HubInstruction& hub, AttentionHeads& heads) {
    using enum pim::HubOp;
    switch (hub.op) {
        case append_key:
            heads.appended_keys += hub.heads;
            break;
        case append_value:
            heads.appended_values += hub.heads;
            break;
        case softmax_block:
            heads.windows.insert(hub.window);
            return;
        case softmax_finish:
            heads.queries += hub.queries;
            break;
        default:
            return;
    }
    heads.head_dims.insert(hub.head_dim);
}

AttentionHeads heads_of(const pim::DynamicProgram& program) {
    AttentionHeads heads;
    for (const pim::ExecutionEntry& entry : program.entries) {
        for (std::uint32_t i = 0; i < entry.item_count; ++i) {
            const pim::DynamicItem& item = program.items[entry.first_item + i];
            if (item.kind == pim::DynamicItem::Kind::hub) add(item.hub, heads);
        }
    }
    return heads;
}

}  // namespace

Result<pim::DynamicProgram> read_attention_program(const std::string& file) {
    MEMSIDE_TRY(const std::string bytes, read_file(file, max_program_bytes));
    MEMSIDE_TRY(pim::DynamicProgram program, pim::parse_dynamic_binary(bytes, file));
    if (program.channels != pim::channel_count) {
        return bad_input(file, fmt::format("is for {} channels; a group of a module has {}",
                                           program.channels, pim::channel_count));
    }
    for (const pim::Region& region : program.regions) {
        if (region.per_request) continue;
        return bad_input(file,
                         fmt::format("{} has rows of its own; a program of attention for any "
                                     "context is 'memside compile --kernel attention --emit bin'",
                                     in_quotes(region.name)));
    }
    for (const pim::ExecutionEntry& entry : program.entries) {
        if (!computes_more(entry, program)) continue;
        return bad_input(
            file, fmt::format("entry {} is of {}; attention alone is taken", in_quotes(entry.name),
                              pim::op_type_names[static_cast<std::size_t>(entry.op_type)]));
    }
    return program;
}

Status fit_attention_program(const pim::DynamicProgram& program, const std::string& file,
                             const ModelSpec& model, const PimPlan& plan,
                             const PimProgramOptions& options) {
    const AttentionHeads heads = heads_of(program);
    const auto group = static_cast<std::uint32_t>(model.group_size());
    for (const std::int64_t kv_heads : plan.kv_heads) {
        if (heads.appended_keys != kv_heads || heads.appended_values != kv_heads ||
            heads.queries != kv_heads * group) {
            return bad_input(
                file, fmt::format("appends {} keys and {} values and attends with {} queries; a "
                                  "module of {} under tp {} has {} KV heads and {} query heads",
                                  heads.appended_keys, heads.appended_values, heads.queries,
                                  model.name, plan.tp, kv_heads, kv_heads * group));
        }
    }
    if (heads.head_dims != std::set{static_cast<std::uint32_t>(model.head_dim)}) {
        return bad_input(file,
                         fmt::format("has heads of {}; those of {} have {}",
                                     fmt::join(heads.head_dims, ", "), model.name, model.head_dim));
    }
    if (heads.windows != std::set{0U}) {
        return bad_input(file, fmt::format("has a window of {} tokens; layers of {} see all",
                                           *heads.windows.rbegin(), model.name));
    }
    const bool tcp = options.partition == PimPartition::tcp;
    for (const pim::ExecutionEntry& entry : program.entries) {
        if (entry.op_type != pim::OpType::attention) continue;
        if ((entry.partitioning == pim::Partitioning::token) == tcp) continue;
        return bad_input(
            file, fmt::format("splits {} over channels; allowed under --partition {}: "
                              "a program of --partition {}",
                              tcp ? "heads" : "tokens", tcp ? "tcp" : "hfp", tcp ? "tcp" : "hfp"));
    }
    return {};
}

}  // namespace memside
