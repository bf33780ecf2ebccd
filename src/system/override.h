// --set role.key=value: replaces one constant or count of a system that has been read, or, with the
// key "use", the shipped description of a component (pnm.use=cxl-pnm-2x).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "system/system_spec.h"

namespace memside {

using Overrides = std::vector<std::pair<std::string, std::string>>;

// Applies the pairs (path, value) in order, so the last of a repeated path wins. Units are checked
// as in a file; the source and the position of a changed constant become "--set", and
// SystemSpec::overrides lists the pairs. The system must be checked (check_system) afterwards:
// links and nodes follow changed counts there.
Status apply_overrides(const Overrides& overrides, SystemSpec& system);

}  // namespace memside
