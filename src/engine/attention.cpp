#include "engine/attention.h"

#include <cassert>
#include <numbers>

#include "engine/loop_parts.h"

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
    : store_(store),
      pool_(pool),
      heads_(heads),
      group_(heads / store.shape().kv_heads),
      near_(pool, store.shape().memory_nodes),
      lists_(pool) {
    assert(heads % store.shape().kv_heads == 0);
}

AttentionState Attention::state(float* memory, int rows) const {
    return {memory, memory + rows, memory + 2 * rows};
}

Status Attention::run(const AttentionCall& call) {
    // A window is a few pages: not worth asking where they lie.
    if (call.tokens == 1 && call.window == 0 && store_.shape().memory_nodes > 1) {
        decode_near(call);
    } else {
        MEMSIDE_CHECK(call.tokens == 1 ? decode(call) : prefill(call));
    }
    return store_.take_failure();
}

// Where pages lie, or nothing when all are in memory.
std::vector<PageRef> Attention::refs(int layer, std::int64_t first_page,
                                     std::int64_t last_page) const {
    std::vector<PageRef> result;
    if (store_.pages_in_file(layer, first_page, last_page) == 0) return result;
    for (std::int64_t page = first_page; page < last_page; ++page) {
        result.push_back(
            {store_.in_file(layer, page) ? store_.offset(layer, page) : std::int64_t{-1}});
    }
    return result;
}

Status Attention::decode(const AttentionCall& call) {
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
    const auto part_begin = [&](std::int64_t part) { return pages * part / page_parts; };
    std::vector<std::int64_t> sizes;
    for (std::int64_t part = 0; part < page_parts; ++part) {
        sizes.push_back(part_begin(part + 1) - part_begin(part));
    }
    const std::vector<PageRef> places = refs(call.layer, first_page, first_page + pages);
    PagePass pass(store_, std::move(sizes), places, shape.whole_bytes());
    const auto page_of = [&](std::int64_t part, std::int64_t index) {
        return first_page + part_begin(part) + index;
    };
    const auto page_at = [&](std::int64_t part, std::int64_t index, int kv_head) {
        const std::byte* at = pass.at(part, index);
        if (at != nullptr) return store_.view(at + kv_head * shape.piece_bytes());
        return store_.page(call.layer, page_of(part, index), kv_head);
    };
    const auto attend_part = [&](std::int64_t wave, std::int64_t index) {
        const std::int64_t part = index / head_parts;
        const std::int64_t head_part = index % head_parts;
        const auto first_head = static_cast<int>(shape.kv_heads * head_part / head_parts);
        const auto last_head = static_cast<int>(shape.kv_heads * (head_part + 1) / head_parts);
        for (int h = first_head; wave == 0 && h < last_head; ++h) {
            clear(state_of(part, h), group_, shape.value_stride());
        }
        const auto [first, last] = pass.pages(part, wave);
        for (std::int64_t i = first; i < last; ++i) {
            const std::int64_t token = page_of(part, i) * shape.page_tokens;
            for (int h = first_head; h < last_head; ++h) {
                if (!store_.usable(call.layer, page_of(part, i), h)) continue;
                AttendPage job = page_job(shape, page_at(part, i, h));
                // In address order: the next head's page, or the first head's next one.
                if (h + 1 < last_head) {
                    job.next = page_at(part, i, h + 1);
                } else if (i + 1 < last) {
                    job.next = page_at(part, i + 1, first_head);
                }
                job.queries = queries_.data() + h * group_ * dim;
                job.rows = group_;
                job.first = std::max<std::int64_t>(begin - token, 0);
                job.last = std::min(end - token, shape.page_tokens);
                job.state = state_of(part, h);
                attention_variant().attend(job);
            }
        }
    };
    MEMSIDE_CHECK(pass.run([&](std::int64_t wave) {
        pool_.run(page_parts * head_parts, [&](std::int64_t i) { attend_part(wave, i); });
    }));
    for (int h = 0; h < shape.kv_heads; ++h) {
        for (std::int64_t part = 1; part < page_parts; ++part) {
            merge(state_of(part, h), group_, shape.value_stride(), state_of(0, h));
        }
        write_attention(state_of(0, h), group_, shape.value_stride(), shape.head_dim,
                        call.out + h * group_ * dim);
    }
    const std::int64_t whole = shape.kv_heads * shape.page_bytes();
    bytes_read_ += pages * whole;
    bytes_from_file_ += store_.pages_in_file(call.layer, first_page, first_page + pages) * whole;
    return {};
}

