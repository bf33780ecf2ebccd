// A simulation result as JSON, and back: the file that scripts, `explain` and later reports read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cluster/result.h"

namespace memside {

// Every documented key in its order, null where the result has no value, then `reason`, `capacity`,
// `layer_timeline`, `constants` and `request`. Two-space indent, a newline at the end; the same
// result gives the same bytes. All numbers must be finite. The whole timeline is not part of it:
// see trace.h.
std::string to_json(const SimulationResult& result);

// Reads what to_json wrote. `file` names it in messages. Keys that are unknown are skipped (a later
// version may add some), keys that may be null may be missing; the others, every type and the sign
// of every number are checked. Of a constant its path, text and source are restored.
Result<SimulationResult> from_json(std::string_view text, const std::string& file);

}  // namespace memside
