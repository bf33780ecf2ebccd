// Scores of all pages of one layer for one decode step, from their digests: of every page, or of
// all that can be among the best.
//
// In the second case superpages (digest_store.h) come first: the box of a superpage contains those
// of its pages, so its score bounds theirs. The pages of the best superpages are scored, the k-th
// best of them is a floor, and superpages whose bound is below it are not read. The k best pages,
// ties included, are the same as of every score. Bounds bound what the kernels compute, rounding
// included: f16 scores round in one order for all, so they keep the order of the boxes; int8 scores
// are multiplied by a scale last, so that bounds are raised by what that can round.
//
// Keys that are alike over a page and differ over thousands of tokens leave most pages unread; keys
// without such structure leave none, and superpages were scored for nothing. Then the next steps of
// the layer do without, longer each time in a row.
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

class PageScan {
  public:
    // The pool must outlive this. `heads` is a multiple of the shape's KV heads.
    PageScan(const KvShape& shape, ThreadPool& pool, int heads, kv::SelectPer select_per,
             kv::GroupScore group_score);

    // queries, layer, pages and digests as PageSelector::select. With `best_pages` above 0 those
    // pages and the `pinned` ones suffice.
    void run(const float* queries, int layer, std::int64_t pages, const DigestStore& digests,
             std::int64_t best_pages, kv::PinnedPages pinned);

    std::int64_t sets() const { return sets_; }

    // Of the last run(): f32 [pages]. Pages that were not read are at -infinity.
    std::span<float> scores(std::int64_t set) {
        return std::span(scores_).subspan(index(set * stride_), index(pages_));
    }
    std::span<const float> scores(std::int64_t set) const {
        return std::span(scores_).subspan(index(set * stride_), index(pages_));
    }
    // The largest kv::score_key of each block of 16 pages.
    std::span<std::uint32_t> block_keys(std::int64_t set) {
        return std::span(block_keys_).subspan(index(set * blocks_), index(blocks_));
    }

    // Of the last run(), over all KV heads.
    std::int64_t digests_read() const { return digests_read_; }  // a superpage's is one
    std::int64_t bytes_read() const { return bytes_read_; }

  private:
    struct Step {
        int layer;
        const DigestStore& digests;
        std::int64_t best_pages;
        kv::PinnedPages pinned;
    };
    // A block of pages of a unit.
    struct Read {
        std::int64_t unit;
        std::int64_t block;
    };
    // How a layer has done with two levels: steps to go without, and how many after a failure.
    struct Trial {
        std::int64_t wait = 0;
        std::int64_t pause = 0;
    };

    struct Search;

    static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

    std::span<std::uint32_t> bound_keys(std::int64_t set) {
        return std::span(bound_keys_).subspan(index(set * blocks_), index(blocks_));
    }

    void split_queries(const float* queries);
    // Scores 16 pages or superpages, `at` those of the unit's first KV head, for the unit's sets,
    // and fetches what is `ahead` if that is not null; bounds are raised for rounding.
    void score_unit(const DigestStore& digests, std::int64_t unit, const std::byte* at,
                    const std::byte* ahead, bool bounds, float* out, std::int64_t stride) const;
    void score_block(const Step& step, const Read& read, const Read* ahead);
    void one_level(const Step& step);
    bool two_levels(const Step& step);
    void bound_blocks(const Step& step);
    void find_floors(const Step& step, std::int64_t unit);
    void raise_floors(const Step& step, std::int64_t unit, std::int64_t batch, Search& search);
    void count(const Step& step, std::int64_t unit_blocks, std::int64_t unit_pages);

    KvShape shape_;
    ThreadPool& pool_;
    int heads_;
    std::int64_t sets_;
    kv::GroupScore group_score_;
    // Rows of queries that the digests of a KV head are scored with. A score is linear in the
    // positive and in the negative parts of a query, so the mean of a group's scores is the score
    // of the group's mean parts: one row. Otherwise each query head has its own.
    int rows_;
    // A unit is what is scored together: KV heads, and the page sets that they serve.
    int unit_heads_;
    int unit_sets_;
    std::int64_t units_;

    std::int64_t pages_ = 0;
    std::int64_t blocks_ = 0;
    std::int64_t stride_ = 0;  // pages in whole blocks
    std::int64_t superblocks_ = 0;
    std::vector<float> positive_;  // positive parts of queries, f32 [kv_heads][rows][head_dim]
    std::vector<float> negative_;  // their negative parts, likewise
    std::vector<double> sizes_;    // sum of their magnitudes, [kv_heads][rows]
    std::vector<float> scores_;    // f32 [sets][stride]
    std::vector<std::uint32_t> block_keys_;  // [sets][blocks]
    std::vector<std::uint32_t> bound_keys_;  // of superpages, [sets][blocks]; 0: read
    std::vector<std::vector<Read>> first_;   // [units]: read to find the floors
    std::vector<std::vector<Read>> left_;    // [units]: the others that may reach them
    std::vector<Trial> trials_;              // [layers]
    std::int64_t digests_read_ = 0;
    std::int64_t bytes_read_ = 0;
};

}  // namespace memside::engine
