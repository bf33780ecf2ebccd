// How a decode step treats keys and values: the policies of the command line. Which pages are
// selected and which move is decided by kv/; here is what a user chooses.
//
//   dense    every token is attended
//   pnm-kv   pages are selected by digest and attended where they lie
//   png-kv   the same, but pages that stay selected are kept in a pool of fast memory
//   recall   selected pages are copied into the pool before they are attended (ArkVale)
// Sources: Kim et al., PACT 2025 (arXiv 2511.00321); ArkVale, NeurIPS 2024.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/digest_store.h"
#include "engine/page_selector.h"
#include "kv/residency.h"

namespace memside::engine {

struct KvPolicyVariant {
    std::string_view name;
    bool selects = false;
    const kv::ResidencyVariant* residency = nullptr;  // none: nothing is ever copied
    bool ranks_all_pages = false;  // what leaves the pool is decided by scores of all pages
};

// dense first.
std::span<const KvPolicyVariant> kv_policy_variants();
const KvPolicyVariant& kv_policy_variant(std::string_view name);

struct KvPolicy {
    const KvPolicyVariant* variant = &kv_policy_variants().front();
    SelectionConfig selection;
    DigestConfig digest;              // its layers are filled in by the decoder
    int dense_layers = 0;             // the first layers that attend every page
    std::int64_t reselect_steps = 1;  // a selection serves this many steps
    // png-kv: tokens that stay in the pool, per layer and page set. 0: half the budget.
    std::int64_t steady_tokens = 0;
    // recall: bytes of the pool, of all layers and sets. 0: twice the budget of each set.
    std::int64_t pool_bytes = 0;

    std::int64_t budget_pages(std::int64_t page_tokens) const;
    // Places that a page set has in the pool, when a place of every set takes `place_bytes`.
    std::int64_t pool_pages(std::int64_t page_tokens, std::int64_t place_bytes) const;
};

// bad_input that names the option unless budget, pins and digest fit together.
Status check_policy(const KvPolicy& policy, std::int64_t page_tokens);

}  // namespace memside::engine
