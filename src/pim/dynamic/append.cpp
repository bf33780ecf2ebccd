#include "pim/dynamic/append.h"

#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

std::uint32_t bit_of(unsigned channel) {
    return 1U << (channel_count - 1 - channel);
}

Instruction bank_access(Opcode opcode, const Place& place, std::uint32_t mask, std::uint32_t gpr) {
    return canonical({.opcode = opcode,
                      .bank = static_cast<std::uint8_t>(place.bank),
                      .column = static_cast<std::uint16_t>(place.entry),
                      .mask = mask,
                      .row = place.row,
                      .gpr = gpr});
}

Result<bool> expand_key(const HubCall& call, const KvLayout& layout, const RowLookup& rows,
                        Sink& sink) {
    const HubInstruction& hub = call.hub;
    Place place = layout.key_place(call.request_tokens - 1, 0);
    const auto row = rows(place.row);
    if (!row) return false;
    place.row = *row;
    for (unsigned head = 0; head < hub.heads; ++head) {
        const std::uint32_t mask = bit_of(layout.key_place(call.request_tokens - 1, head).channel);
        for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
            Place column = place;
            column.entry += tile;
            MEMSIDE_CHECK(sink.instruction(bank_access(Opcode::wr_sbk, column, mask,
                                                       hub.gpr + head * hub.query_stride + tile)));
        }
    }
    return true;
}

// Where each dimension's tile lies in head 0's channels, with physical rows; empty: a row is
// missing.
std::vector<Place> value_places(const HubCall& call, const KvLayout& layout,
                                const RowLookup& rows) {
    std::vector<Place> places;
    for (std::uint32_t d = 0; d < layout.head_dim; ++d) {
        Place place = layout.value_place(call.request_tokens - 1, 0, d);
        const auto row = rows(place.row);
        if (!row) return {};
        place.row = *row;
        places.push_back(place);
    }
    return places;
}

Result<bool> expand_value(const HubCall& call, const KvLayout& layout, const RowLookup& rows,
                          Sink& sink) {
    const HubInstruction& hub = call.hub;
    const std::vector<Place> places = value_places(call, layout, rows);
    if (places.empty()) return false;
    // Heads are `ways` channels apart and use the same rows, banks and columns.
    const auto head_bit = [&](const Place& place, unsigned head) {
        return bit_of(place.channel + head * hub.ways);
    };
    for (std::uint32_t d = 0; d < hub.head_dim; ++d) {
        std::uint32_t mask = 0;
        for (unsigned head = 0; head < hub.heads; ++head) mask |= head_bit(places[d], head);
        MEMSIDE_CHECK(sink.instruction(
            bank_access(Opcode::rd_sbk, places[d], mask, hub.gpr2 + d * hub.heads)));
    }
    for (unsigned head = 0; head < hub.heads; ++head) {
        HubCall merge = call;
        merge.hub = {};
        merge.hub.op = HubOp::merge;
        merge.hub.gpr = hub.gpr + head * hub.query_stride;
        merge.hub.gpr2 = hub.gpr2 + head;
        merge.hub.values = hub.head_dim;
        merge.hub.tile_stride = hub.heads;
        merge.hub.choice = static_cast<std::uint32_t>((call.request_tokens - 1) % lanes);
        MEMSIDE_CHECK(sink.hub(merge));
    }
    for (std::uint32_t d = 0; d < hub.head_dim; ++d) {
        for (unsigned head = 0; head < hub.heads; ++head) {
            MEMSIDE_CHECK(
                sink.instruction(bank_access(Opcode::wr_sbk, places[d], head_bit(places[d], head),
                                             hub.gpr2 + d * hub.heads + head)));
        }
    }
    return true;
}

}  // namespace

KvLayout layout_of(const HubInstruction& append, unsigned channels) {
    return {.kind = append.op == HubOp::append_key ? KvKind::key : KvKind::value,
            .head_dim = append.head_dim,
            .channels = channels,
            .ways = append.ways,
            .heads = append.heads};
}

Result<bool> expand_append(const HubCall& call, unsigned channels, const RowLookup& rows,
                           Sink& sink) {
    const KvLayout layout = layout_of(call.hub, channels);
    return layout.kind == KvKind::key ? expand_key(call, layout, rows, sink)
                                      : expand_value(call, layout, rows, sink);
}

}  // namespace memside::pim
