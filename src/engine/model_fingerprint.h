// Tells a saved sequence whether it belongs to a model. It covers every byte of all parts of the
// file: weights, tokenizer, hyperparameters, names. Any change within 32 adjacent bits changes it
// for certain, others all but certainly. It costs one pass over the file, which is what a decode
// step does with the weights anyway.
#pragma once

#include <cstdint>

#include "engine/decoder_weights.h"

namespace memside::engine {

// `threads`: 0: all cores.
std::uint64_t model_fingerprint(const ModelFile& model, unsigned threads = 0);

}  // namespace memside::engine
