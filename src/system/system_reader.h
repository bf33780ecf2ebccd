// A system file: which component fills each role, how many there are, and constants that differ in
// this system.
//
//     system: my-box
//     description: ...                                       # optional
//     components:
//       gpu: {use: a100-80gb, count: 2}
//       gpu_link:
//         use: nvlink3
//         constants: {efficiency: {value: 0.7, source: "measured on my box"}}
//       cost:                                                # described in place
//         kind: prices
//         constants: {...}
//
// A count is a whole number, a product or an exact quotient of whole numbers ("32/16"), or, when it
// is not the reader's own choice, {value: ..., source: ...}. `order` and `where` belong to
// templates (system_template.h).
#pragma once

#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"
#include "system/component_reader.h"
#include "system/system_spec.h"

namespace memside {

// Reads a system from the tree of its file. Still to come: overrides, then check_system().
Result<SystemSpec> read_system(const ConfigNode& root, const ComponentLibrary& library);

// Reads and checks a system from the text of its file; `file` is its name for messages.
Result<SystemSpec> parse_system(std::string_view text, const std::string& file,
                                const ComponentLibrary& library);

// Completes a system and refuses what the models could not compute: an empty required role, a
// missing constant, counts that do not fit together, an idle power above the active one.
Status check_system(SystemSpec& system);

}  // namespace memside