// Every page by the threads of its node.
void Attention::decode_near(const AttentionCall& call) {
    const KvShape& shape = store_.shape();
    const std::int64_t tokens = call.first_position + 1;
    const std::int64_t pages = (tokens - 1) / shape.page_tokens + 1;
    queries_.resize(static_cast<std::size_t>(heads_ * shape.head_dim));
    for (std::size_t i = 0; i < queries_.size(); ++i) {
        queries_[i] = call.queries[i] * log2_scale(call.scale);
    }
    works_.resize(static_cast<std::size_t>(shape.kv_heads));
    for (int h = 0; h < shape.kv_heads; ++h) {
        PageListWork& work = works_[static_cast<std::size_t>(h)];
        work = {h * group_, group_, {}, {}, tokens - (pages - 1) * shape.page_tokens, {}};
        for (std::int64_t page = 0; page < pages; ++page) {
            if (!store_.usable(call.layer, page, h)) continue;
            work.pages.push_back(store_.page(call.layer, page, h));
            work.nodes.push_back(store_.node_of(call.layer, page));
        }
    }
    lists_.run_near(shape, works_, near_, queries_.data(), call.out);
    bytes_read_ += pages * shape.kv_heads * shape.page_bytes();
}

Status Attention::prefill(const AttentionCall& call) {
    const KvShape& shape = store_.shape();
    const std::int64_t tiles =
        (call.tokens + tile_tokens - 1) / tile_tokens * std::int64_t{shape.kv_heads};
    states_.resize(static_cast<std::size_t>(tiles * tile_values()));
    const std::int64_t first_page =
        first_seen(call.first_position, call.window) / shape.page_tokens;
    const std::int64_t last_page = (call.first_position + call.tokens - 1) / shape.page_tokens + 1;
    const std::vector<PageRef> places = refs(call.layer, first_page, last_page);
    PagePass pass(store_, {last_page - first_page}, places, shape.whole_bytes());
    const auto attend_tile = [&](std::int64_t wave, const Tile& tile) {
        if (wave == 0) begin_tile(call, tile);
        const auto [first, last] = pass.pages(0, wave);
        const std::int64_t position = call.first_position + tile.first_token;
        const std::int64_t from = first_seen(position, call.window) / shape.page_tokens;
        const std::int64_t to = (position + tile.tokens - 1) / shape.page_tokens + 1;
        for (std::int64_t page = std::max(first + first_page, from);
             page < std::min(last + first_page, to); ++page) {
            if (!store_.usable(call.layer, page, tile.kv_head)) continue;
            const std::byte* at = pass.at(0, page - first_page);
            attend_page(call, tile, page,
                        at == nullptr ? store_.page(call.layer, page, tile.kv_head)
                                      : store_.view(at + tile.kv_head * shape.piece_bytes()));
        }
        if (pass.last(wave)) end_tile(call, tile);
    };
    MEMSIDE_CHECK(pass.run([&](std::int64_t wave) {
        // The last tokens see the most keys: begin with them, so that the rest evens out.
        pool_.run(tiles, [&](std::int64_t i) { attend_tile(wave, tile(call, tiles - 1 - i)); });
    }));
    for (std::int64_t first = 0; first < call.tokens; first += tile_tokens) {
        const std::int64_t position = call.first_position + first;
        const std::int64_t last = position + std::min(tile_tokens, call.tokens - first) - 1;
        const std::int64_t from = first_seen(position, call.window) / shape.page_tokens;
        const std::int64_t to = last / shape.page_tokens + 1;
        const std::int64_t whole = shape.kv_heads * shape.page_bytes();
        bytes_read_ += (to - from) * whole;
        bytes_from_file_ += store_.pages_in_file(call.layer, from, to) * whole;
    }
    return {};
}

