// A compiled layer of the user's (simulate --program) against what is simulated.
#pragma once

#include <string>

#include "cluster/policy.h"
#include "pnm/layer_program.h"

namespace memside {

// The programs as the devices run them. Numbers must be those of the model, the formats and the
// budget; how many pages a step selects stays for the step to say, as a request may have fewer than
// the budget. bad_input at `file`: a layer that is missing, kernels that are no step's, a number or
// a name that does not fit.
Result<pnm::LayerPrograms> fit_programs(pnm::LayerPrograms programs, const std::string& file,
                                        const DecodeJob& job, const Requests& requests);

// What a layer's program is bound to that does not depend on the requests.
pnm::Symbols layer_symbols(const DecodeJob& job);

}  // namespace memside
