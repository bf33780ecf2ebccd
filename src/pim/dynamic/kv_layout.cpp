#include "pim/dynamic/kv_layout.h"

#include <cassert>

#include "base/text.h"

namespace memside::pim {
namespace {

constexpr std::uint32_t max_value_dim = 1U << 16;

std::uint32_t channel_bit(unsigned channel) {
    return 1U << (channel_count - 1 - channel);
}

}  // namespace

RowTable RowTable::identity(std::uint32_t first_row, std::uint32_t rows, std::uint32_t chunk_rows) {
    RowTable table{.chunk_rows = chunk_rows, .first_rows = {}};
    for (std::uint32_t row = 0; row < rows; row += chunk_rows) {
        table.first_rows.push_back(first_row + row);
    }
    return table;
}

Status KvLayout::check() const {
    const std::uint32_t most = kind == KvKind::key ? columns_per_row * lanes : max_value_dim;
    MEMSIDE_CHECK(check_size("the head dimension", head_dim, most));
    MEMSIDE_CHECK(check_size("the number of channels", channels, channel_count));
    MEMSIDE_CHECK(check_size("the number of channels of a head", ways, channels));
    MEMSIDE_CHECK(check_size("the number of heads at once", heads, channels));
    if (heads * ways > channels) {
        return bad_input(
            "", fmt::format("{} heads of {} channels each; allowed: {} channels together", heads,
                            ways, channels));
    }
    return {};
}

unsigned KvLayout::used_ways() const {
    if (kind == KvKind::key || ways < tiles()) return ways;
    return classes() * tiles();
}

std::uint32_t KvLayout::mask() const {
    std::uint32_t mask = 0;
    for (unsigned head = 0; head < heads; ++head) mask |= head_mask(head);
    return mask;
}

std::uint32_t KvLayout::head_mask(unsigned head) const {
    std::uint32_t mask = 0;
    for (unsigned way = 0; way < used_ways(); ++way) mask |= channel_bit(channel(head, way));
    return mask;
}

std::uint32_t KvLayout::class_mask(unsigned head, unsigned value_class) const {
    assert(kind == KvKind::value && value_class < classes());
    const unsigned wide = used_ways() / classes();
    std::uint32_t mask = 0;
    for (unsigned i = 0; i < wide; ++i) {
        mask |= channel_bit(channel(head, value_class * wide + i));
    }
    return mask;
}

Place KvLayout::key_place(std::uint64_t token, unsigned head) const {
    assert(kind == KvKind::key);
    const auto group = static_cast<std::uint32_t>(token / granule());
    const auto way = static_cast<unsigned>(token / bank_count % ways);
    return {.space = Space::bank,
            .channel = channel(head, way),
            .bank = static_cast<unsigned>(token % bank_count),
            .row = group / slots(),
            .entry = group % slots() * tiles()};
}

Place KvLayout::value_place(std::uint64_t token, unsigned head, std::uint32_t dimension) const {
    assert(kind == KvKind::value);
    const auto token_tile = static_cast<std::uint32_t>(token / lanes);
    const std::uint32_t position = token_tile / classes();
    const std::uint32_t group = dimension / bank_count;
    const std::uint32_t way = token_tile % classes() * tiles() + group % ways;
    return {.space = Space::bank,
            .channel = channel(head, ways < tiles() ? group % ways : way),
            .bank = dimension % bank_count,
            .row = position / columns_per_row * passes() + group / ways,
            .entry = position % columns_per_row};
}

Status place_token(const KvLayout& layout, const RowTable& table, std::uint64_t token,
                   unsigned head, std::span<const Bf16> values, Memory& memory) {
    assert(values.size() == layout.head_dim);
    const auto missing = [&](std::uint32_t row) {
        return bad_input("", fmt::format("token {}: virtual row {} has no chunk; the table has {}",
                                         token, row, table.first_rows.size()));
    };
    if (layout.kind == KvKind::key) {
        Place place = layout.key_place(token, head);
        const auto row = table.physical(place.row);
        if (!row) return missing(place.row);
        place.row = *row;
        place_in_row(values, layout.tiles(), place, memory);
        return {};
    }
    for (std::uint32_t d = 0; d < layout.head_dim; ++d) {
        const Place place = layout.value_place(token, head, d);
        const auto row = table.physical(place.row);
        if (!row) return missing(place.row);
        memory.bank(place.channel, place.bank, *row, place.entry)
            .set(static_cast<unsigned>(token % lanes), values[d]);
    }
    return {};
}

void zero_rows(unsigned channels, std::uint32_t first_row, std::uint32_t rows, Memory& memory) {
    constexpr Tile zeros{.values = {}, .written = 0xFFFF};
    for (unsigned i = 0; i < channels; ++i) {
        for (unsigned bank = 0; bank < bank_count; ++bank) {
            for (std::uint32_t row = first_row; row < first_row + rows; ++row) {
                for (unsigned column = 0; column < columns_per_row; ++column) {
                    memory.bank(channel_at(channels, i), bank, row, column) = zeros;
                }
            }
        }
    }
}

}  // namespace memside::pim
