// Writes a sequence's keys and values, digests and token ids to a file: saved_kv_format.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/digest_store.h"
#include "engine/kv_store.h"
#include "engine/thread_pool.h"

namespace memside::engine {

struct SavedSequence {
    std::uint64_t fingerprint = 0;         // of the model
    std::span<const std::int32_t> tokens;  // at least one; the store holds their keys and values
    const KvStore* store = nullptr;
    const DigestStore* digests = nullptr;  // of the same tokens, or null: none
};

// Returns the size of the file. The old file stays what it is until the new one is whole and on the
// disk. Pages of a loaded sequence are verified before they are written again. Errors: those of
// ReplacedFile, and of a damaged page. `saved` hears how many bytes of pages are written.
Result<std::int64_t> write_saved_kv(const SavedSequence& sequence, const std::string& path,
                                    ThreadPool& pool,
                                    const std::function<void(std::int64_t)>& saved = {});

}  // namespace memside::engine
