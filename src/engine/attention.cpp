#include "engine/attention.h"

#include <cassert>
#include <numbers>

#include "engine/attention_parts.h"

namespace memside::engine {
namespace {

// Tokens of a prefill block that pass over a page together.
constexpr std::int64_t tile_tokens = 4;

std::int64_t first_seen(std::int64_t position, std::int64_t window) {
    return window > 0 ? std::max<std::int64_t>(position - window + 1, 0) : 0;
}

float log2_scale(float scale) {
    return scale * std::numbers::log2e_v<float>;
}

}  // namespace

Attention::Attention(const KvStore& store, ThreadPool& pool, int heads)
    : store_(store), pool_(pool), heads_(heads), group_(heads / store.shape().kv_heads) {
    assert(heads % store.shape().kv_heads == 0);
}

AttentionState Attention::state(float* memory, int rows) const {
    return {memory, memory + rows, memory + 2 * rows};
}

Status Attention::run(const AttentionCall& call) {
    if (call.tokens == 1) {
        decode(call);
    } else {
        prefill(call);
    }
    return {};
}

void Attention::decode(const AttentionCall& call) {
    const KvShape& shape = store_.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t begin = first_seen(call.first_position, call.window);
    const std::int64_t end = call.first_position + 1;
    const std::int64_t first_page = begin / shape.page_tokens;
    const std::int64_t pages = (end - 1) / shape.page_tokens + 1 - first_page;
    const auto query_values = static_cast<std::size_t>(heads_ * dim);
    queries_.resize(query_values);
    for (std::size_t i = 0; i < query_values; ++i) {
        queries_[i] = call.queries[i] * log2_scale(call.scale);
    }

    // Long contexts are split by pages, short ones by KV head.
    const std::int64_t threads = pool_.threads();
    const std::int64_t page_parts = attention_parts(pages);
    const std::int64_t head_parts =
        page_parts >= threads ? 1 : std::min<std::int64_t>(shape.kv_heads, threads);
    const std::int64_t state_values = group_ * (2 + shape.value_stride());
    states_.resize(static_cast<std::size_t>(page_parts * shape.kv_heads * state_values));
    const auto state_of = [&](std::int64_t part, std::int64_t kv_head) {
        return state(states_.data() + (part * shape.kv_heads + kv_head) * state_values, group_);
    };
    pool_.run(page_parts * head_parts, [&](std::int64_t index) {
        const std::int64_t part = index / head_parts;
        const std::int64_t head_part = index % head_parts;
        const auto first_head = static_cast<int>(shape.kv_heads * head_part / head_parts);
        const auto last_head = static_cast<int>(shape.kv_heads * (head_part + 1) / head_parts);
        const std::int64_t first = first_page + pages * part / page_parts;
        const std::int64_t last = first_page + pages * (part + 1) / page_parts;
        for (int h = first_head; h < last_head; ++h) {
            clear(state_of(part, h), group_, shape.value_stride());
        }
        for (std::int64_t page = first; page < last; ++page) {
            for (int h = first_head; h < last_head; ++h) {
                AttendPage job = page_job(store_, call.layer, page, h);
                // In address order: the next head's page, or the first head's next one.
                if (h + 1 < last_head) {
                    job.next = store_.page(call.layer, page, h + 1);
                } else if (page + 1 < last) {
                    job.next = store_.page(call.layer, page + 1, first_head);
                }
                job.queries = queries_.data() + h * group_ * dim;
                job.rows = group_;
                job.first = std::max<std::int64_t>(begin - page * shape.page_tokens, 0);
                job.last = std::min(end - page * shape.page_tokens, shape.page_tokens);
                job.state = state_of(part, h);
                attention_variant().attend(job);
            }
        }
    });
    for (int h = 0; h < shape.kv_heads; ++h) {
        for (std::int64_t part = 1; part < page_parts; ++part) {
            merge(state_of(part, h), group_, shape.value_stride(), state_of(0, h));
        }
        write_attention(state_of(0, h), group_, shape.value_stride(), shape.head_dim,
                        call.out + h * group_ * dim);
    }
    bytes_read_ += pages * shape.kv_heads * shape.page_bytes();
}

void Attention::prefill(const AttentionCall& call) {
    const KvShape& shape = store_.shape();
    const std::int64_t tiles = (call.tokens + tile_tokens - 1) / tile_tokens;
    // The last tokens see the most keys: begin with them, so that the rest evens out.
    pool_.run(tiles * shape.kv_heads, [&](std::int64_t index) {
        const std::int64_t first = (tiles - 1 - index / shape.kv_heads) * tile_tokens;
        prefill_tile(call, first, std::min(tile_tokens, call.tokens - first),
                     static_cast<int>(index % shape.kv_heads));
    });
    for (std::int64_t first = 0; first < call.tokens; first += tile_tokens) {
        const std::int64_t position = call.first_position + first;
        const std::int64_t last = position + std::min(tile_tokens, call.tokens - first) - 1;
        const std::int64_t pages =
            last / shape.page_tokens + 1 - first_seen(position, call.window) / shape.page_tokens;
        bytes_read_ += pages * shape.kv_heads * shape.page_bytes();
    }
}

void Attention::prefill_tile(const AttentionCall& call, std::int64_t first_token,
                             std::int64_t tokens, int kv_head) const {
    const KvShape& shape = store_.shape();
    const std::int64_t dim = shape.head_dim;
    const std::int64_t token_values = group_ * dim;
    const auto rows = static_cast<int>(tokens) * group_;
    thread_local std::vector<float> memory;
    memory.resize(static_cast<std::size_t>(rows * (2 + shape.value_stride() + dim)));
    const AttentionState all = state(memory.data(), rows);
    clear(all, rows, shape.value_stride());
    float* queries = memory.data() + rows * (2 + shape.value_stride());
    for (std::int64_t t = 0; t < tokens; ++t) {
        const float* from = call.queries + ((first_token + t) * heads_ + kv_head * group_) * dim;
        for (std::int64_t i = 0; i < token_values; ++i) {
            queries[t * token_values + i] = from[i] * log2_scale(call.scale);
        }
    }

    const std::int64_t position = call.first_position + first_token;
    const std::int64_t last_position = position + tokens - 1;
    const std::int64_t first_page = first_seen(position, call.window) / shape.page_tokens;
    for (std::int64_t page = first_page; page <= last_position / shape.page_tokens; ++page) {
        const std::int64_t begin = page * shape.page_tokens;
        const std::int64_t end = begin + shape.page_tokens;
        AttendPage job = page_job(store_, call.layer, page, kv_head);
        // A page that all tokens of the tile see in whole is passed over once for all.
        if (end <= position + 1 && begin >= first_seen(last_position, call.window)) {
            job.queries = queries;
            job.rows = rows;
            job.state = all;
            attention_variant().attend(job);
            continue;
        }
        for (std::int64_t t = 0; t < tokens; ++t) {
            job.first = std::max<std::int64_t>(first_seen(position + t, call.window) - begin, 0);
            job.last = std::min(position + t + 1, end) - begin;
            if (job.first >= job.last) continue;
            job.queries = queries + t * token_values;
            job.rows = group_;
            job.state = {all.largest + t * group_, all.sum + t * group_,
                         all.values + t * group_ * shape.value_stride()};
            attention_variant().attend(job);
        }
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
        const AttentionState own{all.largest + t * group_, all.sum + t * group_,
                                 all.values + t * group_ * shape.value_stride()};
        write_attention(own, group_, shape.value_stride(), shape.head_dim,
                        call.out + ((first_token + t) * heads_ + kv_head * group_) * dim);
    }
}

}  // namespace memside::engine