void Attention::read_ahead(int layer, std::int64_t position) const {
    const std::int64_t pages = position / store_.shape().page_tokens + 1;
    if (store_.pages_in_file(layer, 0, pages) == 0) return;
    std::vector<std::int64_t> offsets;
    for (std::int64_t page = 0; page < pages; ++page) {
        if (store_.in_file(layer, page)) offsets.push_back(store_.offset(layer, page));
    }
    store_.stream()->read_ahead(offsets, store_.shape().whole_bytes());
}

// Floats of a tile: its state and its queries.
std::int64_t Attention::tile_values() const {
    const KvShape& shape = store_.shape();
    return tile_tokens * group_ * (2 + shape.value_stride() + shape.head_dim);
}

// Tile `index` of a block: KV heads inside, tokens outside.
Attention::Tile Attention::tile(const AttentionCall& call, std::int64_t index) {
    const KvShape& shape = store_.shape();
    Tile tile;
    tile.first_token = index / shape.kv_heads * tile_tokens;
    tile.tokens = std::min(tile_tokens, call.tokens - tile.first_token);
    tile.kv_head = static_cast<int>(index % shape.kv_heads);
    tile.rows = static_cast<int>(tile.tokens) * group_;
    float* memory = states_.data() + index * tile_values();
    tile.all = state(memory, tile.rows);
    tile.queries = memory + tile.rows * (2 + shape.value_stride());
    return tile;
}

void Attention::begin_tile(const AttentionCall& call, const Tile& tile) const {
    const std::int64_t dim = store_.shape().head_dim;
    clear(tile.all, tile.rows, store_.shape().value_stride());
    for (std::int64_t t = 0; t < tile.tokens; ++t) {
        const float* from =
            call.queries + ((tile.first_token + t) * heads_ + tile.kv_head * group_) * dim;
        for (std::int64_t i = 0; i < group_ * dim; ++i) {
            tile.queries[t * group_ * dim + i] = from[i] * log2_scale(call.scale);
        }
    }
}

void Attention::attend_page(const AttentionCall& call, const Tile& tile, std::int64_t page,
                            const KvPage& at) const {
    const KvShape& shape = store_.shape();
    const std::int64_t position = call.first_position + tile.first_token;
    const std::int64_t begin = page * shape.page_tokens;
    const std::int64_t end = begin + shape.page_tokens;
    AttendPage job = page_job(shape, at);
    // A page that all tokens of the tile see in whole is passed over once for all.
    if (end <= position + 1 && begin >= first_seen(position + tile.tokens - 1, call.window)) {
        job.queries = tile.queries;
        job.rows = tile.rows;
        job.state = tile.all;
        attention_variant().attend(job);
        return;
    }
    for (std::int64_t t = 0; t < tile.tokens; ++t) {
        job.first = std::max<std::int64_t>(first_seen(position + t, call.window) - begin, 0);
        job.last = std::min(position + t + 1, end) - begin;
        if (job.first >= job.last) continue;
        job.queries = tile.queries + t * group_ * shape.head_dim;
        job.rows = group_;
        job.state = token_state(tile, t);
        attention_variant().attend(job);
    }
}

// The part of a tile's state that is a token's.
AttentionState Attention::token_state(const Tile& tile, std::int64_t t) const {
    return {tile.all.largest + t * group_, tile.all.sum + t * group_,
            tile.all.values + t * group_ * store_.shape().value_stride()};
}

void Attention::end_tile(const AttentionCall& call, const Tile& tile) const {
    const KvShape& shape = store_.shape();
    for (std::int64_t t = 0; t < tile.tokens; ++t) {
        write_attention(
            token_state(tile, t), group_, shape.value_stride(), shape.head_dim,
            call.out + ((tile.first_token + t) * heads_ + tile.kv_head * group_) * shape.head_dim);
    }
}

}  // namespace memside::engine
