#include "engine/page_list_attention.h"

#include <cassert>

namespace memside::engine {

Status PageListAttention::run(const KvStore& store, const std::vector<PageListWork>& works,
                              const float* queries, float* out) {
    const KvShape& shape = store.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t stride = shape.value_stride();
    const auto count = static_cast<std::int64_t>(works.size());
    // About four parts a thread even out what threads are given; more would only merge more.
    const std::int64_t threads = pool_.threads();
    const std::int64_t parts = threads == 1 ? 1 : (4 * threads + count - 1) / count;
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
