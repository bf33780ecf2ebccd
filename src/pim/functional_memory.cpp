#include "pim/functional_memory.h"

namespace memside::pim {

std::string Place::name() const {
    switch (space) {
        case Space::bank:
            return fmt::format("channel {} bank {} row {} column {}", channel, bank, row, entry);
        case Space::gbuf:
            return fmt::format("channel {} GBuf entry {}", channel, entry);
        case Space::gpr:
            return fmt::format("GPR {}", entry);
        case Space::accumulator:
            return fmt::format("channel {} bank {} accumulator {}", channel, bank, entry);
        case Space::activation:
            return fmt::format("channel {} activation result {}", channel, entry);
    }
    return "";
}

Memory::Memory() : channels_(channel_count), gprs_(gpr_entries) {}

const Tile* Memory::find(unsigned channel, unsigned bank, std::uint32_t row,
                         unsigned column) const {
    const Bank& rows = channels_[channel].banks[bank];
    if (rows.empty() || !rows[row]) return nullptr;
    return &(*rows[row])[column];
}

Tile& Memory::bank(unsigned channel, unsigned bank, std::uint32_t row, unsigned column) {
    Bank& rows = channels_[channel].banks[bank];
    if (rows.empty()) rows.resize(rows_per_bank);
    if (!rows[row]) rows[row] = std::make_unique<Row>();
    return (*rows[row])[column];
}

}  // namespace memside::pim
