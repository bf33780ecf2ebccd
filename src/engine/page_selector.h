// Selection of one decode step in one layer: the digests of all pages are scored with the queries,
// the pages with the highest scores within a budget are selected. Scores of groups, pins, top-k and
// the share of mass are those of kv/, which `simulate` calls too.
//
// The scan has one level or two. With two, superpages (digest_store.h) are scored first, then the
// pages of the best of them; the k-th best score so far is a floor, and pages of a superpage whose
// score is below it are not read. What is selected is the same, ties included. Two levels are tried
// again and again, and given up for longer each time that they do not pay.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/digest_store.h"
#include "engine/thread_pool.h"
#include "kv/group_scores.h"
#include "kv/pages.h"
#include "kv/selection.h"

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
    // necessary to score at -infinity; there are none of these with every_score, with a
    // budget_mass below 1 and with one level.
    std::span<const float> scores(std::int64_t set) const {
        return std::span(scores_).subspan(static_cast<std::size_t>(set * stride_),
                                          static_cast<std::size_t>(pages_));
    }

    // Of the last select(), over all KV heads: page digests read, a superpage as one.
    std::int64_t pages_scored() const { return pages_scored_; }
    std::int64_t bytes_read() const { return bytes_read_; }

  private:
    // One step, for the functions below.
    struct Step {
        int layer;
        const DigestStore& digests;
        std::int64_t blocks;  // of 16 pages
    };

    void split_queries(const float* queries);
    void scan(const Step& step);
    void score_block(const Step& step, std::int64_t unit, std::int64_t block, std::int64_t ahead);
    void choose(std::int64_t set);

    KvShape shape_;
    ThreadPool& pool_;
    int heads_;
    SelectionConfig config_;
    // Rows of queries that the digests of a KV head are scored with. A score is linear in the
    // positive and in the negative parts of a query, so the mean of a group's scores is the score
    // of the group's mean parts: one row. Otherwise each query head has its own.
    int rows_;
    // KV heads whose digests are scored together, and the sets that they score: a unit.
    int unit_heads_;
    int unit_sets_;
    std::int64_t units_;
    std::int64_t budget_pages_;

    std::int64_t pages_ = 0;
    std::int64_t stride_ = 0;      // pages_ in whole blocks
    std::vector<float> positive_;  // positive parts of queries, f32 [kv_heads][rows][head_dim]
    std::vector<float> negative_;  // their negative parts, likewise
    std::vector<float> scores_;    // f32 [sets][stride]
    std::vector<std::uint32_t> block_keys_;  // largest kv::score_key of each block, [sets][blocks]
    std::vector<kv::PageList> selected_;     // [sets]
    std::int64_t pages_scored_ = 0;
    std::int64_t bytes_read_ = 0;
};

}  // namespace memside::engine
