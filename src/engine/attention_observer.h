// Somebody who looks at every attention of a decoder without changing it: a recorder of page
// scores, statistics of keys and queries.
#pragma once

#include "base/result.h"
#include "engine/attention.h"

namespace memside::engine {

class AttentionObserver {
  public:
    virtual ~AttentionObserver() = default;

    // A call that is about to run: keys and values of its tokens are in the store, `out` is not
    // written yet. `decode_step`: one token on its own, not a block of a prompt. An error ends the
    // step with it.
    virtual Status seen(const AttentionCall& call, bool decode_step) = 0;
};

}  // namespace memside::engine
