#include "eval/associative_memory.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numbers>
#include <set>

#include "engine/attention_kernel.h"
#include "kv/counter_random.h"
#include "kv/layout.h"

namespace memside::eval {
namespace {

enum Purpose : std::uint64_t { word_signs = 1, word_of_token = 2, place = 3, word_of_planted = 4 };

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

double dot(const float* a, const float* b, std::size_t count) {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) sum += double{a[i]} * double{b[i]};
    return sum;
}

}  // namespace

AssociativeMemory::AssociativeMemory(const AssociativeSource& source, const AssociativeShape& shape,
                                     engine::KvStore store)
    : source_(source), shape_(shape), store_(std::move(store)) {
    const auto values = index(std::int64_t{shape.words} * source.keys.dim);
    const std::uint64_t key = kv::key_of({shape.seed, word_signs});
    for (std::size_t i = 0; i < values; ++i) {
        words_.push_back((kv::random_bits(key, i) & 1) == 0 ? -1.0F : 1.0F);
    }
}

Result<AssociativeMemory> AssociativeMemory::make(const AssociativeSource& source,
                                                  const AssociativeShape& shape,
                                                  engine::ThreadPool& pool) {
    assert(shape.tokens % KeyGenerator::run_tokens == 0 && shape.tokens > 0);
    engine::KvShape kv_shape;
    kv_shape.kv_heads = 1;
    kv_shape.head_dim = source.keys.dim;
    kv_shape.page_tokens = shape.page_tokens;
    kv_shape.capacity_tokens = shape.tokens;
    kv_shape.kept_tokens = {0};
    MEMSIDE_TRY(engine::KvStore store, engine::KvStore::make(kv_shape));
    AssociativeMemory memory(source, shape, std::move(store));
    const KeyGenerator generator(source.keys);
    const std::uint64_t key = kv::key_of({shape.seed, word_of_token});
    pool.run(shape.tokens / KeyGenerator::run_tokens, [&](std::int64_t run) {
        std::vector<float> keys(index(KeyGenerator::run_tokens * source.keys.dim));
        generator.draw(shape.seed, run, keys);
        for (std::int64_t t = 0; t < KeyGenerator::run_tokens; ++t) {
            const std::int64_t position = run * KeyGenerator::run_tokens + t;
            const std::uint64_t bits = kv::random_bits(key, static_cast<std::uint64_t>(position));
            const auto word =
                static_cast<int>(kv::uniform_below(bits, static_cast<std::uint64_t>(shape.words)));
            memory.store_.write(0, position, keys.data() + t * source.keys.dim, memory.word(word));
        }
    });
    return memory;
}

