// Systems by name or path, and overrides of single constants.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "system/system_spec.h"

namespace memside {

// `name_or_path`: a generated system ("a100x2-pnm8", for any count), "this-cpu", or a path to a
// system's YAML file. `overrides` are --set pairs, applied last.
Result<SystemSpec> load_system(const std::string& name_or_path,
                               const std::vector<std::pair<std::string, std::string>>& overrides);

// The systems that `memside list systems` shows, in the order of the command line's documentation.
std::vector<std::string> system_names();

}  // namespace memside
