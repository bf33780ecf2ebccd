// What decoding needs of a Hugging Face config.json beyond the shape: norms and positions.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside::engine {

// As a config.json states it; decoder_config.h has what a GGUF file says.
struct StatedRopeScaling {
    enum class Kind { linear, llama3, yarn };
    Kind kind = Kind::linear;
    double factor = 1.0;
    double low_freq_factor = 1.0;  // of llama3, like the next
    double high_freq_factor = 4.0;
    double original_tokens = 0.0;  // of llama3 and yarn
};

struct DecodingConfig {
    double norm_epsilon = 1e-6;
    double rope_base = 10000.0;
    double sliding_rope_base = 10000.0;  // gemma3
    std::optional<StatedRopeScaling> rope_scaling;
};

// Reads the file again that `spec` was loaded from. Absent values are those of the configuration
// class; bad_input for values out of range and kinds of scaling that are not supported.
Result<DecodingConfig> load_decoding_config(const ModelSpec& spec);

}  // namespace memside::engine
