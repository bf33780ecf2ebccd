// Selection of one decode step in one layer: the digests of all pages are scored with the queries,
// the pages with the highest scores within a budget are selected. Scores of groups, pins, top-k and
// the share of mass are those of kv/, which `simulate` calls too.
//
// Where it pays, digests of pages that cannot be among the best are not read (page_scan.h). What is
// selected is the same, ties included.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/page_scan.h"

namespace memside::engine {

struct SelectionConfig {
    std::int64_t budget_tokens = 4096;
    // Below 1: of the budget's pages as few as hold this share of the softmax over the page scores,
    // sum of 2^score over all pages, and never fewer than the pinned ones. Page scores stand for
    // the tokens of a page: the share estimates, and is not, that of attention.
    double budget_mass = 1.0;
    kv::PinnedPages pinned;
    kv::SelectPer select_per = kv::SelectPer::kv_head;
    kv::GroupScore group_score = kv::GroupScore::mean;
    bool every_score = false;  // scores() must have every page's
};

class PageSelector {
  public:
    // The pool must outlive this. `heads` is a multiple of the shape's KV heads; the budget holds
    // the pinned pages (kv::check_budget).
    PageSelector(const KvShape& shape, ThreadPool& pool, int heads, SelectionConfig config);

    // queries: f32 [heads][head_dim], already multiplied by the attention scale and log2(e), so
    // that a weight is 2^score. `layer`'s digests cover all `pages` pages, the one being written
    // included.
    void select(const float* queries, int layer, std::int64_t pages, const DigestStore& digests);

    // Page sets: kv::group_count(select_per, heads, kv_heads).
    std::int64_t sets() const { return static_cast<std::int64_t>(selected_.size()); }

    // Of the last select(), ascending.
    const kv::PageList& selected(std::int64_t set) const {
        return selected_[static_cast<std::size_t>(set)];
    }

    // Of the last select(): f32 [pages], pinned pages at +infinity, and pages that no bound made it
    // necessary to score at -infinity; never these with every_score or a budget_mass below 1.
    std::span<const float> scores(std::int64_t set) const { return scan_.scores(set); }

    // Of the last select(), over all KV heads: page digests read, a superpage as one, and the bytes
    // of the blocks that they lie in.
    std::int64_t pages_scored() const { return scan_.digests_read(); }
    std::int64_t bytes_read() const { return scan_.bytes_read(); }

  private:
    void choose(std::int64_t set);

    ThreadPool& pool_;
    SelectionConfig config_;
    std::int64_t budget_pages_;
    PageScan scan_;
    std::vector<kv::PageList> selected_;  // [sets]
};

}  // namespace memside::engine
