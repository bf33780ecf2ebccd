// Parameters of synthetic scores that are importance alone, for tests with a closed form.
#pragma once

#include "kv/scores_synthetic.h"

namespace memside::kv::test {

// The drifting importance: no sinks, recency, bursts or differences between pairs.
inline SyntheticParameters plain(double drift) {
    SyntheticParameters parameters;
    parameters.drift = drift;
    parameters.drift_spread = 0.0;
    parameters.sink_pages = 0.0;
    parameters.recency_boost = 0.0;
    parameters.burst_rate = 0.0;
    return parameters;
}

}  // namespace memside::kv::test
