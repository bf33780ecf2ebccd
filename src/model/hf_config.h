// Hugging Face config.json: model_type llama, qwen2, qwen3, gemma3 and gemma3_text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside {

// `file` is the name for messages, `name` becomes ModelSpec::name. Mixture-of-experts, multi-head
// latent attention, pre-quantised checkpoints and other architectures are refused by name.
Result<ModelSpec> parse_hf_config(std::string_view json, const std::string& file,
                                  const std::string& name);

}  // namespace memside
