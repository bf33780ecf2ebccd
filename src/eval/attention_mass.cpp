#include "eval/attention_mass.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

#include "kv/layout.h"

namespace memside::eval {

MassMeter::MassMeter(const engine::KvStore& store, int heads)
    : store_(store), heads_(heads), shares_(static_cast<std::size_t>(heads)) {}

// The softmax share of every page, for every query head.
void MassMeter::weigh(const engine::AttentionCall& call, std::int64_t pages) {
    const engine::KvShape& shape = store_.shape();
    const int rows = heads_ / shape.kv_heads;
    const std::int64_t queries = std::int64_t{rows} * shape.head_dim;
    const float scale = call.scale * std::numbers::log2e_v<float>;
    memory_.resize(static_cast<std::size_t>(queries + rows * (2 + shape.value_stride())));
    const engine::AttentionState state{memory_.data() + queries, memory_.data() + queries + rows,
                                       memory_.data() + queries + 2 * rows};
    for (int kv_head = 0; kv_head < shape.kv_heads; ++kv_head) {
        const float* from = call.queries + kv_head * queries;
        std::transform(from, from + queries, memory_.data(), [&](float q) { return q * scale; });
        // log2 of the weight of each page, [rows][pages].
        std::vector<std::vector<double>> logs(static_cast<std::size_t>(rows));
        for (std::int64_t page = 0; page < pages; ++page) {
            engine::AttendPage job = engine::page_job(store_, call.layer, page, kv_head);
            job.queries = memory_.data();
            job.rows = rows;
            job.last =
                std::min(call.first_position + 1 - page * shape.page_tokens, shape.page_tokens);
            job.state = state;
            engine::clear(state, rows, shape.value_stride());
            engine::attention_variant().attend(job);
            for (int row = 0; row < rows; ++row) {
                logs[static_cast<std::size_t>(row)].push_back(double{state.largest[row]} +
                                                              std::log2(double{state.sum[row]}));
            }
        }
        for (int row = 0; row < rows; ++row) {
            std::vector<double>& shares = logs[static_cast<std::size_t>(row)];
            const double largest = *std::ranges::max_element(shares);
            for (double& share : shares) share = std::exp2(share - largest);
            const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
            for (double& share : shares) share /= sum;
            shares_[static_cast<std::size_t>(kv_head * rows + row)] = std::move(shares);
        }
    }
}

Status MassMeter::selected(const engine::AttentionCall& call,
                           const engine::PolicyAttention& attention) {
    assert(call.tokens == 1);
    const std::int64_t pages = kv::page_count(call.first_position + 1, store_.shape().page_tokens);
    weigh(call, pages);
    const engine::PageSets& sets = attention.sets();
    for (std::int64_t set = 0; set < sets.count(); ++set) {
        const kv::PageList& chosen = attention.selected(set);
        std::vector<double> together(static_cast<std::size_t>(pages));
        const int heads = sets.kv_heads() * sets.rows();
        for (int head = 0; head < heads; ++head) {
            const std::vector<double>& own = shares(sets.first_head(set, 0) + head);
            for (std::size_t page = 0; page < own.size(); ++page) together[page] += own[page];
        }
        for (const kv::PageIndex page : chosen) {
            selected_ += together[static_cast<std::size_t>(page)];
        }
        std::ranges::sort(together, std::greater<>());
        best_ += std::accumulate(
            together.begin(), together.begin() + static_cast<std::ptrdiff_t>(chosen.size()), 0.0);
        heads_seen_ += heads;
    }
    return {};
}

MassMeans MassMeter::means() const {
    if (heads_seen_ == 0) return {};
    const auto count = static_cast<double>(heads_seen_);
    return {selected_ / count, best_ / count};
}

}  // namespace memside::eval
