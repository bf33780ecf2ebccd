// A tokenizer for models that have none of their own: byte-level BPE whose words are made up.
#pragma once

#include "engine/gguf_writer.h"

namespace memside::engine {

// The 256 bytes, the three control tokens and one merge.
inline constexpr int smallest_byte_level_vocabulary = 256 + 3 + 1;

// Adds the tokenizer.* keys of a vocabulary of exactly `tokens` tokens: the bytes, then words of
// lower-case letters, with and without a blank in front, in order of length ("aa" to "zz" before
// "aaa"), and at the end <|endoftext|>, <|im_start|> and <|im_end|> with a ChatML template.
void add_byte_level_vocabulary(GgufWriter& file, int tokens);

}  // namespace memside::engine
