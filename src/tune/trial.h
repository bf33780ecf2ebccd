// What came of measuring one candidate.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace memside::tune {

enum class TrialStatus {
    ok,
    refused,    // it does not compile
    wrong,      // its output is not the reference's
    crashed,    // its process ended
    timed_out,  // it was stopped at the limit
};
// As databases and tables call them, in the order of the enumerators.
inline constexpr std::array<std::string_view, 5> trial_status_names{"ok", "refused", "wrong",
                                                                    "crashed", "timed_out"};

struct TrialResult {
    TrialStatus status = TrialStatus::refused;
    double time_ns = 0;  // median of the samples; 0 unless ok
    std::string error;   // one line; empty when ok

    bool ok() const { return status == TrialStatus::ok; }
};

inline TrialResult failed(TrialStatus status, std::string error) {
    return {status, 0, std::move(error)};
}

}  // namespace memside::tune
