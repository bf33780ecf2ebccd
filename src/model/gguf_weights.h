// The tensor table of a GGUF file as the weights of a model.
#pragma once

#include <string>

#include "base/result.h"
#include "model/gguf_header.h"
#include "model/model_spec.h"

namespace memside {

// Fills vocab, tied_embeddings, weights and weight_type of a spec whose other sizes are set, after
// checking that every tensor of the architecture is there with its shape.
Status count_gguf_weights(const GgufHeader& header, const std::string& file, ModelSpec& spec);

}  // namespace memside
