// What a CXL-PNM device executes for one decoder layer: its kernels in order, their operands
// numbers or names that are bound when a step runs. The simulation runs such programs and has no
// other description of a layer. docs/pnm.md has the form.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "pnm/operation_table.h"
#include "system/device.h"

namespace memside::pnm {

// What is known only when a step runs.
enum class Symbol {
    query_heads,
    kv_heads,
    head_dim,
    kv_bits,
    digest_vectors,
    digest_bits,
    page_tokens,
    requests,         // on the device
    pages,            // whose digests are scored, all requests
    scores,           // of one request
    selected,         // pages of one request
    attended_tokens,  // a request, mean
};
inline constexpr std::size_t symbol_count = 12;
inline constexpr std::array<std::string_view, symbol_count> symbol_names = {
    "query_heads", "kv_heads", "head_dim", "kv_bits", "digest_vectors", "digest_bits",
    "page_tokens", "requests", "pages",    "scores",  "selected",       "attended_tokens"};

class Symbols {
  public:
    double& operator[](Symbol symbol) { return values_[static_cast<std::size_t>(symbol)]; }
    double operator[](Symbol symbol) const { return values_[static_cast<std::size_t>(symbol)]; }

  private:
    std::array<double, symbol_count> values_{};
};

struct Operand {
    bool bound = true;  // a number; else the symbol
    double number = 0;
    Symbol symbol = Symbol::requests;

    double value(const Symbols& symbols) const { return bound ? number : symbols[symbol]; }
    friend bool operator==(const Operand&, const Operand&) = default;
};

// The operands of a kernel, by name in this order:
//   append     requests, kv_heads, head_dim, kv_bits, digest_vectors, digest_bits, page_tokens:
//              K and V of a token of each request; with page_tokens above 0 also the share of
//              building the digest of the page that fills
//   score      pages, query_heads, kv_heads, head_dim, digest_bits
//   top-k      scores, selected: once for every request
//   attention  requests, attended_tokens, query_heads, kv_heads, head_dim, kv_bits, page_tokens:
//              page_tokens 0: what is attended lies in one piece
std::vector<std::string_view> operand_names(Kernel kernel);

struct KernelCall {
    Kernel kernel = Kernel::append;
    std::vector<Operand> operands;  // as operand_names()

    // The operation that the device is asked for.
    Operation bind(const Symbols& symbols) const;
    friend bool operator==(const KernelCall&, const KernelCall&) = default;
};

struct LayerProgram {
    std::vector<KernelCall> calls;
    friend bool operator==(const LayerProgram&, const LayerProgram&) = default;
};

// A layer that selects pages, and one that attends all that it keeps. One of them may be empty: a
// file says what it has.
struct LayerPrograms {
    LayerProgram selecting;
    LayerProgram whole;
    friend bool operator==(const LayerPrograms&, const LayerPrograms&) = default;
};

// bad_input with file and line. A layer has one attention, as its last call; at least one of the
// layers is there.
Result<LayerPrograms> parse_layer_programs(const ConfigNode& root);
// Of the data folder: systems/programs/pnm-layer.yaml, the same for every model.
Result<LayerPrograms> read_layer_programs();

// What parse_layer_programs() reads. `made_by` goes into a comment.
std::string layer_programs_text(const LayerPrograms& programs, const std::string& made_by);

}  // namespace memside::pnm
