#include "engine/policy_attention.h"

#include <algorithm>
#include <cassert>
#include <numbers>

#include "base/clock.h"
#include "base/number.h"
#include "kv/layout.h"
#include "kv/selection.h"

namespace memside::engine {
namespace {

SelectionConfig selection_of(const KvPolicy& policy) {
    SelectionConfig config = policy.selection;
    config.every_score = policy.variant->ranks_all_pages;
    return config;
}

DigestConfig digests_of(const KvPolicy& policy, const std::vector<bool>& selecting) {
    DigestConfig config = policy.digest;
    config.layers = selecting;
    return config;
}

}  // namespace

Result<std::unique_ptr<PolicyAttention>> PolicyAttention::make(const KvStore& store,
                                                               ThreadPool& pool, int heads,
                                                               const KvPolicy& policy,
                                                               std::vector<bool> selecting) {
    assert(policy.variant->selects);
    const KvShape& shape = store.shape();
    MEMSIDE_TRY(DigestStore digests, DigestStore::make(shape, digests_of(policy, selecting)));
    const PageSets sets(policy.selection.select_per, heads, shape.kv_heads);
    const std::int64_t place_bytes =
        std::ranges::count(selecting, true) * sets.count() * sets.kv_heads() * shape.piece_bytes();
    const std::int64_t places =
        policy.pool_pages(shape.page_tokens, std::max<std::int64_t>(place_bytes, 1));
    const std::int64_t needed = policy.budget_pages(shape.page_tokens);
    if (policy.variant->ranks_all_pages && places < needed) {
        return bad_input(
            "--kv-pool",
            fmt::format("{} hold {} pages of each set; recall needs the "
                        "{} of the budget there, {}",
                        format_bytes(static_cast<double>(policy.pool_bytes)), places, needed,
                        format_bytes(static_cast<double>(needed * place_bytes))));
    }
    PagePool fast;
    if (places > 0) {
        // A pool that held every page would be no smaller than the store.
        const std::int64_t all = kv::page_count(shape.capacity_tokens, shape.page_tokens);
        MEMSIDE_TRY(fast, PagePool::make(shape, sets, selecting, std::min(places, all)));
    }
    return std::unique_ptr<PolicyAttention>(
        new PolicyAttention(store, pool, heads, policy, places, std::move(selecting),
                            std::move(digests), std::move(fast)));
}

PolicyAttention::PolicyAttention(const KvStore& store, ThreadPool& pool, int heads,
                                 const KvPolicy& policy, std::int64_t pool_pages,
                                 std::vector<bool> selecting, DigestStore digests, PagePool fast)
    : store_(store),
      pool_(pool),
      sets_(policy.selection.select_per, heads, store.shape().kv_heads),
      policy_(policy),
      selecting_(std::move(selecting)),
      budget_pages_(policy.budget_pages(store.shape().page_tokens)),
      pool_pages_(pool_pages),
      digests_(std::move(digests)),
      selector_(store.shape(), pool, heads, selection_of(policy)),
      fast_(std::move(fast)),
      lists_(pool),
      near_(pool, store.shape().memory_nodes),
      layers_(selecting_.size()),
      selected_(static_cast<std::size_t>(sets_.count())),
      queries_(static_cast<std::size_t>(heads * store.shape().head_dim)),
      works_(static_cast<std::size_t>(sets_.count() * sets_.kv_heads())) {
    for (std::int64_t set = 0; set < sets_.count(); ++set) {
        for (int head = 0; head < sets_.kv_heads(); ++head) {
            PageListWork& work = works_[static_cast<std::size_t>(set * sets_.kv_heads() + head)];
            work.first_head = sets_.first_head(set, head);
            work.rows = sets_.rows();
        }
    }
}

Status PolicyAttention::append(int layer, std::int64_t first, std::int64_t tokens) {
    // A decode step adds a key a KV head: less work than waking threads up.
    if (tokens == 1) {
        digests_.append(store_, layer, first, tokens);
    } else {
        digests_.append(store_, layer, first, tokens, pool_);
    }
    return {};
}

Status PolicyAttention::run(const AttentionCall& call) {
    assert(call.tokens == 1 && call.window == 0);
    // The factors first, as dense attention does: all pages then give its result to the last bit.
    const float scale = call.scale * std::numbers::log2e_v<float>;
    for (std::size_t i = 0; i < queries_.size(); ++i) queries_[i] = call.queries[i] * scale;
    const std::int64_t pages = kv::page_count(call.first_position + 1, store_.shape().page_tokens);
    double start = seconds_now();
    const bool selected = select(call.layer, pages);
    counts_.kv_heads += store_.shape().kv_heads;
    counts_.scoring_s += seconds_now() - start;
    MEMSIDE_CHECK(verify_selected(call.layer));
    if (selected && pool_pages_ > 0) {
        start = seconds_now();
        MEMSIDE_CHECK(change_residency(call.layer, pages));
        counts_.recall_s += seconds_now() - start;
    }
    MEMSIDE_CHECK(attend(call));
    return {};
}

// Sets the pages to attend. True when they have been chosen anew, false when an earlier choice goes
// on serving.
bool PolicyAttention::select(int layer, std::int64_t pages) {
    LayerState& state = layers_[static_cast<std::size_t>(layer)];
    state.selected.resize(selected_.size());
    const bool within_budget = pages <= budget_pages_;
    const bool kept =
        !within_budget && state.pages > budget_pages_ && state.age < policy_.reselect_steps;
    if (!within_budget && !kept) {
        selector_.select(queries_.data(), layer, pages, digests_);
        counts_.pages_scanned += selector_.pages_scored();
        counts_.digest_bytes += selector_.bytes_read();
    }
    for (std::size_t set = 0; set < selected_.size(); ++set) {
        kv::PageList& list = state.selected[set];
        if (within_budget) {
            list.resize(static_cast<std::size_t>(pages));
            for (std::size_t page = 0; page < list.size(); ++page) {
                list[page] = static_cast<kv::PageIndex>(page);
            }
        } else if (!kept) {
            list = selector_.selected(static_cast<std::int64_t>(set));
        } else {
            // Pages begun since the choice was made are attended too: nothing has judged them.
            for (std::int64_t page = state.pages; page < pages; ++page) {
                list.push_back(static_cast<kv::PageIndex>(page));
            }
        }
        selected_[set] = list;
        counts_.pages_selected += static_cast<std::int64_t>(list.size());
        ++counts_.sets;
    }
    state.pages = pages;
    state.age = kept ? state.age + 1 : 1;
    return !kept;
}

// What moves for a set. The page being written is attended where it is written, and has no copy.
kv::ResidencyChange PolicyAttention::residency_change(int layer, std::int64_t set,
                                                      std::int64_t pages,
                                                      std::int64_t& filled) const {
    const bool ranked = pages > budget_pages_;
    // Within the budget no page has to leave, and none is scored.
    const std::vector<float> equal(ranked ? 0 : static_cast<std::size_t>(pages));
    const std::span<const float> scores =
        ranked ? selector_.scores(set) : std::span<const float>(equal);
    kv::PageList wanted = selected_[static_cast<std::size_t>(set)];
    if (!wanted.empty() && wanted.back() + 1 == static_cast<kv::PageIndex>(pages)) {
        wanted.pop_back();
    }
    const kv::PageList& resident = fast_.resident(layer, set);
    kv::ResidencyChange change =
        policy_.variant->residency->change(scores, wanted, resident, pool_pages_);
    if (!policy_.variant->ranks_all_pages) {
        // Steady pages move in for those that leave; places that nobody holds are taken as well.
        const kv::PageList after = kv::resident_after(resident, change);
        const kv::PageList grown =
            kv::top_of(scores, kv::pages_without(wanted, after),
                       pool_pages_ - static_cast<std::int64_t>(after.size()));
        change.recalled = kv::pages_of_either(change.recalled, grown);
    }
    filled = resident.empty() ? static_cast<std::int64_t>(change.recalled.size()) : 0;
    return change;
}

// Of a sequence that was loaded, what is about to be attended.
Status PolicyAttention::verify_selected(int layer) {
    if (!store_.loaded()) return {};
    pool_.run(sets_.count(), [&](std::int64_t set) {
        usable(layer, set, selected_[static_cast<std::size_t>(set)]);
    });
    return store_.take_failure();
}

bool PolicyAttention::usable(int layer, std::int64_t set, const kv::PageList& pages) const {
    bool all = true;
    for (const kv::PageIndex page : pages) {
        for (int head = 0; head < sets_.kv_heads(); ++head) {
            all &= store_.usable(layer, page, sets_.first_kv_head(set) + head);
        }
    }
    return all;
}

Status PolicyAttention::change_residency(int layer, std::int64_t pages) {
    std::vector<std::int64_t> copied(selected_.size());
    std::vector<std::int64_t> filled(selected_.size());
    pool_.run(sets_.count(), [&](std::int64_t set) {
        const auto index = static_cast<std::size_t>(set);
        const kv::ResidencyChange change = residency_change(layer, set, pages, filled[index]);
        copied[index] = static_cast<std::int64_t>(change.recalled.size());
        if (!usable(layer, set, change.recalled)) return;
        if (!change.recalled.empty() || !change.evicted.empty()) {
            fast_.apply(store_, layer, set, change);
        }
    });
    for (std::size_t set = 0; set < selected_.size(); ++set) {
        counts_.pages_filled += filled[set];
        counts_.pages_recalled += copied[set] - filled[set];
        counts_.copied_bytes += copied[set] * sets_.kv_heads() * store_.shape().page_bytes();
    }
    return store_.take_failure();
}

// Resident pages first, the others after them in order: the page being written comes last.
void PolicyAttention::list_pages(const AttentionCall& call, std::int64_t set, int head,
                                 PageListWork& work) {
    const kv::PageList& selected = selected_[static_cast<std::size_t>(set)];
    const int kv_head = sets_.first_kv_head(set) + head;
    const KvShape& shape = store_.shape();
    work.pages.clear();
    work.nodes.clear();
    work.refs.clear();
    const bool filed = store_.pages_in_file(call.layer, 0, selected.back() + 1) > 0;
    const auto add = [&](const KvPage& at, const PageRef& ref) {
        work.pages.push_back(at);
        if (filed) work.refs.push_back(ref);
        if (ref.offset >= 0) counts_.kv_bytes_from_file += shape.page_bytes();
        if (ref.to != nullptr) counts_.copied_bytes_from_file += shape.page_bytes();
    };
    const kv::PageList none;
    const kv::PageList& resident = pool_pages_ > 0 ? fast_.resident(call.layer, set) : none;
    for (std::size_t i = 0; i < resident.size(); ++i) {
        if (!std::ranges::binary_search(selected, resident[i])) continue;
        std::byte* piece = fast_.piece(call.layer, set, i, head);
        PageRef ref;
        if (fast_.unread(call.layer, set, i)) {
            ref = {store_.offset(call.layer, resident[i], kv_head), piece};
        }
        add(store_.view(piece), ref);
    }
    counts_.pool_bytes += static_cast<std::int64_t>(work.pages.size()) * shape.page_bytes();
    for (const kv::PageIndex page : selected) {
        if (std::ranges::binary_search(resident, page)) continue;
        if (store_.in_file(call.layer, page)) {
            add({}, {store_.offset(call.layer, page, kv_head)});
        } else {
            add(store_.page(call.layer, page, kv_head), {});
        }
    }
    counts_.kv_bytes += static_cast<std::int64_t>(work.pages.size()) * shape.page_bytes();
    if (shape.memory_nodes > 1) {
        // The pool is no node's.
        work.nodes.assign(work.pages.size(), 0);
        std::size_t at = work.pages.size();
        for (auto page = selected.rbegin(); page != selected.rend(); ++page) {
            if (std::ranges::binary_search(resident, *page)) continue;
            work.nodes[--at] = store_.node_of(call.layer, *page);
        }
    }
    const std::int64_t end = call.first_position + 1 - selected.back() * shape.page_tokens;
    work.last_tokens = std::min(end, shape.page_tokens);
}

Status PolicyAttention::attend(const AttentionCall& call) {
    for (std::int64_t set = 0; set < sets_.count(); ++set) {
        for (int head = 0; head < sets_.kv_heads(); ++head) {
            list_pages(call, set, head,
                       works_[static_cast<std::size_t>(set * sets_.kv_heads() + head)]);
        }
    }
    if (store_.shape().memory_nodes > 1) {
        lists_.run_near(store_.shape(), works_, near_, queries_.data(), call.out);
        return {};
    }
    MEMSIDE_CHECK(lists_.run(store_, works_, queries_.data(), call.out));
    if (pool_pages_ > 0 && store_.stream() != nullptr) pages_were_read(call.layer);
    return {};
}

// A step that fails leaves them unread, so that the next one does not take them for read.
void PolicyAttention::pages_were_read(int layer) {
    for (std::int64_t set = 0; set < sets_.count(); ++set) {
        const kv::PageList& resident = fast_.resident(layer, set);
        for (std::size_t i = 0; i < resident.size(); ++i) {
            if (!std::ranges::binary_search(selected_[static_cast<std::size_t>(set)], resident[i]))
                continue;
            fast_.set_read(layer, set, i);
        }
    }
}

void PolicyAttention::read_ahead(int layer) const {
    const LayerState& state = layers_[static_cast<std::size_t>(layer)];
    if (store_.pages_in_file(layer, 0, state.pages) == 0) return;
    std::vector<std::int64_t> offsets;
    for (std::size_t set = 0; set < state.selected.size(); ++set) {
        const auto number = static_cast<std::int64_t>(set);
        const kv::PageList held = resident(layer, number);
        for (const kv::PageIndex page : state.selected[set]) {
            if (!store_.in_file(layer, page) || std::ranges::binary_search(held, page)) continue;
            for (int head = 0; head < sets_.kv_heads(); ++head) {
                offsets.push_back(store_.offset(layer, page, sets_.first_kv_head(number) + head));
            }
        }
    }
    std::ranges::sort(offsets);
    store_.stream()->read_ahead(offsets, store_.shape().piece_bytes());
}

void PolicyAttention::truncate(std::int64_t tokens) {
    // A page that is cut would be written again: its copy would be of other tokens. Digests forget
    // by themselves when the next token is appended.
    fast_.truncate(tokens / store_.shape().page_tokens);
    for (LayerState& state : layers_) state = {};
}

}  // namespace memside::engine
