#include "engine/page_list_attention.h"

#include <algorithm>
#include <cassert>

#include "engine/loop_parts.h"

namespace memside::engine {

// Part `part` of `parts` of a work's pages, into a state of its own.
void PageListAttention::attend(const KvShape& shape, const PageListWork& work, std::int64_t part,
                               std::int64_t parts, const float* queries,
                               const AttentionState& state) const {
    clear(state, work.rows, shape.value_stride());
    if (work.pages.empty()) return;
    const auto pages = static_cast<std::int64_t>(work.pages.size());
    AttendPage job = page_job(shape, work.pages.front());
    job.queries = queries + work.first_head * shape.head_dim;
    job.rows = work.rows;
    job.state = state;
    const std::int64_t last = pages * (part + 1) / parts;
    for (std::int64_t i = pages * part / parts; i < last; ++i) {
        job.page = work.pages[static_cast<std::size_t>(i)];
        job.next = work.pages[static_cast<std::size_t>(i + 1 < last ? i + 1 : i)];
        job.last = i + 1 < pages ? shape.page_tokens : work.last_tokens;
        attention_variant().attend(job);
    }
}

void PageListAttention::spread(const KvShape& shape, const std::vector<PageListWork>& works) {
    near_.resize(static_cast<std::size_t>(shape.memory_nodes));
    for (std::vector<PageListWork>& own : near_) own.resize(works.size());
    for (std::size_t w = 0; w < works.size(); ++w) {
        const PageListWork& work = works[w];
        assert(work.nodes.size() == work.pages.size());
        for (std::vector<PageListWork>& own : near_) {
            own[w].first_head = work.first_head;
            own[w].rows = work.rows;
            own[w].pages.clear();
            own[w].last_tokens = shape.page_tokens;
        }
        for (std::size_t i = 0; i < work.pages.size(); ++i) {
            near_[static_cast<std::size_t>(work.nodes[i])][w].pages.push_back(work.pages[i]);
        }
        if (!work.pages.empty()) {
            near_[static_cast<std::size_t>(work.nodes.back())][w].last_tokens = work.last_tokens;
        }
    }
}

void PageListAttention::run_near(const KvShape& shape, const std::vector<PageListWork>& works,
                                 NearMemory& near, const float* queries, float* out) {
    spread(shape, works);
    const std::int64_t stride = shape.value_stride();
    const auto nodes = static_cast<std::int64_t>(near_.size());
    const auto count = static_cast<std::int64_t>(works.size());
    const std::int64_t parts = (4 * std::int64_t{pool_.threads()} + count - 1) / count;
    const int rows = works.front().rows;
    const std::int64_t state_values = rows * (2 + stride);
    states_.resize(static_cast<std::size_t>(nodes * count * parts * state_values));
    const auto state_of = [&](std::int64_t node, std::int64_t work, std::int64_t part) {
        float* memory = states_.data() + ((work * nodes + node) * parts + part) * state_values;
        return AttentionState{memory, memory + rows, memory + 2 * rows};
    };
    const std::vector<std::int64_t> counts(near_.size(), count * parts);
    near.run(counts, [&](int node, std::int64_t index) {
        const std::int64_t work = index / parts;
        attend(shape, near_[static_cast<std::size_t>(node)][static_cast<std::size_t>(work)],
               index % parts, parts, queries, state_of(node, work, index % parts));
    });
    // A node without pages has sums of zero, which add nothing.
    for (std::int64_t w = 0; w < count; ++w) {
        const AttentionState all = state_of(0, w, 0);
        for (std::int64_t part = 1; part < nodes * parts; ++part) {
            merge(state_of(part / parts, w, part % parts), rows, stride, all);
        }
        write_attention(all, rows, stride, shape.head_dim,
                        out + works[static_cast<std::size_t>(w)].first_head * shape.head_dim);
    }
}

Status PageListAttention::run(const KvStore& store, const std::vector<PageListWork>& works,
                              const float* queries, float* out) {
    const KvShape& shape = store.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t stride = shape.value_stride();
    const auto count = static_cast<std::int64_t>(works.size());
    std::size_t most_pages = 0;
    for (const PageListWork& work : works) most_pages = std::max(most_pages, work.pages.size());
    const std::int64_t parts = attention_parts(static_cast<std::int64_t>(most_pages));
    const int rows = works.front().rows;
    const std::int64_t state_values = rows * (2 + stride);
    states_.resize(static_cast<std::size_t>(count * parts * state_values));
    const auto state_of = [&](std::int64_t work, std::int64_t part) {
        float* memory = states_.data() + (work * parts + part) * state_values;
        return AttentionState{memory, memory + rows, memory + 2 * rows};
    };
    // A list is a part of a work's pages.
    std::vector<std::int64_t> sizes;
    std::vector<PageRef> refs;
    for (const PageListWork& work : works) {
        const auto pages = static_cast<std::int64_t>(work.pages.size());
        assert(work.rows == rows && pages > 0);
        for (std::int64_t part = 0; part < parts; ++part) {
            sizes.push_back(pages * (part + 1) / parts - pages * part / parts);
        }
        refs.insert(refs.end(), work.refs.begin(), work.refs.end());
    }
    PagePass pass(store, std::move(sizes), refs, shape.piece_bytes());
    const auto attend_list = [&](std::int64_t wave, std::int64_t list) {
        const PageListWork& work = works[static_cast<std::size_t>(list / parts)];
        const auto pages = static_cast<std::int64_t>(work.pages.size());
        const std::int64_t begin = pages * (list % parts) / parts;
        const auto page_at = [&](std::int64_t i) {
            const std::byte* at = pass.at(list, i);
            return at == nullptr ? work.pages[static_cast<std::size_t>(begin + i)] : store.view(at);
        };
        AttendPage job = page_job(shape, work.pages.front());
        job.queries = queries + work.first_head * dim;
        job.rows = rows;
        job.state = state_of(list / parts, list % parts);
        if (wave == 0) clear(job.state, rows, stride);
        const auto [first, last] = pass.pages(list, wave);
        for (std::int64_t i = first; i < last; ++i) {
            job.page = page_at(i);
            job.next = page_at(i + 1 < last ? i + 1 : i);
            job.last = begin + i + 1 < pages ? shape.page_tokens : work.last_tokens;
            attention_variant().attend(job);
        }
    };
    MEMSIDE_CHECK(pass.run([&](std::int64_t wave) {
        pool_.run(count * parts, [&](std::int64_t list) { attend_list(wave, list); });
    }));
    for (std::int64_t w = 0; w < count; ++w) {
        const AttentionState all = state_of(w, 0);
        for (std::int64_t part = 1; part < parts; ++part) {
            merge(state_of(w, part), rows, stride, all);
        }
        write_attention(all, rows, stride, shape.head_dim,
                        out + works[static_cast<std::size_t>(w)].first_head * dim);
    }
    return {};
}

}  // namespace memside::engine
