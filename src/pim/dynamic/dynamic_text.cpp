#include "pim/dynamic/dynamic_text.h"

#include <fmt/format.h>

#include <iterator>

#include "pim/program_builder.h"
#include "pim/text_writer.h"

namespace memside::pim {
namespace {

using Kind = DynamicItem::Kind;

template <typename... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out), text, std::forward<Arguments>(arguments)...);
}

void append(std::string& out, const Region& region, std::size_t index) {
    append(out, "region {} \"{}\"", index, region.name);
    if (!region.per_request) {
        append(out, " rows={}..{}", region.first_row, region.first_row + region.rows - 1);
    } else if (region.rows == 0) {
        append(out, " of the request, as many rows as it needs");
    } else {
        append(out, " of the request, up to {} rows", region.rows);
    }
    if (region.span_tokens != 0) {
        append(out, ", {} for {} tokens", region.span_rows, region.span_tokens);
    }
    out += '\n';
}

void append(std::string& out, const ExecutionEntry& entry, std::size_t index) {
    append(out, "entry {} \"{}\" op={} partitioning={} communication={} module={} mask={:#x}",
           index, entry.name, op_type_names[static_cast<std::size_t>(entry.op_type)],
           partitioning_names[static_cast<std::size_t>(entry.partitioning)],
           communication_names[static_cast<std::size_t>(entry.communication)], entry.module,
           entry.channel_mask);
    if (entry.tiles != 0) {
        append(out, " gpr={}+{} to={} parts={}", entry.gpr, entry.tiles, entry.gpr_out,
               entry.parts);
    }
    if (entry.item_count == 0) {
        append(out, " no items\n");
        return;
    }
    append(out, " items={}..{} regions from {}\n", entry.first_item,
           entry.first_item + entry.item_count - 1, entry.region_base);
}

void append(std::string& out, const DynamicItem& item) {
    switch (item.kind) {
        case Kind::loop_fixed:
            append(out, "LOOP {}", item.amount);
            break;
        case Kind::loop_tokens:
            append(out, "DYN_LOOP span={}", item.amount);
            break;
        case Kind::loop_end:
            append(out, "END");
            break;
        case Kind::hub:
            out += to_text(item.hub);
            break;
        case Kind::instruction:
            out += to_text(item.instruction);
            if (item.opsize_span != 0) append(out, " opsize=tokens/{}", item.opsize_span);
            if (item.virtual_row) append(out, " row@region {}", item.region);
            break;
    }
    const bool hub = item.kind == Kind::hub;
    for (const Modification& m : item.modifications) {
        std::string_view name = stride_name(m.operand);
        if (hub && m.operand == Stride::Operand::out) name = "gpr_out";
        if (hub && m.operand == Stride::Operand::row) name = "gpr2";
        append(out, " {}+={}", name, m.step);
        if (m.depth != 1) append(out, "@{}", m.depth);
    }
    out += '\n';
}

}  // namespace

std::string to_text(const HubInstruction& hub) {
    std::string out = fmt::format("HUB {}", info(hub.op).name);
    const std::uint32_t has = info(hub.op).fields;
    for (std::size_t i = 0; i < hub_field_count; ++i) {
        if ((has >> i & 1U) == 0) continue;
        const HubField& field = hub_fields()[i];
        if (field.number != nullptr) append(out, " {}={}", field.name, hub.*field.number);
        if (field.real != nullptr) append(out, " {}={}", field.name, hub.*field.real);
    }
    return out;
}

std::string to_text(const DynamicProgram& program) {
    const DynamicProgram whole = canonical(program);
    std::string out;
    append(out, "# {}\n# for {}: {} channels, chunks of {} rows", whole.model, whole.target,
           whole.channels, whole.chunk_rows);
    if (whole.max_tokens == 0) {
        append(out, ", any number of tokens\n");
    } else {
        append(out, ", up to {} tokens\n", whole.max_tokens);
    }
    if (whole.stage.layers != 0) {
        append(out, "# stage {} of {}: layers {} to {}\n", whole.stage.stage, whole.stage.stages,
               whole.stage.first_layer, whole.stage.first_layer + whole.stage.layers - 1);
    }
    if (whole.share.modules > 1) {
        append(out, "# one of {} modules that share the tokens, in blocks of {}\n",
               whole.share.modules, whole.share.block);
    }
    for (std::size_t i = 0; i < whole.tables.size(); ++i) {
        append(out, "table {} of {} values\n", i + 1, whole.tables[i].size());
    }
    for (std::size_t i = 0; i < whole.regions.size(); ++i) append(out, whole.regions[i], i);
    for (std::size_t i = 0; i < whole.entries.size(); ++i) append(out, whole.entries[i], i);
    std::size_t depth = 0;
    for (std::size_t i = 0; i < whole.items.size(); ++i) {
        const DynamicItem& item = whole.items[i];
        if (item.kind == Kind::loop_end && depth > 0) --depth;
        append(out, "{:>6}  {:{}}", i, "", 2 * depth);
        append(out, item);
        if (item.kind == Kind::loop_fixed || item.kind == Kind::loop_tokens) ++depth;
    }
    return out;
}

}  // namespace memside::pim
