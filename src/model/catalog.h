// Models by name or path.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside {

// `name_or_path`: a preset of models/ ("llama-3.1-70b"), a path to a Hugging Face config.json, or a
// path to a .gguf file (only its header is read). An unknown name lists the nearest preset.
Result<ModelSpec> load_model(const std::string& name_or_path);

// Names of the presets, sorted.
Result<std::vector<std::string>> model_names();

}  // namespace memside
