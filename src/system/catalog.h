// Systems by name or path, and overrides of single constants.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "system/system_spec.h"

namespace memside {

// `name_or_path`: a generated system ("a100x2-pnm8", for any count), "this-cpu", or a path to a
// system's YAML file, which may use components beside it and the shipped ones. `overrides` are
// --set pairs, applied last. Anything wrong is bad input that names the file and line, or the --set
// path.
Result<SystemSpec> load_system(const std::string& name_or_path,
                               const std::vector<std::pair<std::string, std::string>>& overrides);

// The files that a loaded system was read from, as paths that can be opened.
std::vector<std::string> description_files(const SystemSpec& system);

// The systems that `memside list systems` shows, in the order of the command line's documentation:
// every combination that the templates of systems/ list. Empty when systems/ cannot be read.
std::vector<std::string> system_names();

}  // namespace memside
