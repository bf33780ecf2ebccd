#include "engine/selected_attention.h"

#include <chrono>
#include <numbers>

#include "kv/layout.h"

namespace memside::engine {
namespace {

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
      selector_(store.shape(), pool, heads, std::move(config)) {}

void SelectedAttention::run(const AttentionCall& call, const DigestStore& digests) {
    const KvShape& shape = store_.shape();
    const auto values = static_cast<std::size_t>(heads_ * shape.head_dim);
    queries_.resize(values);
    for (std::size_t i = 0; i < values; ++i) {
        queries_[i] = call.queries[i] * call.scale * std::numbers::log2e_v<float>;
    }
    const double start = seconds_now();
    selector_.select(queries_.data(), call.layer,
                     kv::page_count(call.first_position + 1, shape.page_tokens), digests);
    scoring_s_ += seconds_now() - start;
    attend(call);
}

void SelectedAttention::attend(const AttentionCall& call) {
    const KvShape& shape = store_.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t stride = shape.value_stride();
    // Query heads that attend the same pages of one KV head go together.
    const std::int64_t teams = std::max<std::int64_t>(selector_.sets(), shape.kv_heads);
    const auto rows = static_cast<int>(heads_ / teams);
    // Two parts a team even out what threads are given; more would only merge more.
    constexpr std::int64_t parts = 2;
    const std::int64_t state_values = rows * (2 + stride);
    states_.resize(static_cast<std::size_t>(teams * parts * state_values));
    const auto state_of = [&](std::int64_t team, std::int64_t part) {
        float* memory = states_.data() + (team * parts + part) * state_values;
        return AttentionState{memory, memory + rows, memory + 2 * rows};
    };
    const auto pages_of = [&](std::int64_t team) -> const kv::PageList& {
        return selector_.selected(team * selector_.sets() / teams);
    };
    pool_.run(teams * parts, [&](std::int64_t index) {
        const std::int64_t team = index / parts;
        const auto h = static_cast<int>(team * shape.kv_heads / teams);
        const kv::PageList& pages = pages_of(team);
        const auto count = static_cast<std::int64_t>(pages.size());
        const AttentionState state = state_of(team, index % parts);
        clear(state, rows, stride);
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
            job.queries = queries_.data() + team * rows * dim;
            job.rows = rows;
            job.last =
                std::min(call.first_position + 1 - page * shape.page_tokens, shape.page_tokens);
            job.state = state;
            attention_variant().attend(job);
        }
    });
    bytes_read_ = selector_.bytes_read();
    for (std::int64_t team = 0; team < teams; ++team) {
        const AttentionState all = state_of(team, 0);
        for (std::int64_t part = 1; part < parts; ++part) {
            merge(state_of(team, part), rows, stride, all);
        }
        write_attention(all, rows, stride, shape.head_dim, call.out + team * rows * dim);
        bytes_read_ += static_cast<std::int64_t>(pages_of(team).size()) * shape.page_bytes();
    }
}

}  // namespace memside::engine
