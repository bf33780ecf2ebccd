// Somebody who looks at a decoder's layers without changing them: a recorder of page scores,
// statistics of keys and queries, a test that runs a layer elsewhere. Each function does nothing
// unless it is overridden; an error ends the step with it.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "engine/attention.h"

namespace memside::engine {

class PolicyAttention;

// One layer over a block of tokens.
struct LayerCall {
    int layer = 0;
    std::int64_t position = 0;  // of the first token
    std::int64_t tokens = 0;
    bool decode_step = false;         // one token on its own, not a block of a prompt
    std::span<const float> residual;  // [tokens][hidden]
};

class DecoderObserver {
  public:
    virtual ~DecoderObserver() = default;

    virtual Status layer_begins(const LayerCall&) { return {}; }
    virtual Status layer_ended(const LayerCall&) { return {}; }

    // An attention that is about to run: keys and values of its tokens are in the store, `out` is
    // not written yet. `decode_step` as in LayerCall.
    virtual Status seen(const AttentionCall& call, bool decode_step) {
        static_cast<void>(call);
        static_cast<void>(decode_step);
        return {};
    }

    // A decode step that has attended selected pages: selected() says which, while the queries are
    // there.
    virtual Status selected(const AttentionCall& call, const PolicyAttention& attention) {
        static_cast<void>(call);
        static_cast<void>(attention);
        return {};
    }
};

}  // namespace memside::engine
