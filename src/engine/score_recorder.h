// Records the page scores of decode steps from the digests of a real model's keys: what
// `run --record-scores` does. docs/scores.md has the file.
//
// Every page is scored at every step, also when the policy would attend all of them, attends none
// of them by score (dense) or leaves out what cannot be among the best; the scores are those of
// PageScan before pins, times ln 2, so that exp(score) is in proportion to a softmax weight.
//
// A stream of the file is a page set of a layer. Its number, the file's `layer`, is
// set x layers + layer, with the recorded layers counted from 0: the first streams are set 0 of
// every layer, so that a reader that wants one stream a layer gets different layers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/decoder_observer.h"
#include "engine/page_scan.h"
#include "kv/score_writer.h"

namespace memside::engine {

struct ScoreRecording {
    std::string path;
    std::string model;                // its name
    std::int64_t context_tokens = 0;  // tokens in the cache at the first decode step, its own too
    kv::SelectPer select_per = kv::SelectPer::kv_head;
    kv::GroupScore group_score = kv::GroupScore::mean;
    std::vector<bool> layers;  // which are recorded; at least one
};

class ScoreRecorder final : public DecoderObserver {
  public:
    // The store and the pool must outlive this. With `digests`, which must outlive this too and
    // whose owner keeps them up to date, those are scored; without, this makes its own of the given
    // kind. infeasible when they do not fit, an environment error when the file cannot be written.
    static Result<std::unique_ptr<ScoreRecorder>> make(const KvStore& store, ThreadPool& pool,
                                                       int heads, const ScoreRecording& recording,
                                                       const DigestConfig& digest,
                                                       const DigestStore* digests);

    Status seen(const AttentionCall& call, bool decode_step) override;

    // Gives the file its name. bad_input when no decode step was seen: there is nothing to read.
    Status finish();

    std::int64_t steps() const { return steps_; }
    std::int64_t streams() const { return layers_ * scan_.sets(); }

  private:
    ScoreRecorder(const KvStore& store, ThreadPool& pool, int heads,
                  const ScoreRecording& recording, std::optional<DigestStore> own,
                  const DigestStore* digests);

    const KvStore& store_;
    ThreadPool& pool_;
    std::string path_;
    std::int64_t context_tokens_;
    std::vector<std::int64_t> number_;  // of each layer among the recorded ones; -1: none
    std::int64_t layers_ = 0;           // recorded ones
    std::optional<DigestStore> own_;
    const DigestStore* given_;
    PageScan scan_;
    std::unique_ptr<kv::ScoreWriter> writer_;
    std::int64_t steps_ = 0;
    std::vector<float> queries_;  // scaled, f32 [heads][head_dim]
    std::vector<float> scores_;   // f32 [pages]
};

}  // namespace memside::engine
