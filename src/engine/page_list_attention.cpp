#include "engine/page_list_attention.h"

#include <algorithm>
#include <cassert>

#include "engine/attention_parts.h"

namespace memside::engine {

void PageListAttention::run(const KvShape& shape, const std::vector<PageListWork>& works,
                            const float* queries, float* out) {
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
    pool_.run(count * parts, [&](std::int64_t index) {
        const PageListWork& work = works[static_cast<std::size_t>(index / parts)];
        assert(work.rows == rows && !work.pages.empty());
        const auto pages = static_cast<std::int64_t>(work.pages.size());
        const std::int64_t part = index % parts;
        AttendPage job = page_job(shape, work.pages.front());
        job.queries = queries + work.first_head * dim;
        job.rows = rows;
        job.state = state_of(index / parts, part);
        clear(job.state, rows, stride);
        const std::int64_t last = pages * (part + 1) / parts;
        for (std::int64_t i = pages * part / parts; i < last; ++i) {
            job.page = work.pages[static_cast<std::size_t>(i)];
            job.next = work.pages[static_cast<std::size_t>(i + 1 < last ? i + 1 : i)];
            job.last = i + 1 < pages ? shape.page_tokens : work.last_tokens;
            attention_variant().attend(job);
        }
    });
    for (std::int64_t w = 0; w < count; ++w) {
        const AttentionState all = state_of(w, 0);
        for (std::int64_t part = 1; part < parts; ++part) {
            merge(state_of(w, part), rows, stride, all);
        }
        write_attention(all, rows, stride, shape.head_dim,
                        out + works[static_cast<std::size_t>(w)].first_head * dim);
    }
}

}  // namespace memside::engine
