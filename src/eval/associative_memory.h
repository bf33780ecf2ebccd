// A cache of one layer and one KV head in which the answer to a question is known: keys drawn from
// recorded statistics, values that are code words, and a planted token, or a passage of them, that
// a query should find.
//
// The query is one that a real model asked, for all query heads of the group at once; one of them
// asks, the others attend to whatever they attend to. The answer's key is a drawn one, moved along
// covariance x query until its logit is where it should be: the most probable key of that logit
// under the statistics. Distractors are made the same way. Tokens around a planted passage stay
// as they were drawn: nothing but the passage itself speaks for its page.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/kv_store.h"
#include "engine/thread_pool.h"
#include "eval/key_statistics.h"

namespace memside::eval {

// What a model has left of a text, for one KV head.
struct AssociativeSource {
    KeyStatistics keys;
    float scale = 1.0F;                       // multiplies q.k
    int heads = 1;                            // query heads of the group
    std::vector<std::vector<float>> queries;  // f32 [heads][dim] each, not scaled
};

struct AssociativeShape {
    std::int64_t tokens = 0;  // a multiple of KeyGenerator::run_tokens
    std::int64_t page_tokens = 64;
    std::int64_t distractors = 16;
    // Side by side in one page, all of the same logit and word: an answer, or a distractor. At most
    // a page.
    std::int64_t passage_tokens = 1;
    int words = 1024;  // of the codebook, more than distractors
    std::uint64_t seed = 1;
};

// A passage that a question plants.
struct Planted {
    std::int64_t position = 0;  // of its first token
    int word = 0;
    float logit = 0.0F;             // to have, natural logarithm
    std::vector<float> old_keys;    // f32 [passage_tokens][dim], as stored
    std::vector<float> old_values;  // f32 [passage_tokens][dim]
};

struct Question {
    const float* queries = nullptr;  // f32 [heads][dim]
    int head = 0;                    // that asks
    double largest = 0.0;            // its largest logit among drawn keys
    std::vector<double> direction;   // [dim]: a key moved by it gains a logit of 1
    Planted answer;
    std::vector<Planted> distractors;
};

class AssociativeMemory {
  public:
    // Draws keys and values. infeasible when they do not fit this machine.
    static Result<AssociativeMemory> make(const AssociativeSource& source,
                                          const AssociativeShape& shape, engine::ThreadPool& pool);

    // The question of a trial: query `trial`, head trial modulo heads, positions by seed, each in a
    // page of its own, never in the first or the last two pages. The cache must be as it was drawn;
    // it is read once, to find the largest logit.
    Question question(std::int64_t trial, engine::ThreadPool& pool) const;

    // Writes the distractors, whose logit is the largest of the drawn keys, and the answer, whose
    // logit is `margin` above it (below, if negative).
    void plant_distractors(const Question& question);
    void plant_answer(Question& question, double margin);
    // Writes what was there before.
    void restore(const Question& question);

    const engine::KvStore& store() const { return store_; }
    const AssociativeSource& source() const { return source_; }
    const AssociativeShape& shape() const { return shape_; }
    // Code word: +1 or -1, f32 [dim].
    const float* word(int number) const {
        return words_.data() + static_cast<std::ptrdiff_t>(number) * source_.keys.dim;
    }
    // The word with the largest product with `value`, of equal ones the lowest number.
    int nearest_word(const float* value) const;

  private:
    AssociativeMemory(const AssociativeSource& source, const AssociativeShape& shape,
                      engine::KvStore store);

    void write(const Planted& planted, const Question& question);

    AssociativeSource source_;
    AssociativeShape shape_;
    engine::KvStore store_;
    std::vector<float> words_;  // [words][dim]
};

}  // namespace memside::eval
