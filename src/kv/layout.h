// How KV values lie in pages, and what a request's pages and digests weigh.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside::kv {

enum class ValueType { f16, bf16, fp8, int8, int4 };
enum class DigestKind { minmax, centre_max, centre_mad, centre_std };
enum class DigestType { f16, int8 };

// Names as the command line spells them, in the order of the enumerators.
const std::vector<std::string>& value_type_names();
const std::vector<std::string>& digest_kind_names();
const std::vector<std::string>& digest_type_names();

int bits(ValueType type);   // per stored value, without scales
int bits(DigestType type);  // likewise

// A digest holds two vectors of head_dim values per page and KV head, whatever its kind: minimum
// and maximum, or centre and radius (Kim et al., PACT 2025; ArkVale, NeurIPS 2024).
inline constexpr int digest_vectors = 2;

struct PageFormat {
    std::int64_t page_tokens = 32;
    ValueType value_type = ValueType::f16;
    DigestKind digest_kind = DigestKind::minmax;
    DigestType digest_type = DigestType::f16;
    // The first layers that attend densely: they need no digests.
    int dense_layers = 0;
};

// A page's number of tokens: a power of two. `where` names the option in the error.
Result<std::int64_t> parse_page_tokens(std::string_view text, const std::string& where);

// Pages that hold `tokens` tokens; the last may be partly filled.
std::int64_t page_count(std::int64_t tokens, std::int64_t page_tokens);

// Whether a layer's pages are selected by digest: not in the dense first layers, nor where the
// attention window slides and is attended whole.
bool selects(const ModelSpec& model, const PageFormat& format, int layer);

struct RequestBytes {
    std::int64_t kv_bytes = 0;
    std::int64_t digest_bytes = 0;
};

// What one request of `context_tokens` occupies over all layers, in whole pages: keys and values of
// every kept token, and one digest per page of every selecting layer.
RequestBytes request_bytes(const ModelSpec& model, const PageFormat& format,
                           std::int64_t context_tokens);

// The same for the unpaged cache of dense attention: kept tokens only, no digests.
std::int64_t dense_request_bytes(const ModelSpec& model, ValueType type,
                                 std::int64_t context_tokens);

}  // namespace memside::kv
