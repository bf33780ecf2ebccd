#include "pim/score_programs.h"

#include <vector>

namespace memside::pim {
namespace {

constexpr std::uint32_t heads = 8;
constexpr std::uint32_t tiles = 8;  // of a query of 128 values
constexpr std::uint32_t all = 0xffffffff;
constexpr std::uint32_t bias_gpr = 4096;
constexpr std::uint32_t scores_gpr = 8192;

// A row with the queries that it meets.
struct Pass {
    std::uint32_t row = 0;
    std::uint32_t query = 0;
};

std::vector<Pass> passes_of(const ScoreShape& shape) {
    const std::uint32_t rows = shape.tokens / (bank_count * channel_count);
    std::vector<Pass> passes;
    if (shape.row_reuse) {
        for (std::uint32_t row = 0; row < rows; ++row)
            for (std::uint32_t q = 0; q < shape.queries; ++q) passes.push_back({row, q});
    } else {
        for (std::uint32_t q = 0; q < shape.queries; ++q)
            for (std::uint32_t row = 0; row < rows; ++row) passes.push_back({row, q});
    }
    return passes;
}

class Writer {
  public:
    explicit Writer(const ScoreShape& shape) : order_(shape.order), passes_(passes_of(shape)) {}

    Program write() {
        if (order_ == ScoreOrder::artifact || order_ == ScoreOrder::accumulators) {
            for (std::size_t p = 0; p < passes_.size(); ++p) one_after_the_other(p);
        } else {
            const std::uint32_t step = order_ == ScoreOrder::halves ? 4 : 1;
            for (std::uint32_t h = 0; h < heads; h += step) transfer_in(0, h, step);
            for (std::size_t p = 0; p < passes_.size(); ++p) overlapping(p, step);
        }
        program_.instructions.push_back({.opcode = Opcode::eoc});
        return program_;
    }

  private:
    std::uint32_t out(std::size_t pass, std::uint32_t head) const {
        if (order_ == ScoreOrder::artifact) return 0;
        if (order_ == ScoreOrder::accumulators) return head;
        // Two sets of eight; a group of four heads has entries of one parity.
        return static_cast<std::uint32_t>(pass % 2) * heads + 2 * (head % 4) + head / 4;
    }

    void transfer_in(std::size_t pass, std::uint32_t head, std::uint32_t count) {
        if (pass >= passes_.size()) return;
        write_gbuf(pass, head, count);
        for (std::uint32_t h = head; h < head + count; ++h) bias(pass, h);
    }
    void write_gbuf(std::size_t pass, std::uint32_t head, std::uint32_t count) {
        program_.instructions.push_back({.opcode = Opcode::wr_gb,
                                         .gbuf = static_cast<std::uint16_t>(head * tiles),
                                         .opsize = count * tiles,
                                         .mask = all,
                                         .gpr = (passes_[pass].query * heads + head) * tiles});
    }
    void bias(std::size_t pass, std::uint32_t head) {
        program_.instructions.push_back(
            {.opcode = Opcode::wr_bias, .out = out(pass, head), .mask = all, .gpr = bias_gpr});
    }
    void compute(std::size_t pass, std::uint32_t head) {
        program_.instructions.push_back({.opcode = Opcode::mac_abk,
                                         .column = static_cast<std::uint16_t>(head * tiles),
                                         .gbuf = static_cast<std::uint16_t>(head * tiles),
                                         .out = out(pass, head),
                                         .opsize = tiles,
                                         .mask = all,
                                         .row = passes_[pass].row});
    }
    void read(std::size_t pass, std::uint32_t head) {
        program_.instructions.push_back({.opcode = Opcode::rd_mac,
                                         .out = out(pass, head),
                                         .mask = all,
                                         .gpr = scores_gpr + head * channel_count});
    }

    void one_after_the_other(std::size_t pass) {
        write_gbuf(pass, 0, heads);
        for (std::uint32_t h = 0; h < heads; ++h) {
            bias(pass, h);
            compute(pass, h);
            read(pass, h);
        }
    }

    void overlapping(std::size_t pass, std::uint32_t step) {
        for (std::uint32_t head = 0; head < heads; head += step) {
            for (std::uint32_t h = head; h < head + step; ++h) compute(pass, h);
            transfer_in(pass + 1, head, step);
            if (step > 1) {
                for (std::uint32_t h = head; h < head + step; ++h) read(pass, h);
            }
        }
        if (step > 1) return;
        for (std::uint32_t h = 0; h < heads; ++h) read(pass, h);
    }

    ScoreOrder order_;
    std::vector<Pass> passes_;
    Program program_;
};

}  // namespace

std::string_view name_of(ScoreOrder order) {
    switch (order) {
        case ScoreOrder::artifact:
            return "artifact";
        case ScoreOrder::accumulators:
            return "own accumulators";
        case ScoreOrder::halves:
            return "halves";
        case ScoreOrder::whole:
            return "whole";
    }
    return "";
}

Program score_program(const ScoreShape& shape) {
    return Writer(shape).write();
}

}  // namespace memside::pim
