#include "engine/decoder.h"

#include <cassert>

#include "base/clock.h"
#include "engine/dequantize.h"
#include "engine/elementwise.h"
#include "engine/matmul.h"
#include "kv/layout.h"

namespace memside::engine {
namespace {

// Tokens that go through a layer together: as many as make turning weights into f32 cheap beside
// the products, and few enough that rows of 2,000 activations stay in a core's level-2 cache.
constexpr std::int64_t block_tokens = 96;

KvShape kv_shape(const ModelSpec& spec, const DecoderOptions& options) {
    KvShape shape;
    shape.kv_heads = spec.kv_heads;
    shape.head_dim = spec.head_dim;
    shape.page_tokens = options.page_tokens;
    shape.capacity_tokens = options.capacity_tokens;
    shape.type = options.kv_type;
    shape.memory_nodes = options.placement.count();
    for (int layer = 0; layer < spec.layers; ++layer) {
        // The first token of a block looks back a whole window while the last one is there already,
        // and so does the first one after a rewind.
        const std::int64_t ahead = std::max(block_tokens, options.rewind_tokens);
        shape.kept_tokens.push_back(spec.slides(layer) ? spec.sliding_window_tokens + ahead : 0);
    }
    return shape;
}

std::vector<bool> selecting_layers(const ModelSpec& spec, const KvPolicy& policy) {
    kv::PageFormat format;
    format.dense_layers = policy.dense_layers;
    std::vector<bool> result;
    for (int layer = 0; layer < spec.layers; ++layer) {
        result.push_back(policy.variant->selects && kv::selects(spec, format, layer));
    }
    return result;
}

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::make(const ModelFile& model,
                                               const DecoderOptions& options) {
    MEMSIDE_CHECK(check_policy(options.policy, options.page_tokens));
    const ModelSpec& spec = model.config.spec;
    KvPolicy policy = options.policy;
    const std::vector<bool> selecting = selecting_layers(spec, policy);
    const KvShape shape = kv_shape(spec, options);
    MEMSIDE_TRY(const FileTier tier,
                share_pool(options.tier, shape, selecting, spec.heads, block_tokens, policy));
    MEMSIDE_TRY(KvStore store, KvStore::make(shape, tier));
    auto decoder = std::unique_ptr<Decoder>(new Decoder(model, options, std::move(store)));
    if (!options.placement.nodes.empty() && options.placement.real) {
        decoder->nodes_ = options.placement.numbers();
        MEMSIDE_CHECK(decoder->store_.bind(decoder->nodes_));
    }
    MEMSIDE_CHECK(decoder->make_selection(policy, selecting));
    return decoder;
}

Status Decoder::make_selection(const KvPolicy& policy, const std::vector<bool>& selecting) {
    if (!policy.variant->selects) return {};
    MEMSIDE_TRY(selected_,
                PolicyAttention::make(store_, pool_, config_.spec.heads, policy, selecting));
    if (!nodes_.empty()) MEMSIDE_CHECK(selected_->bind(nodes_));
    return {};
}

Status Decoder::set_policy(const KvPolicy& policy) {
    MEMSIDE_CHECK(check_policy(policy, store_.shape().page_tokens));
    // Digests are made from keys in memory.
    assert(store_.stream() == nullptr);
    auto before = std::move(selected_);
    Status made = make_selection(policy, selecting_layers(config_.spec, policy));
    if (made.ok()) made = digest_store();
    if (!made.ok()) {
        selected_ = std::move(before);
        return made;
    }
    reset_statistics();
    return {};
}

Decoder::Decoder(const ModelFile& model, const DecoderOptions& options, KvStore store)
    : config_(model.config),
      weights_(model.weights),
      pool_(options.placement.threads(options.threads),
            [placement = options.placement](unsigned i) { placement.start_thread(i); }),
      store_(std::move(store)),
      attention_(store_, pool_, config_.spec.heads),
      rope_(config_.rope, config_.rope_dims, config_.rope_pairs, weights_.rope_factors),
      sliding_rope_(config_.sliding_rope, config_.rope_dims, config_.rope_pairs,
                    weights_.rope_factors),
      reads_ahead_(options.tier.read_ahead && store_.stream() != nullptr),
      activations_(options.activation_terms) {
    const ModelSpec& spec = config_.spec;
    const std::int64_t query_width = std::int64_t{spec.heads} * spec.head_dim;
    const std::int64_t kv_width = std::int64_t{spec.kv_heads} * spec.head_dim;
    for (auto* rows : {&residual_, &normed_, &branch_})
        rows->resize(size(block_tokens * spec.hidden));
    for (auto* rows : {&queries_, &attended_}) rows->resize(size(block_tokens * query_width));
    for (auto* rows : {&keys_, &values_}) rows->resize(size(block_tokens * kv_width));
    for (auto* rows : {&gate_, &up_}) rows->resize(size(block_tokens * spec.ffn));
    angles_.resize(size(block_tokens * 4 * rope_.pairs()));
    logits_.resize(size(spec.vocab));
}

Result<std::span<const float>> Decoder::feed(std::span<const TokenId> tokens,
                                             const std::function<void(std::int64_t)>& fed) {
    decoding_ = tokens.size() == 1;
    return feed_blocks(tokens, block_tokens, fed);
}

Result<std::span<const float>> Decoder::step(std::span<const TokenId> tokens) {
    decoding_ = true;
    return feed_blocks(tokens, 1, {});
}

Result<std::span<const float>> Decoder::feed_blocks(std::span<const TokenId> tokens,
                                                    std::int64_t block,
                                                    const std::function<void(std::int64_t)>& fed) {
    assert(!tokens.empty());
    assert(length_ + static_cast<std::int64_t>(tokens.size()) <= store_.shape().capacity_tokens);
    const double start = seconds_now();
    const std::size_t most = size(block);
    for (std::size_t at = 0; at < tokens.size(); at += most) {
        const std::size_t count = std::min(most, tokens.size() - at);
        MEMSIDE_CHECK(feed_block(tokens.subspan(at, count)));
        if (at + count == tokens.size()) compute_logits(static_cast<std::int64_t>(count) - 1);
        length_ += static_cast<std::int64_t>(count);
        if (fed) fed(static_cast<std::int64_t>(at + count));
    }
    total_s_ += seconds_now() - start;
    return std::span<const float>(logits_);
}

Status Decoder::feed_block(std::span<const TokenId> tokens) {
    const auto count = static_cast<std::int64_t>(tokens.size());
    MEMSIDE_CHECK(store_.prepare_write(length_, count));
    embed(tokens);
    prepare_angles(count);
    for (int index = 0; index < config_.spec.layers; ++index) {
        const LayerWeights& layer = weights_.layers[static_cast<std::size_t>(index)];
        const LayerCall call{index, length_, count, decoding_,
                             std::span(residual_).first(size(count * config_.spec.hidden))};
        if (observer_ != nullptr) MEMSIDE_CHECK(observer_->layer_begins(call));
        normalise(residual_.data(), layer.attention_norm, count);
        MEMSIDE_CHECK(attend(index, count));
        activations_.set(attended_.data(), count,
                         std::int64_t{config_.spec.heads} * config_.spec.head_dim);
        multiply(layer.attention_output, branch_.data());
        add_branch(layer.attention_post_norm, count);

        normalise(residual_.data(), layer.ffn_norm, count);
        feed_forward(layer, count);
        add_branch(layer.ffn_post_norm, count);
        if (observer_ != nullptr) MEMSIDE_CHECK(observer_->layer_ended(call));
    }
    return {};
}

void Decoder::embed(std::span<const TokenId> tokens) {
    const std::int64_t hidden = config_.spec.hidden;
    pool_.run(static_cast<std::int64_t>(tokens.size()), [&](std::int64_t t) {
        const TokenId token = tokens[size(t)];
        assert(token >= 0 && token < config_.spec.vocab);
        float* row = residual_.data() + t * hidden;
        dequantize(weights_.embedding.type, weights_.embedding.row(token), hidden, row);
        if (config_.embedding_scale == 1.0F) return;
        for (std::int64_t i = 0; i < hidden; ++i) row[i] *= config_.embedding_scale;
    });
}

void Decoder::prepare_angles(std::int64_t tokens) {
    const std::int64_t pairs = rope_.pairs();
    pool_.run(tokens, [&](std::int64_t t) {
        float* own = angles_.data() + t * 4 * pairs;
        rope_.angles(length_ + t, own, own + pairs);
        if (config_.spec.sliding_layers() > 0) {
            sliding_rope_.angles(length_ + t, own + 2 * pairs, own + 3 * pairs);
        }
    });
}

// The rows at `from`, normalised, become the input of the next products.
void Decoder::normalise(const float* from, const std::vector<float>& weight, std::int64_t tokens) {
    const std::int64_t hidden = config_.spec.hidden;
    pool_.run(tokens, [&](std::int64_t t) {
        rms_norm(from + t * hidden, weight.data(), config_.norm_epsilon, hidden,
                 normed_.data() + t * hidden);
    });
    activations_.set(normed_.data(), tokens, hidden);
}

void Decoder::multiply(const Linear& linear, float* y, bool quantized) {
    matmul(pool_, linear.weight, activations_, y, quantized);
    if (linear.bias.empty()) return;
    const std::int64_t rows = linear.weight.rows;
    for (std::int64_t t = 0; t < activations_.rows(); ++t) {
        add_to(y + t * rows, linear.bias.data(), rows);
    }
}

// Norms and rotates a token's heads, and puts its keys and values into the store.
void Decoder::rotate_and_store(int layer, std::int64_t token) {
    const ModelSpec& spec = config_.spec;
    const LayerWeights& weights = weights_.layers[static_cast<std::size_t>(layer)];
    const bool slides = spec.slides(layer);
    const Rope& rope = slides ? sliding_rope_ : rope_;
    const std::int64_t pairs = rope.pairs();
    const float* cosines = angles_.data() + (token * 4 + (slides ? 2 : 0)) * pairs;
    const auto turn = [&](float* heads, int count, const std::vector<float>& norm) {
        for (int h = 0; h < count; ++h) {
            float* head = heads + h * spec.head_dim;
            if (config_.qk_norm) {
                rms_norm(head, norm.data(), config_.norm_epsilon, spec.head_dim, head);
            }
            rope.rotate(head, cosines, cosines + pairs);
        }
    };
    float* keys = keys_.data() + token * spec.kv_heads * spec.head_dim;
    turn(queries_.data() + token * spec.heads * spec.head_dim, spec.heads, weights.query_norm);
    turn(keys, spec.kv_heads, weights.key_norm);
    store_.write(layer, length_ + token, keys,
                 values_.data() + token * spec.kv_heads * spec.head_dim);
}

Status Decoder::attend(int layer, std::int64_t tokens) {
    const LayerWeights& weights = weights_.layers[static_cast<std::size_t>(layer)];
    multiply(weights.query, queries_.data());
    const bool quantized = is_quantized(weights.query.weight.type);
    multiply(weights.key, keys_.data(), quantized);
    multiply(weights.value, values_.data(), quantized || is_quantized(weights.key.weight.type));
    MEMSIDE_CHECK(store_.open(layer, length_, tokens));
    pool_.run(tokens, [&](std::int64_t token) { rotate_and_store(layer, token); });
    const AttentionCall call{layer,
                             queries_.data(),
                             tokens,
                             length_,
                             config_.spec.slides(layer) ? config_.spec.sliding_window_tokens : 0,
                             config_.attention_scale,
                             attended_.data()};
    const bool selects = selected_ != nullptr && selected_->selects(layer);
    const double start = seconds_now();
    if (selects) MEMSIDE_CHECK(selected_->append(layer, length_, tokens));
    if (observer_ != nullptr) MEMSIDE_CHECK(observer_->seen(call, decoding_));
    if (selects && decoding_) {
        MEMSIDE_CHECK(selected_->run(call));
        if (observer_ != nullptr) MEMSIDE_CHECK(observer_->selected(call, *selected_));
    } else {
        MEMSIDE_CHECK(attention_.run(call));
    }
    MEMSIDE_CHECK(store_.close(layer, length_ + tokens));
    // A layer that read nothing leaves what was begun before it.
    if (reads_ahead_ && store_.pages_in_file(layer, 0, length_ / store_.shape().page_tokens) > 0) {
        read_ahead(layer, tokens);
    }
    attending_s_ += seconds_now() - start;
    return {};
}

// After a layer has attended: what the next one to have pages in the file will read first. After
// the last layer that is the first one, for the tokens after these.
void Decoder::read_ahead(int layer, std::int64_t tokens) const {
    const int layers = config_.spec.layers;
    for (int step = 1; step <= layers; ++step) {
        const int next = (layer + step) % layers;
        const std::int64_t position = layer + step < layers ? length_ : length_ + tokens;
        if (store_.pages_in_file(next, 0, position / store_.shape().page_tokens) == 0) continue;
        if (decoding_ && selected_ != nullptr && selected_->selects(next)) {
            selected_->read_ahead(next);
        } else {
            attention_.read_ahead(next, position);
        }
        return;
    }
}

void Decoder::truncate(std::int64_t tokens) {
    if (tokens >= length_) return;
    length_ = tokens;
    if (selected_ != nullptr) selected_->truncate(tokens);
}

Status Decoder::fill_random(std::int64_t tokens, std::uint64_t seed,
                            const std::function<void(std::int64_t)>& filled) {
    assert(tokens <= store_.shape().capacity_tokens);
    truncate(0);
    MEMSIDE_CHECK(store_.prepare_write(0, tokens));
    for (int layer = 0; layer < config_.spec.layers; ++layer) {
        MEMSIDE_CHECK(fill_layer(layer, tokens, seed));
        if (filled) filled(tokens * (layer + 1) / config_.spec.layers);
    }
    length_ = tokens;
    return {};
}

Status Decoder::fill_layer(int layer, std::int64_t tokens, std::uint64_t seed) {
    const std::int64_t page_tokens = store_.shape().page_tokens;
    const std::int64_t at_once = store_.open_pages(layer) * page_tokens;
    const std::int64_t pages = kv::page_count(tokens, page_tokens);
    const bool slides = config_.spec.slides(layer);
    const std::int64_t kept =
        slides ? std::max<std::int64_t>(pages - store_.open_pages(layer), 0) : 0;
    for (std::int64_t first = kept * page_tokens; first < tokens; first += at_once) {
        const std::int64_t count = std::min(at_once, tokens - first);
        MEMSIDE_CHECK(store_.open(layer, first, count));
        store_.fill_random(layer, first / page_tokens, kv::page_count(first + count, page_tokens),
                           seed, pool_);
        if (selected_ != nullptr && selected_->selects(layer)) {
            MEMSIDE_CHECK(selected_->append(layer, first, count));
        }
        MEMSIDE_CHECK(store_.close(layer, first + count));
    }
    return {};
}

Status Decoder::digest_store() {
    if (selected_ == nullptr || length_ == 0) return {};
    for (int layer = 0; layer < config_.spec.layers; ++layer) {
        if (selected_->selects(layer)) MEMSIDE_CHECK(selected_->append(layer, 0, length_));
    }
    return {};
}

KvMemory Decoder::memory() const {
    const std::int64_t pool = selected_ != nullptr ? selected_->pool_bytes() : 0;
    return {store_.memory_bytes() + pool, store_.stream() != nullptr ? store_.file()->bytes() : 0};
}

StepStatistics Decoder::statistics() const {
    StepStatistics result;
    if (selected_ != nullptr) result.policy = selected_->counts();
    result.total_s = total_s_;
    result.attention_s = attending_s_ - result.policy.scoring_s - result.policy.recall_s;
    result.dense_kv_bytes = attention_.bytes_read() - dense_bytes_before_;
    result.dense_kv_bytes_from_file = attention_.bytes_from_file() - file_bytes_before_;
    if (store_.stream() != nullptr) result.stream = store_.stream()->counts();
    return result;
}

void Decoder::reset_statistics() {
    total_s_ = 0.0;
    attending_s_ = 0.0;
    dense_bytes_before_ = attention_.bytes_read();
    file_bytes_before_ = attention_.bytes_from_file();
    if (store_.stream() != nullptr) store_.stream()->reset_counts();
    if (selected_ != nullptr) selected_->reset_counts();
}

void Decoder::feed_forward(const LayerWeights& layer, std::int64_t tokens) {
    const std::int64_t ffn = config_.spec.ffn;
    multiply(layer.gate, gate_.data());
    multiply(layer.up, up_.data(), is_quantized(layer.gate.weight.type));
    if (tokens == 1) {
        apply_gate(config_.gate, gate_.data(), up_.data(), ffn);
    } else {
        pool_.run(tokens, [&](std::int64_t t) {
            apply_gate(config_.gate, gate_.data() + t * ffn, up_.data() + t * ffn, ffn);
        });
    }
    activations_.set(gate_.data(), tokens, ffn);
    multiply(layer.down, branch_.data());
}

// Adds what a branch gave to the residual, normalised first where the model does that.
void Decoder::add_branch(const std::vector<float>& post_norm, std::int64_t tokens) {
    const std::int64_t hidden = config_.spec.hidden;
    pool_.run(tokens, [&](std::int64_t t) {
        float* row = branch_.data() + t * hidden;
        if (config_.post_norms) {
            rms_norm(row, post_norm.data(), config_.norm_epsilon, hidden, row);
        }
        add_to(residual_.data() + t * hidden, row, hidden);
    });
}

void Decoder::compute_logits(std::int64_t token) {
    normalise(residual_.data() + token * config_.spec.hidden, weights_.output_norm, 1);
    matmul(pool_, weights_.output, activations_, logits_.data());
    if (config_.logit_cap > 0.0F) soft_cap(logits_.data(), config_.logit_cap, config_.spec.vocab);
}

}  // namespace memside::engine
