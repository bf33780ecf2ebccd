// The activation unit on data: tables with linear interpolation. What the device's tables hold is
// not published; size, range and the choice of functions are this project's.
//
// A table has 512 FP32 nodes, the 2 KiB of the one DRAM row that AF opens for a function. Node i of
// functions 0 to 6 lies at (i - 256) x step; between nodes the chord, in FP32, the result rounded
// to bf16. Outside of the nodes a function goes on as the straight line (or the constant) that it
// tends to.
//   step 1/32, nodes from -8 to 8 - 1/32: identity, tanh, ReLU, leaky ReLU, GELU
//   step 1/16, nodes from -16 to 16 - 1/16: sigmoid, SiLU
// e^x is 2^n x 2^f, n whole and f in [0, 1): its nodes are 2^(i/512), the node after the last is 2.
//
// The error before the rounding to bf16 (2^-8 relative) is that of the chord, step^2 max|f''| / 8,
// plus what the tail leaves out; activation_error() has it,
// tests/pim/functional_activation_test.cpp measures it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pim/bf16.h"

namespace memside::pim {

// The values of CFR 2.
enum class Activation : std::uint8_t {
    identity,
    sigmoid,
    tanh,
    relu,
    leaky_relu,  // slope 0.01 below zero
    gelu,        // x Phi(x), with the exact distribution function
    silu,        // x sigmoid(x)
    exp,
};
inline constexpr std::size_t activation_count = 8;
inline constexpr float leaky_slope = 0.01F;

std::string_view activation_name(Activation activation);

// Of an accumulator's FP32 value. NaN gives NaN.
Bf16 activate(Activation activation, float x);

// Bounds of |table - f|, before the rounding to bf16 and beside FP32's roundings of the result
// (2^-22 relative): absolute ones, and for exp relative to e^x where that is a normal FP32 number.
double activation_error(Activation activation);

}  // namespace memside::pim
