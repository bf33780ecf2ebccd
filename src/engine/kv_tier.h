// Where keys and values lie, as a user chooses it, and how the memory of a pool is shared.
//
// Under a file tier the pool is all the memory that pages take, but for those being written:
//   frames       pages that are being read and attended
//   places       pages that png-kv and recall keep (page_pool.h)
//   first pages  of each layer, never written to the file: those of layers that attend every page
//                first. Such a layer reads the file in the same order every step, where a fixed
//                set of pages is the best that a cache can hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/kv_policy.h"
#include "engine/kv_store.h"

namespace memside::engine {

struct KvTier {
    std::string folder;                         // of the file; empty: everything stays in memory
    std::int64_t pool_bytes = 0;                // 0: default_frame_bytes and the policy's places
    const FileReaderVariant* reader = nullptr;  // null: the first that works here
    bool read_ahead = true;                     // between passes
    std::int64_t write_bytes = FileTier().write_bytes;
};

// Frames beyond that do not help a disk.
inline constexpr std::int64_t default_frame_bytes = std::int64_t{64} << 20;

// The file tier of a store of that shape, and the bytes of the policy's pool, put into `policy`.
// `selecting`: the layers that select. `open_tokens` are written at once, at most. bad_input that
// names --kv-pool and what is needed when a step cannot do with the pool.
Result<FileTier> share_pool(const KvTier& tier, KvShape shape, const std::vector<bool>& selecting,
                            int heads, std::int64_t open_tokens, KvPolicy& policy);

}  // namespace memside::engine
