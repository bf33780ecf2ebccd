#include "engine/kv_store.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/number.h"
#include "engine/numa_topology.h"
#include "kv/counter_random.h"

namespace memside::engine {
namespace {

constexpr float largest_int8 = 127.0F;

constexpr std::int64_t to_cache_line(std::int64_t bytes) {
    return (bytes + 63) / 64 * 64;
}

void put(std::byte* to, std::uint16_t bits) {
    std::memcpy(to, &bits, sizeof bits);
}

// Writes integers from -127 to 127 to the places place(0), place(1).. and returns their scale, a
// bf16. A value that is no number makes the scale one that is none either.
template <typename Place>
std::uint16_t put_scaled(const float* values, std::int64_t count, const Place& place) {
    float largest = 0.0F;
    for (std::int64_t i = 0; i < count; ++i) {
        const float size = std::abs(values[i]);
        if (!(size <= largest)) largest = size;
        if (!std::isfinite(size)) break;
    }
    const std::uint16_t bits = bf16_above(std::isfinite(largest) ? largest / largest_int8 : NAN);
    const float scale = float_from_bf16(bits);
    for (std::int64_t i = 0; i < count; ++i) {
        // A scale that is zero, or none, leaves 0.
        const float whole = scale > 0.0F ? std::nearbyint(values[i] / scale) : 0.0F;
        *place(i) = static_cast<std::byte>(
            static_cast<std::int8_t>(std::clamp(whole, -largest_int8, largest_int8)));
    }
    return bits;
}

// Which bits of 8 bytes of values are random and which are set, for values up to 0.5.
struct RandomWords {
    std::uint64_t random = 0;
    std::uint64_t set = 0;
};

RandomWords random_words(kv::ValueType type) {
    // Sign and fraction at random, the exponent of 0.25.
    if (type == kv::ValueType::f16) return {0x83FF83FF83FF83FFULL, 0x3400340034003400ULL};
    if (type == kv::ValueType::bf16) return {0x807F807F807F807FULL, 0x3E803E803E803E80ULL};
    // Odd, so that -128 does not occur.
    return {0xFFFFFFFFFFFFFFFFULL, 0x0101010101010101ULL};
}

}  // namespace

std::int64_t KvShape::key_bytes() const {
    const KvFormat format = kv_format(type);
    return to_cache_line((head_dim + format.interleave - 1) / format.interleave * page_tokens *
                         format.lane_bytes);
}

std::int64_t KvShape::key_scale_bytes() const {
    if (!kv_format(type).scaled) return 0;
    return to_cache_line((head_dim + scaled_dims - 1) / scaled_dims * page_tokens * 2);
}

std::int64_t KvShape::value_scale_bytes() const {
    return kv_format(type).scaled ? to_cache_line(page_tokens * 2) : 0;
}

std::int64_t KvShape::value_bytes() const {
    const KvFormat format = kv_format(type);
    return to_cache_line(page_tokens / format.interleave * value_stride() * format.lane_bytes);
}

std::int64_t KvStore::places(std::size_t layer) const {
    const std::int64_t all = kv::page_count(shape_.capacity_tokens, shape_.page_tokens);
    const std::int64_t kept = shape_.kept_tokens[layer];
    if (kept == 0) return all;
    // One more: the kept tokens may begin and end inside a page.
    return std::min(all, kv::page_count(kept, shape_.page_tokens) + 1);
}

Result<KvStore> KvStore::make(KvShape shape, const FileTier& tier, bool shared) {
    assert(std::has_single_bit(static_cast<std::uint64_t>(shape.page_tokens)));
    assert(shape.page_tokens >= min_page_tokens && shape.page_tokens <= max_page_tokens);
    if (shape.type != kv::ValueType::f16 && shape.type != kv::ValueType::bf16 &&
        shape.type != kv::ValueType::int8) {
        return bad_input("",
                         fmt::format("keys and values cannot be kept as {}; allowed: f16, "
                                     "bf16, int8",
                                     kv::value_type_names()[static_cast<std::size_t>(shape.type)]));
    }
    KvStore store;
    store.shape_ = std::move(shape);
    if (!tier.folder.empty()) store.shape_.piece_alignment = direct_alignment;
    store.piece_bytes_ = store.shape_.piece_bytes();
    store.key_bytes_ = store.shape_.key_bytes();
    store.key_scale_bytes_ = store.shape_.key_scale_bytes();
    store.value_scale_bytes_ = store.shape_.value_scale_bytes();
    store.arrange(tier);
    MEMSIDE_CHECK(store.check_memory());
    for (Layer& layer : store.layers_) {
        const std::int64_t places = layer.first_pages + layer.ring;
        const std::int64_t nodes = store.shape_.memory_nodes;
        // Each node's part begins at a huge page, so that none lies in two nodes.
        std::int64_t bytes = (places + nodes - 1) / nodes * store.shape_.whole_bytes();
        if (nodes > 1) bytes = (bytes + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
        MEMSIDE_TRY(layer.memory,
                    HugeMemory::reserve(static_cast<std::size_t>(bytes * nodes), shared));
    }
    if (!tier.folder.empty()) MEMSIDE_CHECK(store.make_file(tier));
    return store;
}

// Which pages of each layer have which places in memory.
void KvStore::arrange(const FileTier& tier) {
    for (std::size_t index = 0; index < shape_.kept_tokens.size(); ++index) {
        const std::int64_t pages = places(index);
        Layer layer;
        (shape_.kept_tokens[index] == 0 ? layer.first_pages : layer.ring) = pages;
        if (!tier.folder.empty() && shape_.kept_tokens[index] == 0) {
            const std::int64_t first = tier.first_pages.empty() ? 0 : tier.first_pages[index];
            // The tokens may begin inside a page.
            const std::int64_t open = kv::page_count(tier.open_tokens, shape_.page_tokens) + 1;
            const std::int64_t together = kv::page_count(tier.write_bytes, shape_.whole_bytes());
            const std::int64_t ring = std::max(open, std::min(together, pages / 8));
            layer.filed = first + ring < pages;
            if (layer.filed) {
                layer.first_pages = first;
                layer.ring = ring;
                layer.written = layer.tail = first;
            }
        }
        layers_.push_back(std::move(layer));
    }
    const auto filed = [](const Layer& layer) { return layer.filed; };
    frame_bytes_ = std::ranges::any_of(layers_, filed) ? tier.frame_bytes : 0;
}

Status KvStore::check_memory() const {
    const std::int64_t total = memory_bytes();
    if (static_cast<std::size_t>(total) <= physical_memory_bytes()) return {};
    return Error{"",
                 fmt::format("keys and values of {} tokens are {}, more than the {} of memory "
                             "of this machine",
                             shape_.capacity_tokens, format_bytes(static_cast<double>(total)),
                             format_bytes(static_cast<double>(physical_memory_bytes()))),
                 Error::Kind::infeasible};
}

Status KvStore::make_file(const FileTier& tier) {
    KvFileShape shape;
    shape.piece_bytes = piece_bytes_;
    shape.kv_heads = shape_.kv_heads;
    for (std::size_t index = 0; index < layers_.size(); ++index) {
        const Layer& layer = layers_[index];
        shape.first_page.push_back(layer.first_pages);
        shape.last_page.push_back(layer.filed ? places(index) : layer.first_pages);
    }
    MEMSIDE_TRY(KvFile file, KvFile::make(tier.folder, shape));
    file_ = std::make_unique<KvFile>(std::move(file));
    if (frame_bytes_ == 0) return {};
    MEMSIDE_TRY(stream_, PageStream::make(*file_, tier.reader, frame_bytes_));
    return {};
}

Status KvStore::open(int layer, std::int64_t first, std::int64_t tokens) {
    Layer& at = layers_[static_cast<std::size_t>(layer)];
    if (!at.filed || tokens == 0) return {};
    const std::int64_t page = first / shape_.page_tokens;
    const std::int64_t last = (first + tokens - 1) / shape_.page_tokens;
    if (page < at.written) {
        // A rewind: the page that is cut is written on, and those after it are no more.
        const bool cut = first % shape_.page_tokens != 0;
        if (cut && in_file(layer, page)) {
            MEMSIDE_CHECK(read_back(layer, page));
        }
        at.written = std::max(page, at.first_pages);
        at.tail = std::min(at.tail, at.written);
        stream_->forget();
    }
    at.tail = std::max(at.tail, last - at.ring + 1);
    assert(at.tail <= at.written);
    return {};
}

Status KvStore::read_back(int layer, std::int64_t page) {
    const std::int64_t bytes = shape_.whole_bytes();
    stream_->begin({{offset(layer, page), 0, start(layer, page)}}, bytes);
    MEMSIDE_CHECK(stream_->arrive(0));
    stream_->end();
    return {};
}

Status KvStore::close(int layer, std::int64_t end) {
    Layer& at = layers_[static_cast<std::size_t>(layer)];
    if (!at.filed) return {};
    for (const std::int64_t full = end / shape_.page_tokens; at.written < full;) {
        // As many at once as lie side by side in the ring.
        const std::int64_t side_by_side = at.ring - at.written % at.ring;
        const std::int64_t pages = std::min(full - at.written, side_by_side);
        MEMSIDE_CHECK(file_->write(offset(layer, at.written), start(layer, at.written),
                                   pages * shape_.whole_bytes()));
        at.written += pages;
    }
    return {};
}

void KvStore::write(int layer, std::int64_t position, const float* keys, const float* values) {
    assert(position < shape_.capacity_tokens);
    const std::int64_t token = position % shape_.page_tokens;
    const KvFormat format = kv_format(shape_.type);
    const auto bits = [&](float x) {
        return shape_.type == kv::ValueType::bf16 ? bf16_from_float(x) : half_from_float(x);
    };
    for (int head = 0; head < shape_.kv_heads; ++head) {
        std::byte* page = start(layer, position / shape_.page_tokens) + head * piece_bytes_;
        std::byte* scales = page + key_bytes_;
        std::byte* value_scales = scales + key_scale_bytes_;
        std::byte* page_values = value_scales + value_scale_bytes_;
        const float* k = keys + head * shape_.head_dim;
        const float* v = values + head * shape_.head_dim;
        const auto key_at = [&](std::int64_t d) {
            return page + kv_offset(format, shape_.page_tokens, d, token);
        };
        const auto value_at = [&](std::int64_t d) {
            return page_values + kv_offset(format, shape_.value_stride(), token, d);
        };
        if (format.scaled) {
            for (std::int64_t d = 0; d < shape_.head_dim; d += scaled_dims) {
                const std::int64_t count = std::min(scaled_dims, shape_.head_dim - d);
                put(scales + (d / scaled_dims * shape_.page_tokens + token) * 2,
                    put_scaled(k + d, count, [&](std::int64_t i) { return key_at(d + i); }));
            }
            put(value_scales + token * 2, put_scaled(v, shape_.head_dim, value_at));
            continue;
        }
        for (int d = 0; d < shape_.head_dim; ++d) {
            put(key_at(d), bits(k[d]));
            put(value_at(d), bits(v[d]));
        }
    }
}

void KvStore::read_keys(int layer, std::int64_t page, int kv_head, std::int64_t first,
                        std::int64_t count, float* out) const {
    const KvPage from = this->page(layer, page, kv_head);
    // Dimensions outside: the page is read in the order in which it lies.
    for (std::int64_t d = 0; d < shape_.head_dim; ++d) {
        for (std::int64_t t = 0; t < count; ++t) {
            out[t * shape_.head_dim + d] = stored_key(from, shape_.page_tokens, first + t, d);
        }
    }
}

void KvStore::read_values(int layer, std::int64_t page, int kv_head, std::int64_t first,
                          std::int64_t count, float* out) const {
    const KvPage from = this->page(layer, page, kv_head);
    for (std::int64_t t = 0; t < count; ++t) {
        for (std::int64_t d = 0; d < shape_.head_dim; ++d) {
            out[t * shape_.head_dim + d] = stored_value(from, shape_.value_stride(), first + t, d);
        }
    }
}

void KvStore::fill_random(std::int64_t tokens, std::uint64_t seed, ThreadPool& pool) {
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        const std::int64_t pages =
            std::min(kv::page_count(tokens, shape_.page_tokens), places(layer));
        fill_random(static_cast<int>(layer), 0, pages, seed, pool);
    }
}

void KvStore::fill_random(int layer, std::int64_t first, std::int64_t last, std::uint64_t seed,
                          ThreadPool& pool) {
    const RandomWords words = random_words(shape_.type);
    const std::int64_t page_bytes = shape_.page_bytes();
    const auto layer_key = static_cast<std::uint64_t>(layer);
    pool.run(last - first, [&](std::int64_t index) {
        const std::int64_t page = first + index;
        const std::uint64_t key = kv::key_of({seed, layer_key, static_cast<std::uint64_t>(page)});
        std::uint64_t counter = 0;
        for (int head = 0; head < shape_.kv_heads; ++head) {
            std::byte* to = start(layer, page) + head * piece_bytes_;
            for (std::int64_t i = 0; i < page_bytes; i += 8, counter += 8) {
                const std::uint64_t bits = kv::random_bits(key, counter);
                const std::uint64_t word = (bits & words.random) | words.set;
                std::memcpy(to + i, &word, sizeof word);
            }
            const std::uint16_t scale = bf16_above(0.5F / largest_int8);
            const std::int64_t scales = (key_scale_bytes_ + value_scale_bytes_) / 2;
            for (std::int64_t i = 0; i < scales; ++i) put(to + key_bytes_ + i * 2, scale);
        }
    });
}

Status KvStore::bind(const std::vector<int>& nodes) {
    assert(static_cast<int>(nodes.size()) == shape_.memory_nodes);
    for (int layer = 0; layer < static_cast<int>(layers_.size()); ++layer) {
        const std::int64_t bytes = node_bytes(layer);
        for (std::size_t node = 0; node < nodes.size(); ++node) {
            std::byte* first = layers_[static_cast<std::size_t>(layer)].memory.data() +
                               static_cast<std::int64_t>(node) * bytes;
            MEMSIDE_CHECK(bind_memory(first, static_cast<std::size_t>(bytes), {nodes[node]}));
        }
    }
    return {};
}

std::int64_t KvStore::bytes_of(std::int64_t tokens) const {
    std::int64_t pages = 0;
    for (std::size_t layer = 0; layer < shape_.kept_tokens.size(); ++layer) {
        pages += std::min(kv::page_count(tokens, shape_.page_tokens), places(layer));
    }
    return pages * shape_.whole_bytes();
}

std::int64_t KvStore::memory_bytes() const {
    std::int64_t pages = 0;
    for (const Layer& layer : layers_) pages += layer.first_pages + layer.ring;
    return pages * shape_.whole_bytes() + frame_bytes_;
}

}  // namespace memside::engine
