// The arithmetic of a bank's processing unit. docs/pim-function.md states why it is so.
#pragma once

#include "pim/functional_memory.h"

namespace memside::pim {

// 16 products, each rounded to FP32 (exact unless it leaves FP32's range), and the root of a tree
// that adds neighbours in FP32: (0 + 1) + (2 + 3), ... The accumulator adds that root to its FP32
// sum, one column after the other.
float tree_dot(const Tile& a, const Tile& b);

// Lane by lane in FP32, rounded to bf16.
Tile multiply(const Tile& a, const Tile& b);
Tile add(const Tile& a, const Tile& b);

}  // namespace memside::pim
