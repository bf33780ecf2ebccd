// Random numbers as a pure function of a counter: the number for (seed, request, layer, step, page)
// is the same whoever asks for it, in whatever order and on whatever thread.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace memside::kv {

// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every input bit flips every
// output bit with probability near a half.
constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

// SplitMix64's increment: successive counters times this, mixed, are its stream.
inline constexpr std::uint64_t golden_increment = 0x9E3779B97F4A7C15ULL;

// One key out of several counters. Their order matters.
constexpr std::uint64_t key_of(std::initializer_list<std::uint64_t> counters) {
    std::uint64_t key = 0;
    for (const std::uint64_t counter : counters) key = mix((key ^ counter) + golden_increment);
    return key;
}

// The random bits of one counter under a key.
constexpr std::uint64_t random_bits(std::uint64_t key, std::uint64_t counter) {
    return mix(key + (counter + 1) * golden_increment);
}

// Uniform in [0, 1) with 53 bits.
constexpr double uniform(std::uint64_t bits) {
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Uniform in [0, count) for count < 2^32, without the bias of a remainder to speak of.
constexpr std::uint64_t uniform_below(std::uint64_t bits, std::uint64_t count) {
    return ((bits >> 32) * count) >> 32;
}

// Two nearly normal numbers (mean 0, variance 1) out of one draw, by adding and by subtracting its
// four 16-bit lanes: uncorrelated, without a logarithm, and so the same bits with every C library.
// The sum of four uniforms has no tail beyond 3.46; what is added up from it over steps has.
struct NormalPair {
    float sum;
    float difference;
};
constexpr NormalPair normal_pair(std::uint64_t bits) {
    constexpr std::uint64_t lanes = 0x0000FFFF0000FFFFULL;
    const std::uint64_t halves = (bits & lanes) + ((bits >> 16) & lanes);
    const auto low = static_cast<std::int32_t>(halves & 0xFFFFFFFFU);
    const auto high = static_cast<std::int32_t>(halves >> 32);
    // A lane has mean 65535/2 and variance (2^32 - 1)/12; four have deviation 37837.23.
    constexpr float scale = 1.0F / 37837.23F;
    return {static_cast<float>(low + high - 131070) * scale,
            static_cast<float>(low - high) * scale};
}

}  // namespace memside::kv
