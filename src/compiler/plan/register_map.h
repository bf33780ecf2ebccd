// Who has which general-purpose registers: a list of free ranges, the lowest that fits is taken.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/result.h"
#include "pim/instruction.h"

namespace memside::compiler {

struct RegisterRange {
    std::uint32_t first = 0;
    std::uint32_t tiles = 0;

    friend bool operator==(const RegisterRange&, const RegisterRange&) = default;
};

class RegisterMap {
  public:
    explicit RegisterMap(std::uint32_t tiles = pim::gpr_entries) { free_.emplace(0, tiles); }

    // bad_input when no free range is large enough: `what` is in the message.
    Result<RegisterRange> take(std::uint32_t tiles, std::string_view what);
    // Of one that was taken.
    void give(const RegisterRange& range);
    // The largest free range, without taking it; the lowest of equals.
    RegisterRange largest() const;

  private:
    std::map<std::uint32_t, std::uint32_t> free_;  // first tile to number, no two adjacent
};

}  // namespace memside::compiler
