#include "pim/attention_programs.h"

#include <algorithm>

namespace memside::pim {
namespace {

std::uint32_t mask_of(unsigned channels) {
    return 0xffffffffu << (channel_count - channels);
}

unsigned pieces(unsigned whole, unsigned part) {
    return (whole + part - 1) / part;
}

class Builder {
  public:
    explicit Builder(const AttentionShape& shape) : mask_(mask_of(shape.channels)) {}

    void buffer(std::uint32_t entries) {
        list.push_back({.opcode = Opcode::wr_gb, .opsize = entries, .mask = mask_});
    }
    void dot(std::uint32_t columns, std::uint32_t row) {
        list.push_back({.opcode = Opcode::wr_bias, .mask = mask_});
        list.push_back({.opcode = Opcode::mac_abk, .opsize = columns, .mask = mask_, .row = row});
        list.push_back({.opcode = Opcode::rd_mac, .mask = mask_});
    }

    std::vector<Instruction> list;

  private:
    std::uint32_t mask_;
};

}  // namespace

std::vector<Instruction> score_program(const AttentionShape& shape) {
    const std::uint32_t columns = shape.head_dim / lanes;
    const unsigned keys_a_row = columns_per_row / columns;
    const unsigned groups = pieces(shape.tokens, bank_count * shape.channels);
    Builder builder(shape);
    const auto pass = [&](unsigned first, unsigned last) {
        builder.buffer(columns);
        for (unsigned group = first; group < last; ++group) {
            builder.dot(columns, group / keys_a_row);
        }
    };
    if (!shape.row_reuse) {
        for (unsigned q = 0; q < shape.queries; ++q) pass(0, groups);
        return builder.list;
    }
    for (unsigned first = 0; first < groups; first += keys_a_row) {
        for (unsigned q = 0; q < shape.queries; ++q) {
            pass(first, std::min(first + keys_a_row, groups));
        }
    }
    return builder.list;
}

std::vector<Instruction> value_program(const AttentionShape& shape) {
    constexpr unsigned tokens_a_row = columns_per_row * lanes;
    const unsigned tokens = pieces(shape.tokens, shape.channels);  // of a channel
    const unsigned dimension_groups = pieces(shape.head_dim, bank_count);
    Builder builder(shape);
    const auto rows = pieces(tokens, tokens_a_row);
    const auto columns_of = [&](unsigned row) {
        return std::min(columns_per_row, pieces(tokens - row * tokens_a_row, lanes));
    };
    const auto pass = [&](unsigned row) {
        builder.buffer(columns_of(row));
        for (unsigned d = 0; d < dimension_groups; ++d) {
            builder.dot(columns_of(row), row * dimension_groups + d);
        }
    };
    for (unsigned row = 0; row < rows; ++row) {
        if (!shape.row_reuse) {
            for (unsigned q = 0; q < shape.queries; ++q) pass(row);
            continue;
        }
        for (unsigned d = 0; d < dimension_groups; ++d) {
            for (unsigned q = 0; q < shape.queries; ++q) {
                builder.buffer(columns_of(row));
                builder.dot(columns_of(row), row * dimension_groups + d);
            }
        }
    }
    return builder.list;
}

}  // namespace memside::pim
