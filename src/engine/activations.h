// Activations of a block of tokens, as f32 and as the integers that quantised weights are
// multiplied with: n of 8 or of 16 bits, 32 values sharing a scale. That is finer than a scale per
// 256 values, which other engines use for the K types. Sixteen bits are two bytes of one sign each,
// for kernels that multiply bytes: n = 256 high + low.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace memside::engine {

// Values that one step of the integer kernels covers; rows are padded with zeros to a multiple.
inline constexpr std::int64_t chunk_values = 256;
// Values that one weight scale covers at least. Scales and sums are held per sub-block of this
// size.
inline constexpr std::int64_t sub_block = 16;

inline std::int64_t chunk_count(std::int64_t values) {
    return (values + chunk_values - 1) / chunk_values;
}

// The integers of a block of tokens: x = scale x n. Where a value is not finite, the scale of its
// 32 is NaN.
struct QuantizedRows {
    // [rows][terms][chunks x 256]: n with one term; high, then low with two.
    const std::int8_t* values = nullptr;
    const float* scales = nullptr;  // [rows][chunks x 16], two alike per 32 values
    const float* sums = nullptr;    // [rows][chunks x 16], scale x sum of n
    std::int64_t chunks = 0;
    int terms = 1;

    // Where a chunk's integers of one token begin. Its low bytes are low_offset() behind the high.
    const std::int8_t* chunk(std::int64_t row, std::int64_t c) const {
        return values + (row * terms * chunks + c) * chunk_values;
    }
    std::int64_t low_offset() const { return chunks * chunk_values; }
};

// Holds the two forms of a block of rows. Reused from one matrix to the next without allocating.
class Activations {
  public:
    // `terms`: bytes of an integer, 1 or 2.
    explicit Activations(std::int64_t terms = 1) : terms_(static_cast<int>(terms)) {}

    // `rows` x `columns` f32, row-major, kept by the caller for as long as it is multiplied.
    void set(const float* values, std::int64_t rows, std::int64_t columns);

    // Makes the integers of row `row`; each row once, from any thread. set() and reserve_integers()
    // come first.
    void reserve_integers();
    void quantize_row(std::int64_t row);

    const float* row(std::int64_t index) const { return values_ + index * columns_; }
    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    QuantizedRows integers() const;

  private:
    int terms_;
    const float* values_ = nullptr;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    std::vector<std::int8_t> integers_;
    std::vector<float> scales_;
    std::vector<float> sums_;
};

}  // namespace memside::engine
