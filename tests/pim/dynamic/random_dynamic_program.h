// Random dynamic programs that are valid, for properties of forms and expansion.
#pragma once

#include <cstdint>
#include <random>

#include "pim/dynamic/dynamic_program.h"

namespace memside::pim {

class RandomDynamicPrograms {
  public:
    static constexpr std::uint64_t max_tokens = 200;

    explicit RandomDynamicPrograms(std::uint64_t seed) : random_(seed) {}

    // A few regions, and entries of up to `longest` items each.
    DynamicProgram next(std::size_t longest);

    std::uint32_t below(std::uint32_t count) {
        return static_cast<std::uint32_t>(random_() % count);
    }

  private:
    void items(DynamicProgram& program, std::size_t longest);
    DynamicItem instruction(const DynamicProgram& program);
    DynamicItem hub(const DynamicProgram& program);
    void modify(DynamicItem& item);

    std::mt19937_64 random_;
    std::uint32_t depth_ = 0;
};

}  // namespace memside::pim
