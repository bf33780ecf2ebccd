// The new token's key or value on its way into the banks: the hub's append, as AiM instructions.
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "pim/dynamic/expansion.h"

namespace memside::pim {

// The layout that an append of a program of `channels` channels writes to.
KvLayout layout_of(const HubInstruction& append, unsigned channels);

// Virtual to physical row.
using RowLookup = std::function<std::optional<std::uint32_t>(std::uint32_t)>;

// Sends the instructions that write the token request_tokens - 1 of `call`. false: `rows` has not
// the row that it asked for last; nothing was sent then.
Result<bool> expand_append(const HubCall& call, unsigned channels, const RowLookup& rows,
                           Sink& sink);

}  // namespace memside::pim
