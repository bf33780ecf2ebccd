#include "engine/page_selector.h"

#include <cassert>
#include <limits>

#include "kv/layout.h"

namespace memside::engine {
namespace {

static_assert(digest_block_pages == kv::score_block_pages);
constexpr float infinity = std::numeric_limits<float>::infinity();

// Blocks, of all KV heads, that one part of a scan takes: 256 KiB with 8 KV heads of dimension 64.
constexpr std::int64_t blocks_per_part = 8;

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

}  // namespace

PageSelector::PageSelector(const KvShape& shape, ThreadPool& pool, int heads,
                           SelectionConfig config)
    : shape_(shape), pool_(pool), heads_(heads), config_(config) {
    assert(heads % shape.kv_heads == 0);
    const int group = heads / shape.kv_heads;
    const bool per_head = config.select_per == kv::SelectPer::query_head;
    const bool per_layer = config.select_per == kv::SelectPer::layer;
    rows_ = !per_head && config.group_score == kv::GroupScore::mean ? 1 : group;
    unit_heads_ = per_layer ? shape.kv_heads : 1;
    unit_sets_ = per_head ? group : 1;
    units_ = shape.kv_heads / unit_heads_;
    budget_pages_ = kv::page_count(config.budget_tokens, shape.page_tokens);
    selected_.resize(index(kv::group_count(config.select_per, heads, shape.kv_heads)));
}

void PageSelector::split_queries(const float* queries) {
    const auto dim = index(shape_.head_dim);
    const auto values = index(heads_) * dim;
    const std::size_t merged = index(heads_ / (shape_.kv_heads * rows_));
    positive_.assign(values / merged, 0.0F);
    negative_.assign(values / merged, 0.0F);
    const float share = 1.0F / static_cast<float>(merged);
    for (std::size_t i = 0; i < values; ++i) {
        const std::size_t row = i / dim / merged;
        positive_[row * dim + i % dim] += share * std::max(queries[i], 0.0F);
        negative_[row * dim + i % dim] += share * std::min(queries[i], 0.0F);
    }
}

void PageSelector::select(const float* queries, int layer, std::int64_t pages,
                          const DigestStore& digests) {
    assert(pages > 0);
    const Step step{layer, digests, kv::page_count(pages, digest_block_pages)};
    pages_ = pages;
    stride_ = step.blocks * digest_block_pages;
    scores_.resize(index(sets() * stride_));
    block_keys_.resize(index(sets() * step.blocks));
    split_queries(queries);
    scan(step);
    pool_.run(sets(), [&](std::int64_t set) { choose(set); });
    pages_scored_ = shape_.kv_heads * pages;
    bytes_read_ = shape_.kv_heads * step.blocks * digests.block_bytes();
}

// Scores a block for the sets of a unit, and fetches the block `ahead` meanwhile.
void PageSelector::score_block(const Step& step, std::int64_t unit, std::int64_t block,
                               std::int64_t ahead) {
    const DigestKernel& kernel = digest_kernel();
    const std::int64_t row_values = rows_ * shape_.head_dim;
    const std::int64_t first_set = unit * unit_sets_;
    float* const out = scores_.data() + first_set * stride_ + block * digest_block_pages;
    const auto score = [&](int kv_head, float* scores, std::int64_t stride) {
        ScoreDigests job;
        job.block = step.digests.block(step.layer, kv_head, block);
        job.ahead = step.digests.block(step.layer, kv_head, ahead);
        job.head_dim = shape_.head_dim;
        job.positive = positive_.data() + kv_head * row_values;
        job.negative = negative_.data() + kv_head * row_values;
        job.rows = rows_;
        job.scores = scores;
        job.score_stride = stride;
        kernel.score(step.digests.type(), job);
    };
    const auto first_head = static_cast<int>(unit) * unit_heads_;
    if (unit_heads_ * rows_ == unit_sets_) {
        score(first_head, out, stride_);
    } else {
        thread_local std::vector<float> rows;
        rows.resize(index(unit_heads_ * rows_ * digest_block_pages));
        for (int h = 0; h < unit_heads_; ++h) {
            score(first_head + h, rows.data() + h * rows_ * digest_block_pages, digest_block_pages);
        }
        kv::group_scores(rows, unit_heads_ * rows_, 1, kv::SelectPer::kv_head, config_.group_score,
                         {out, index(digest_block_pages)});
    }
    const std::int64_t valid = std::min(digest_block_pages, pages_ - block * digest_block_pages);
    for (int s = 0; s < unit_sets_; ++s) {
        float largest = -infinity;
        for (std::int64_t lane = 0; lane < valid; ++lane) {
            const float found = out[s * stride_ + lane];
            largest = found > largest ? found : largest;
        }
        block_keys_[index((first_set + s) * step.blocks + block)] = kv::score_key(largest);
    }
}

void PageSelector::scan(const Step& step) {
    pool_.run(kv::page_count(step.blocks, blocks_per_part), [&](std::int64_t part) {
        const std::int64_t first = part * blocks_per_part;
        const std::int64_t last = std::min(first + blocks_per_part, step.blocks);
        for (std::int64_t block = first; block < last; ++block) {
            for (std::int64_t unit = 0; unit < units_; ++unit) {
                score_block(step, unit, block, std::min(block + 1, step.blocks - 1));
            }
        }
    });
}

// Pins and top-k of a set whose scores are there.
void PageSelector::choose(std::int64_t set) {
    const std::int64_t blocks = stride_ / digest_block_pages;
    const auto scores = std::span(scores_).subspan(index(set * stride_), index(pages_));
    const auto keys = std::span(block_keys_).subspan(index(set * blocks), index(blocks));
    kv::PageList& selected = selected_[index(set)];
    std::vector<float> own;
    if (config_.budget_mass < 1.0) own.assign(scores.begin(), scores.end());
    kv::pin_pages(scores, config_.pinned);
    const std::int64_t sink = std::min(config_.pinned.sink, pages_);
    const std::int64_t recent = std::min(config_.pinned.recent, pages_);
    for (std::int64_t page = 0; page < sink; ++page) {
        keys[index(page / digest_block_pages)] = kv::score_key(infinity);
    }
    for (std::int64_t page = pages_ - recent; page < pages_; ++page) {
        keys[index(page / digest_block_pages)] = kv::score_key(infinity);
    }
    kv::select_top_pages_in_blocks(scores, keys, budget_pages_, selected);
    if (config_.budget_mass < 1.0) {
        kv::PageList ranked = kv::ranked(scores, selected);
        const std::int64_t pinned = std::min(sink + recent, pages_);
        const std::int64_t count =
            std::max(kv::pages_of_mass(own, ranked, config_.budget_mass), pinned);
        selected = kv::top_of(scores, selected, count);
    }
}

}  // namespace memside::engine
