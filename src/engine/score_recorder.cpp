#include "engine/score_recorder.h"

#include <algorithm>
#include <cassert>
#include <numbers>

#include "kv/layout.h"

namespace memside::engine {

Result<std::unique_ptr<ScoreRecorder>> ScoreRecorder::make(const KvStore& store, ThreadPool& pool,
                                                           int heads,
                                                           const ScoreRecording& recording,
                                                           const DigestConfig& digest,
                                                           const DigestStore* digests) {
    assert(recording.layers.size() == store.shape().kept_tokens.size());
    std::optional<DigestStore> own;
    if (digests == nullptr) {
        DigestConfig config = digest;
        config.layers = recording.layers;
        MEMSIDE_TRY(own, DigestStore::make(store.shape(), config));
    }
    auto recorder = std::unique_ptr<ScoreRecorder>(
        new ScoreRecorder(store, pool, heads, recording, std::move(own), digests));
    const std::int64_t streams = recorder->streams();
    if (streams == 0) {
        return bad_input("--record-scores",
                         "no layer of this model selects pages: all are dense or attend a window");
    }
    if (streams > kv::max_score_layers) {
        return bad_input(
            "--record-scores",
            fmt::format("{} layers of {} page sets are more than the {} streams of a "
                        "file; --select-per layer has one set a layer",
                        recorder->layers_, recorder->scan_.sets(), kv::max_score_layers));
    }
    const kv::ScoreFileHeader header{recording.model, recording.context_tokens,
                                     store.shape().page_tokens, 1, streams};
    MEMSIDE_TRY(recorder->writer_, kv::ScoreWriter::create(recording.path, header));
    return recorder;
}

ScoreRecorder::ScoreRecorder(const KvStore& store, ThreadPool& pool, int heads,
                             const ScoreRecording& recording, std::optional<DigestStore> own,
                             const DigestStore* digests)
    : store_(store),
      pool_(pool),
      path_(recording.path),
      context_tokens_(recording.context_tokens),
      own_(std::move(own)),
      given_(digests),
      scan_(store.shape(), pool, heads, recording.select_per, recording.group_score),
      queries_(static_cast<std::size_t>(heads * store.shape().head_dim)) {
    for (const bool recorded : recording.layers) number_.push_back(recorded ? layers_++ : -1);
}

Status ScoreRecorder::seen(const AttentionCall& call, bool decode_step) {
    const std::int64_t layer = number_[static_cast<std::size_t>(call.layer)];
    if (layer < 0) return {};
    if (own_ && call.tokens > 1) {
        own_->append(store_, call.layer, call.first_position, call.tokens, pool_);
    } else if (own_) {
        own_->append(store_, call.layer, call.first_position, call.tokens);
    }
    // A prompt of one token looks like a step, before the first that the file is about.
    if (!decode_step || call.first_position + 1 < context_tokens_) return {};
    if (layer == 0) ++steps_;
    for (std::size_t i = 0; i < queries_.size(); ++i) {
        queries_[i] = call.queries[i] * call.scale * std::numbers::log2e_v<float>;
    }
    const std::int64_t pages = kv::page_count(call.first_position + 1, store_.shape().page_tokens);
    scan_.run(queries_.data(), call.layer, pages, own_ ? *own_ : *given_, 0, {});
    for (std::int64_t set = 0; set < scan_.sets(); ++set) {
        const std::span<float> scores = scan_.scores(set);
        scores_.assign(scores.begin(), scores.end());
        for (float& score : scores_) score *= std::numbers::ln2_v<float>;
        MEMSIDE_CHECK(writer_->add(0, set * layers_ + layer, steps_ - 1, scores_));
    }
    return {};
}

Status ScoreRecorder::finish() {
    if (steps_ > 0) return writer_->finish();
    writer_.reset();
    return bad_input(path_,
                     "no decode step was taken, so there is no score to record; "
                     "--max-tokens of 2 or more takes some");
}

}  // namespace memside::engine
