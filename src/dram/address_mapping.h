// Where a byte address lies: channel, bank, row and column, by a string such as "RoBaRaCoCh".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dram/spec.h"

namespace memside::dram {

struct Location {
    int channel = 0;
    int bank = 0;  // flat index in the channel
    int row = 0;
    int column = 0;  // burst in the row
};

// The fields from the most to the least significant bit, above the offset in a burst:
//   Ro row, Co column, Ch channel, Bg bank group, Ba bank (with the bank groups below it where the
//   string has no Bg), Pc pseudo-channel, Si stack ID, Ra rank (with any of Pc and Si that the
//   string lacks).
// A field may stand several times: a number gives its bits there, and the first mention without one
// takes the rest. "RoCoBaBgCo2" keeps four neighbouring bursts in one bank. A trailing "^" adds the
// lowest row bits to bank and bank group by exclusive or, which spreads rows of one bank over all
// of them.
class AddressMapping {
  public:
    // `channels` must be a power of two. bad_input at `where` names the field that is missing,
    // unknown or repeated.
    static Result<AddressMapping> parse(std::string_view text, const Spec& spec, int channels,
                                        const std::string& where = "mapping");

    // Addresses wrap at the capacity.
    Location locate(std::uint64_t address) const;
    // The inverse: the address of the first byte of a burst.
    std::uint64_t address(const Location& location) const;

    std::uint64_t capacity_bytes() const {
        return std::uint64_t{1} << (offset_bits_ + total_bits_);
    }
    int channels() const { return 1 << field_bits_[static_cast<std::size_t>(Field::channel)]; }
    // Neighbouring bytes that stay in one channel.
    std::uint64_t interleave_bytes() const;

  private:
    enum class Field { channel, bank, row, column };
    // `count` bits of the address from `shift` up are the bits of `field` from `to` up.
    struct Slice {
        Field field = Field::row;
        int shift = 0;
        int to = 0;
        int count = 0;
    };
    int hash(int row) const;

    std::vector<Slice> slices_;
    int offset_bits_ = 0;
    int total_bits_ = 0;
    int field_bits_[4] = {0, 0, 0, 0};
    int hash_mask_ = 0;
};

}  // namespace memside::dram
