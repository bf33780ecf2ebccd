// QK^T: the scores of `queries` query heads that share one KV head, over its keys.
//
// Layout. A key of head_dim values takes tiles() columns; keys are dealt to banks and channels as
// kernel.h says, and the keys of successive groups lie in successive slots of a row, as many as fit
// whole. Registers: the queries, a tile of zeros (the bias), the scores. With Registers::own the
// scores of query q stand in token order from scores_gpr() + q x groups() x channels on: the layout
// that SV reads its weights in.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pim/kernels/kernel.h"
#include "pim/program.h"

namespace memside::pim {

struct QkShape {
    std::uint32_t head_dim = 128;  // up to 1,024: a key lies in one row
    std::uint32_t tokens = 0;
    std::uint32_t queries = 1;  // the GQA group; 1 without
};

struct QkOptions : KernelOptions {
    // All queries use a row while it is open, each with its own accumulator (out=); else the rows
    // are gone through once per query.
    bool row_reuse = false;
    // The query goes into GBuf before every group, as in CENT's score kernel; else once, or, with
    // row reuse and more queries than GBuf holds, once per row.
    bool rewrite_query_per_group = false;
};

struct QkLayout {
    QkShape shape;
    KernelOptions options;

    std::uint32_t tiles() const { return units(shape.head_dim, lanes); }
    std::uint32_t slots() const { return columns_per_row / tiles(); }  // keys of a bank in a row
    std::uint32_t groups() const {
        return units(shape.tokens, Dealing{options.channels}.per_group());
    }
    std::uint32_t rows() const { return units(groups(), slots()); }
    std::uint32_t queries_gpr() const { return options.first_gpr; }
    std::uint32_t bias_gpr() const { return options.first_gpr + shape.queries * tiles(); }
    std::uint32_t scores_gpr() const { return bias_gpr() + 1; }
};

struct QkKernel {
    Program program;
    QkLayout layout;
};

// bad_input when a size is out of range or does not fit.
Result<QkKernel> make_qk(const QkShape& shape, const QkOptions& options);

// keys: [tokens][head_dim]. queries: [queries][head_dim]; also places the bias.
void place_keys(const QkLayout& layout, std::span<const Bf16> keys, Memory& memory);
void place_queries(const QkLayout& layout, std::span<const Bf16> queries, Memory& memory);

// [queries][tokens], after a run with Registers::own.
std::vector<Bf16> gather_scores(const QkLayout& layout, const Memory& memory);

}  // namespace memside::pim
