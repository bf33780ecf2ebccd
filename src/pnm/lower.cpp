// From the shape of an operation to the extents of the operation table, and so to a program.
#include <array>
#include <bit>
#include <cassert>
#include <cmath>

#include "base/number.h"
#include "pnm/operation_table.h"
#include "system/roofline.h"

namespace memside::pnm {
namespace {

constexpr double half_bytes = 2.0;
constexpr double float_bytes = 4.0;
constexpr double sort_key_bytes = 8.0;  // an FP32 score and its page

class Extents {
  public:
    double& operator[](Extent extent) { return values_[static_cast<std::size_t>(extent)]; }
    double product(const std::vector<Extent>& factors) const {
        double result = 1.0;
        for (const Extent factor : factors) result *= values_[static_cast<std::size_t>(factor)];
        return result;
    }

  private:
    std::array<double, extent_count> values_{};
};

Program fill_in(Kernel kernel, const Extents& extents, double piece_bytes, const PnmSpec& spec) {
    Program program;
    for (const OperationRow& row : operation_table()) {
        if (row.kernel != kernel) continue;
        const double work = extents.product(row.work);
        if (work == 0.0) continue;
        program.stages.push_back({row.stage, row.unit, work, elements_per_cycle(row.rate, spec),
                                  row.access, piece_bytes});
        if (row.unit == Unit::dram) program.bytes += work;
    }
    return program;
}

// Cycles of a tile for a dot product over `width` lanes. A tree gives the sums of its subtrees too,
// so that several short products share a cycle.
double slices(double width, double lanes) {
    if (width >= lanes) return std::ceil(width / lanes);
    return 1.0 / std::bit_floor(static_cast<unsigned>(lanes / std::max(width, 1.0)));
}

// How often the same bytes are fed: a group wider than the tiles needs them again.
double feeds(double query_heads, double kv_heads, const PnmSpec& spec) {
    return kv_heads == 0.0 ? 0.0 : std::ceil(query_heads / kv_heads / spec.tiles);
}

Result<Program> fitting(Program program, std::string_view what, const PnmSpec& spec) {
    if (program.vector_buffer_bytes <= spec.vector_buffer_bytes) return program;
    return bad_input(spec.name, fmt::format("{} keeps {} at once, and the vector buffers hold {}",
                                            what, format_bytes(program.vector_buffer_bytes),
                                            format_bytes(spec.vector_buffer_bytes)));
}

}  // namespace

Result<Program> lower(const Attention& op, const PnmSpec& spec) {
    using enum Extent;
    Extents extents;
    extents[requests] = op.requests;
    extents[tokens] = op.tokens;
    extents[token_blocks] = std::ceil(op.tokens / spec.lanes);
    extents[query_heads] = op.query_heads;
    extents[head_dim] = op.head_dim;
    extents[key_slices] = slices(op.head_dim, spec.lanes);
    extents[kv_bytes] = attention_kv_bytes(op);
    extents[fed_bytes] = extents[kv_bytes] * feeds(op.query_heads, op.kv_heads, spec);
    const double piece_tokens = op.page_tokens > 0.0 ? op.page_tokens : op.tokens;
    const double piece_bytes = piece_tokens * 2.0 * op.kv_heads * op.head_dim * op.kv_bits / 8.0;
    Program program = fill_in(Kernel::attention, extents, piece_bytes, spec);
    program.flops = attention_flops(op);
    // The query, the output so far, and a block's scores and weights, of every head.
    program.vector_buffer_bytes = op.query_heads * (op.head_dim * (half_bytes + float_bytes) +
                                                    spec.lanes * (half_bytes + float_bytes));
    return fitting(std::move(program),
                   fmt::format("attention of {} heads of {}", op.query_heads, op.head_dim), spec);
}

Result<Program> lower(const DigestScan& op, const PnmSpec& spec) {
    using enum Extent;
    Extents extents;
    extents[pages] = op.pages;
    extents[query_heads] = op.query_heads;
    extents[digest_slices] = slices(2.0 * op.head_dim, spec.lanes);
    extents[digest_bytes] = memside::digest_bytes(op);
    extents[fed_bytes] = extents[digest_bytes] * feeds(op.query_heads, op.kv_heads, spec);
    Program program = fill_in(Kernel::score, extents, 0.0, spec);
    program.flops = op.pages * 4.0 * op.query_heads * op.head_dim;
    program.vector_buffer_bytes = op.query_heads * op.head_dim * half_bytes;
    return fitting(std::move(program),
                   fmt::format("scoring for {} heads of {}", op.query_heads, op.head_dim), spec);
}

Result<Program> lower(const TopK& op, const PnmSpec& spec) {
    using enum Extent;
    Extents extents;
    extents[padded_scores] = std::ceil(op.scores / spec.sort_width) * spec.sort_width;
    extents[passes] = op.scores > 1.0 ? std::ceil(std::log2(op.scores)) : 1.0;
    extents[merge_levels] = std::log2(2.0 * spec.sort_width);
    // A pass whose runs fit stays in the buffers; half of them, as it reads one copy and writes
    // another.
    const double resident = std::floor(std::log2(spec.vector_buffer_bytes / 2.0 / sort_key_bytes));
    extents[spilled_bytes] =
        2.0 * sort_key_bytes * op.scores * std::max(0.0, extents[passes] - resident);
    return fill_in(Kernel::top_k, extents, 0.0, spec);
}

Result<Program> lower(const KvAppend& op, const PnmSpec& spec) {
    using enum Extent;
    Extents extents;
    extents[row_bytes] = op.kv_bytes;
    extents[page_read_bytes] = op.digest_read_bytes;
    extents[digest_values] = op.digest_read_bytes / half_bytes;
    extents[two] = 2.0;
    extents[digest_write_bytes] = op.digest_write_bytes;
    // K and V of a token lie apart in its page.
    const double piece_bytes = op.kv_bytes / std::max(op.requests, 1.0) / 2.0;
    return fill_in(Kernel::append, extents, piece_bytes, spec);
}

}  // namespace memside::pnm
