// Whether a saved sequence can stand for the beginning of a prompt.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/kv_store.h"
#include "engine/saved_kv_file.h"

namespace memside::engine {

// bad_input, in one line with both values, unless the sequence was saved by this model and in pages
// of this shape, whose capacity does not matter. `model` is what its user calls it.
Status check_saved_kv(const SavedKv& saved, const KvShape& shape, std::uint64_t fingerprint,
                      const std::string& model);

// How many tokens of a prompt the sequence holds already: as many as both begin with, but at least
// the last token of the prompt is left, whose logits are wanted. bad_input when there is none, or
// when layers whose window slides no longer hold what the next token sees. `window`: that of these
// layers, in tokens.
Result<std::int64_t> resume_point(const SavedKv& saved, std::span<const std::int32_t> prompt,
                                  std::int64_t window);

}  // namespace memside::engine
