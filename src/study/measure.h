// A number that a study takes from a result, by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cluster/result.h"

namespace memside {

// A numeric scalar key of the JSON output, or a part of it: "phase.NAME" in seconds of the critical
// path, "busy.NAME" in seconds, "energy.NAME" in joules per token. A part that a result does not
// have is 0 when the result ran, as its time or energy is.
class Measure {
  public:
    // bad_input at `where` for a name that is neither, with a suggestion.
    static Result<Measure> parse(const std::string& name, const std::string& where);

    const std::string& name() const { return name_; }
    // As a column: "phase_attention_s", "energy_gpu_j_per_token", "tpot_s".
    std::string column() const;
    // Nothing where the result has no value, or where nothing fits (but for `batch`, which is 0).
    std::optional<double> of(const SimulationResult& result) const;

  private:
    enum class Kind { scalar, phase, busy, energy };

    Kind kind_ = Kind::scalar;
    std::string name_;
    std::string part_;
};

}  // namespace memside
