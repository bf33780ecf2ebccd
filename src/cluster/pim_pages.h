// Which pages a step on DRAM-PIM modules selects: sets of a sample of layers and KV heads, by the
// selection of kv/ on a source of scores.
#pragma once

#include <map>
#include <vector>

#include "cluster/selection.h"
#include "kv/pages.h"

namespace memside {

// bad_input for an option of selection among what a user wrote: without a budget none has a meaning
// on DRAM-PIM modules, which attend every token then.
Status refuse_selection_settings(const std::vector<std::pair<std::string, std::string>>& settings);

class PimPages {
  public:
    // `budget_tokens` of every request.
    PimPages(const ModelSpec& model, const kv::PageFormat& format, std::int64_t budget_tokens,
             const SelectionOptions& options, std::uint64_t seed)
        : model_(model),
          format_(format),
          budget_tokens_(budget_tokens),
          options_(options),
          seed_(seed) {}

    const kv::PageFormat& format() const { return format_; }
    std::int64_t budget_tokens() const { return budget_tokens_; }

    // Sets of a request of that context after its new token, at least one; they stay where they
    // are. A request of fewer pages than the budget has all of them selected.
    Result<const std::vector<kv::PageList>*> sets(std::int64_t context_tokens);
    // Mean number of pages of those sets.
    Result<double> mean_pages(std::int64_t context_tokens);

  private:
    const ModelSpec& model_;
    kv::PageFormat format_;
    std::int64_t budget_tokens_;
    SelectionOptions options_;
    std::uint64_t seed_;
    std::map<std::int64_t, std::vector<kv::PageList>> known_;
};

}  // namespace memside
