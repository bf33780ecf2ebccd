#include "engine/selected_attention.h"

#include <chrono>
#include <numbers>

#include "kv/layout.h"

namespace memside::engine {
namespace {

// Blocks of digests that one part of the scan takes: 256 KiB at a head dimension of 64.
constexpr std::int64_t blocks_per_part = 64;

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

SelectedAttention::SelectedAttention(const KvStore& store, ThreadPool& pool, int heads,
                                     SelectionConfig config)
    : store_(store),
      pool_(pool),
      heads_(heads),
      group_(heads / store.shape().kv_heads),
      rows_(config.group_score == kv::GroupScore::mean ? 1 : group_),
      config_(config),
      selected_(static_cast<std::size_t>(store.shape().kv_heads)) {}

void SelectedAttention::run(const AttentionCall& call, const DigestStore& digests) {
    const KvShape& shape = store_.shape();
    const std::int64_t pages = kv::page_count(call.first_position + 1, shape.page_tokens);
    const auto values = static_cast<std::size_t>(heads_ * shape.head_dim);
    queries_.resize(values);
    for (std::size_t i = 0; i < values; ++i) {
        queries_[i] = call.queries[i] * call.scale * std::numbers::log2e_v<float>;
    }
    split_queries();
    const double start = seconds_now();
    score(digests, pages);
    select(pages);
    scoring_s_ += seconds_now() - start;
    attend(call);
}

void SelectedAttention::split_queries() {
    const auto dim = static_cast<std::size_t>(store_.shape().head_dim);
    const auto group = static_cast<std::size_t>(group_);
    const auto rows = static_cast<std::size_t>(rows_);
    const std::size_t merged = group / rows;  // query heads that share a row
    const std::size_t values = queries_.size() / merged;
    positive_.assign(values, 0.0F);
    negative_.assign(values, 0.0F);
    const float share = 1.0F / static_cast<float>(merged);
    for (std::size_t i = 0; i < queries_.size(); ++i) {
        const std::size_t row = i / dim / merged;
        positive_[row * dim + i % dim] += share * std::max(queries_[i], 0.0F);
        negative_[row * dim + i % dim] += share * std::min(queries_[i], 0.0F);
    }
}

void SelectedAttention::score(const DigestStore& digests, std::int64_t pages) {
    const KvShape& shape = store_.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t blocks = kv::page_count(pages, digest_block_pages);
    const std::int64_t stride = blocks * digest_block_pages;
    head_scores_.resize(static_cast<std::size_t>(shape.kv_heads * rows_ * stride));
    const std::int64_t parts = kv::page_count(blocks, blocks_per_part);
    pool_.run(shape.kv_heads * parts, [&](std::int64_t index) {
        const auto h = static_cast<int>(index / parts);
        const std::int64_t first = index % parts * blocks_per_part;
        const std::int64_t last = std::min(first + blocks_per_part, blocks);
        for (std::int64_t block = first; block < last; ++block) {
            attention_variant().score(
                {digests.block(h, block), shape.head_dim, positive_.data() + h * rows_ * dim,
                 negative_.data() + h * rows_ * dim, rows_,
                 head_scores_.data() + h * rows_ * stride + block * digest_block_pages, stride});
        }
    });
    bytes_read_ = shape.kv_heads * blocks * digests.block_values() * 2;
}

void SelectedAttention::select(std::int64_t pages) {
    const KvShape& shape = store_.shape();
    const std::int64_t stride = kv::page_count(pages, digest_block_pages) * digest_block_pages;
    group_scores_.resize(static_cast<std::size_t>(shape.kv_heads * stride));
    const std::int64_t budget = kv::page_count(config_.budget_tokens, shape.page_tokens);
    pool_.run(shape.kv_heads, [&](std::int64_t h) {
        const auto row = static_cast<std::size_t>(stride);
        const auto rows = static_cast<std::size_t>(rows_);
        const auto head = static_cast<std::size_t>(h);
        const auto all = std::span(group_scores_).subspan(head * row, row);
        kv::group_scores(std::span(head_scores_).subspan(head * rows * row, rows * row), rows_, 1,
                         kv::SelectPer::kv_head, config_.group_score, all);
        const auto scores = all.first(static_cast<std::size_t>(pages));
        kv::pin_pages(scores, config_.pinned);
        kv::select_top_pages(scores, budget, selected_[head]);
    });
}

void SelectedAttention::attend(const AttentionCall& call) {
    const KvShape& shape = store_.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t stride = shape.value_stride();
    // Two parts a KV head even out what threads are given; more would only merge more.
    constexpr std::int64_t parts = 2;
    const std::int64_t state_values = group_ * (2 + stride);
    states_.resize(static_cast<std::size_t>(shape.kv_heads * parts * state_values));
    const auto state_of = [&](std::int64_t h, std::int64_t part) {
        float* memory = states_.data() + (h * parts + part) * state_values;
        return AttentionState{memory, memory + group_, memory + 2 * group_};
    };
    pool_.run(shape.kv_heads * parts, [&](std::int64_t index) {
        const auto h = static_cast<int>(index / parts);
        const kv::PageList& pages = selected_[static_cast<std::size_t>(h)];
        const auto count = static_cast<std::int64_t>(pages.size());
        const AttentionState state = state_of(h, index % parts);
        clear(state, group_, stride);
        const std::int64_t last = count * (index % parts + 1) / parts;
        for (std::int64_t i = count * (index % parts) / parts; i < last; ++i) {
            const std::int64_t page = pages[static_cast<std::size_t>(i)];
            AttendPage job;
            job.page = store_.page(call.layer, page, h);
            job.next = i + 1 < last
                           ? store_.page(call.layer, pages[static_cast<std::size_t>(i + 1)], h)
                           : job.page;
            job.head_dim = shape.head_dim;
            job.page_tokens = shape.page_tokens;
            job.value_stride = stride;
            job.queries = queries_.data() + h * group_ * dim;
            job.rows = group_;
            job.last =
                std::min(call.first_position + 1 - page * shape.page_tokens, shape.page_tokens);
            job.state = state;
            attention_variant().attend(job);
        }
    });
    for (int h = 0; h < shape.kv_heads; ++h) {
        const AttentionState all = state_of(h, 0);
        for (std::int64_t part = 1; part < parts; ++part) {
            merge(state_of(h, part), group_, stride, all);
        }
        write_attention(all, group_, stride, shape.head_dim, call.out + h * group_ * dim);
        bytes_read_ += static_cast<std::int64_t>(selected_[static_cast<std::size_t>(h)].size()) *
                       shape.page_bytes();
    }
}

}  // namespace memside::engine
