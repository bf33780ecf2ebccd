#include "dram/traffic.h"

namespace memside::dram {

std::uint64_t SplitMix::next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

InterleavedSweep::InterleavedSweep(const Spec& spec, std::int64_t requests, bool staggered)
    : rows_(spec.rows), columns_(spec.bursts_per_row), left_(requests) {
    // The fastest level first.
    std::vector<Level> order;
    for (const char* fast : {"pseudo_channel", "bank_group", "bank", "stack_id", "rank"}) {
        const int level = spec.find_level(fast);
        if (level <= spec.bank_level())
            order.push_back(spec.levels[static_cast<std::size_t>(level)]);
    }
    const int banks = spec.banks();
    for (int position = 0; position < banks; ++position) {
        int rest = position;
        int bank = 0;
        for (const Level& level : order) {
            bank |= (rest % level.count) << level.shift;
            rest /= level.count;
        }
        bank_order_.push_back(bank);
        // Where there are more banks than columns, neighbours in the order share one.
        const int per_column = (banks + columns_ - 1) / columns_;
        const int first = banks <= columns_ ? position * columns_ / banks : position / per_column;
        first_column_.push_back(staggered ? first % columns_ : 0);
    }
}

bool InterleavedSweep::next(Request& request) {
    if (left_ == 0) return false;
    --left_;
    const std::int64_t burst = round_ + first_column_[position_];
    request = {bank_order_[position_], static_cast<int>(burst / columns_ % rows_),
               static_cast<int>(burst % columns_), false, 0};
    if (++position_ == bank_order_.size()) {
        position_ = 0;
        ++round_;
    }
    return true;
}

RandomBursts::RandomBursts(const Spec& spec, std::int64_t requests, std::uint64_t seed)
    : banks_(spec.banks()),
      rows_(spec.rows),
      columns_(spec.bursts_per_row),
      left_(requests),
      random_(seed) {}

bool RandomBursts::next(Request& request) {
    if (left_ == 0) return false;
    --left_;
    const auto draw = [&](int bound) {
        return static_cast<int>(random_.below(static_cast<std::uint64_t>(bound)));
    };
    request.bank = draw(banks_);
    request.row = draw(rows_);
    request.column = draw(columns_);
    request.write = false;
    request.arrival = 0;
    return true;
}

AddressPieces::AddressPieces(const AddressMapping& mapping, const Shape& shape, int burst_bytes,
                             int channel)
    : mapping_(mapping),
      shape_(shape),
      burst_bytes_(static_cast<std::uint64_t>(burst_bytes)),
      interleave_bytes_(mapping.interleave_bytes()),
      channel_(channel),
      random_(shape.seed) {}

bool AddressPieces::next_piece() {
    if (piece_ == shape_.pieces) return false;
    std::uint64_t place = static_cast<std::uint64_t>(piece_);
    if (shape_.random) place = random_.below(mapping_.capacity_bytes() / shape_.piece_bytes);
    ++piece_;
    address_ = place * shape_.piece_bytes % mapping_.capacity_bytes();
    end_ = address_ + shape_.piece_bytes;
    return true;
}

void AddressPieces::skip_foreign() {
    if (mapping_.channels() == 1) return;
    while (address_ < end_ && mapping_.locate(address_).channel != channel_) {
        address_ = (address_ / interleave_bytes_ + 1) * interleave_bytes_;
    }
}

bool AddressPieces::next(Request& request) {
    skip_foreign();
    while (address_ >= end_) {
        if (!next_piece()) return false;
        skip_foreign();
    }
    const Location location = mapping_.locate(address_);
    request = {location.bank, location.row, location.column, shape_.write, 0};
    address_ += burst_bytes_;
    return true;
}

}  // namespace memside::dram