Question AssociativeMemory::question(std::int64_t trial, engine::ThreadPool& pool) const {
    const KeyStatistics& keys = source_.keys;
    const auto dim = static_cast<std::size_t>(keys.dim);
    Question question;
    question.queries = source_.queries[index(trial) % source_.queries.size()].data();
    question.head = static_cast<int>(trial % source_.heads);
    const float* query = question.queries + std::ptrdiff_t(question.head) * keys.dim;

    // The kernels keep the largest logit, in units of log2.
    std::vector<float> scaled(dim);
    for (std::size_t d = 0; d < dim; ++d) {
        scaled[d] = query[d] * source_.scale * std::numbers::log2e_v<float>;
    }
    const std::int64_t pages = shape_.tokens / shape_.page_tokens;
    const std::int64_t parts = std::min<std::int64_t>(64, pages);
    std::vector<float> largest(index(parts));
    pool.run(parts, [&](std::int64_t part) {
        const auto stride = store_.shape().value_stride();
        std::vector<float> values(index(stride));
        float sum = 0.0F;
        engine::AttentionState state{&largest[index(part)], &sum, values.data()};
        engine::clear(state, 1, stride);
        for (std::int64_t page = pages * part / parts; page < pages * (part + 1) / parts; ++page) {
            engine::AttendPage job = engine::page_job(store_, 0, page, 0);
            job.queries = scaled.data();
            job.rows = 1;
            job.state = state;
            engine::attention_variant().attend(job);
        }
    });
    question.largest = std::numbers::ln2 * double{*std::ranges::max_element(largest)};

    // covariance x query / (scale x query' covariance query)
    question.direction.assign(dim, 0.0);
    double along = 0.0;
    for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t j = 0; j < dim; ++j) {
            question.direction[i] += keys.covariance[i * dim + j] * double{query[j]};
        }
        along += question.direction[i] * double{query[i]};
    }
    for (double& value : question.direction) value /= along * double{source_.scale};

    const std::uint64_t places =
        kv::key_of({shape_.seed, place, static_cast<std::uint64_t>(trial)});
    const std::uint64_t words =
        kv::key_of({shape_.seed, word_of_planted, static_cast<std::uint64_t>(trial)});
    std::set<std::int64_t> used_pages;
    std::set<int> used_words;
    std::uint64_t draw = 0;
    const auto plant = [&] {
        Planted planted;
        std::int64_t page = 0;
        const auto below = [&](std::int64_t count) {
            return static_cast<std::int64_t>(kv::uniform_below(kv::random_bits(places, draw++),
                                                               static_cast<std::uint64_t>(count)));
        };
        while (page == 0 || page + 2 >= pages || !used_pages.insert(page).second) {
            page = below(pages);
        }
        planted.position =
            page * shape_.page_tokens + below(shape_.page_tokens - shape_.passage_tokens + 1);
        do {
            planted.word = static_cast<int>(kv::uniform_below(
                kv::random_bits(words, draw++), static_cast<std::uint64_t>(shape_.words)));
        } while (!used_words.insert(planted.word).second);
        planted.logit = static_cast<float>(question.largest);
        const std::int64_t count = shape_.passage_tokens;
        planted.old_keys.resize(index(count) * dim);
        planted.old_values.resize(index(count) * dim);
        const std::int64_t token = planted.position % shape_.page_tokens;
        store_.read_keys(0, page, 0, token, count, planted.old_keys.data());
        store_.read_values(0, page, 0, token, count, planted.old_values.data());
        return planted;
    };
    question.answer = plant();
    for (std::int64_t i = 0; i < shape_.distractors; ++i) question.distractors.push_back(plant());
    return question;
}

void AssociativeMemory::write(const Planted& planted, const Question& question) {
    const auto dim = static_cast<std::size_t>(source_.keys.dim);
    const float* query = question.queries + std::ptrdiff_t(question.head) * source_.keys.dim;
    std::vector<float> key(dim);
    for (std::int64_t t = 0; t < shape_.passage_tokens; ++t) {
        const float* old = planted.old_keys.data() + t * source_.keys.dim;
        const double now = dot(old, query, dim) * double{source_.scale};
        for (std::size_t d = 0; d < dim; ++d) {
            key[d] = static_cast<float>(double{old[d]} +
                                        (double{planted.logit} - now) * question.direction[d]);
        }
        store_.write(0, planted.position + t, key.data(), word(planted.word));
    }
}

void AssociativeMemory::plant_distractors(const Question& question) {
    for (const Planted& distractor : question.distractors) write(distractor, question);
}

void AssociativeMemory::plant_answer(Question& question, double margin) {
    question.answer.logit = static_cast<float>(question.largest + margin);
    write(question.answer, question);
}

void AssociativeMemory::restore(const Question& question) {
    const auto put_back = [&](const Planted& planted) {
        for (std::int64_t t = 0; t < shape_.passage_tokens; ++t) {
            store_.write(0, planted.position + t, planted.old_keys.data() + t * source_.keys.dim,
                         planted.old_values.data() + t * source_.keys.dim);
        }
    };
    put_back(question.answer);
    std::ranges::for_each(question.distractors, put_back);
}

int AssociativeMemory::nearest_word(const float* value) const {
    const auto dim = static_cast<std::size_t>(source_.keys.dim);
    int nearest = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (int number = 0; number < shape_.words; ++number) {
        const double product = dot(value, word(number), dim);
        if (product <= largest) continue;
        largest = product;
        nearest = number;
    }
    return nearest;
}

}  // namespace memside::eval
