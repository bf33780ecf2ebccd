#include "eval/associative.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>
#include <numbers>

#include "engine/attention.h"
#include "engine/page_list_attention.h"
#include "engine/page_sets.h"
#include "kv/layout.h"

namespace memside::eval {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// One way of selecting: page sets of a grouping within a budget.
struct Selecting {
    engine::PageSelector selector;
    engine::PageSets sets;
    AssociativeCell* cell;
};

// Scores of all pages under a grouping, for the rank of the answer.
struct Ranking {
    engine::PageScan scan;
    engine::PageSets sets;
    AssociativeRank* rank;
};

std::int64_t set_of(const engine::PageSets& sets, int head) {
    return sets.count() == 1 ? 0 : head / sets.rows();
}

// All that one digest store serves; tasks of different digests run beside each other.
class DigestTask {
  public:
    DigestTask(engine::DigestStore digests, const AssociativeMemory& memory,
               engine::ThreadPool& serial)
        : memory_(memory), digests_(std::move(digests)), lists_(serial) {}

    void fill(engine::ThreadPool& pool) {
        digests_.append(memory_.store(), 0, 0, memory_.shape().tokens, pool);
    }

    void renew(const Planted& planted) {
        digests_.renew(memory_.store(), 0, planted.position, memory_.shape().passage_tokens);
    }

    // queries: f32 [heads][dim], scaled, times log2(e).
    void ask(const Question& question, const std::vector<float>& queries, std::size_t margin,
             const std::vector<std::uint8_t>& dense_found, std::size_t trial) {
        const std::int64_t pages = memory_.shape().tokens / memory_.shape().page_tokens;
        for (Selecting& one : selecting) {
            one.selector.select(queries.data(), 0, pages, digests_);
            attend(one, queries);
            const float* out = out_.data() + std::ptrdiff_t(question.head) * dim();
            if (memory_.nearest_word(out) == question.answer.word) {
                ++one.cell->found[margin];
            } else if (dense_found[margin] != 0) {
                ++one.cell->lost[margin];
            }
        }
        const std::int64_t page = question.answer.position / memory_.shape().page_tokens;
        for (Ranking& one : rankings) {
            one.scan.run(queries.data(), 0, pages, digests_, 0, {});
            const std::span<const float> scores =
                std::as_const(one.scan).scores(set_of(one.sets, question.head));
            std::int64_t rank = 1;
            for (std::int64_t other = 0; other < pages; ++other) {
                if (kv::ranks_before(scores, static_cast<kv::PageIndex>(other),
                                     static_cast<kv::PageIndex>(page))) {
                    ++rank;
                }
            }
            one.rank->ranks[margin][trial] = rank;
        }
    }

    std::vector<Selecting> selecting;
    std::vector<Ranking> rankings;

  private:
    int dim() const { return memory_.source().keys.dim; }

    void attend(const Selecting& one, const std::vector<float>& queries) {
        std::vector<engine::PageListWork> works(index(one.sets.count()));
        for (std::int64_t set = 0; set < one.sets.count(); ++set) {
            engine::PageListWork& work = works[index(set)];
            work.first_head = one.sets.first_head(set, 0);
            work.rows = one.sets.rows();
            work.last_tokens = memory_.shape().page_tokens;
            for (const kv::PageIndex page : one.selector.selected(set)) {
                work.pages.push_back(memory_.store().page(0, page, 0));
            }
        }
        out_.resize(queries.size());
        [[maybe_unused]] const Status in_memory =
            lists_.run(memory_.store(), works, queries.data(), out_.data());
        assert(in_memory.ok());
    }

    const AssociativeMemory& memory_;
    engine::DigestStore digests_;
    engine::PageListAttention lists_;
    std::vector<float> out_;  // f32 [heads][dim]
};

std::vector<AssociativeCell> make_cells(const AssociativeOptions& options) {
    std::vector<AssociativeCell> cells;
    const std::vector<std::int64_t> none(options.margins.size(), 0);
    for (const AssociativeDigest& digest : options.digests) {
        for (const Grouping& grouping : options.groupings) {
            for (const std::int64_t budget : options.budget_tokens) {
                cells.push_back({digest, grouping, budget, none, none});
            }
        }
    }
    return cells;
}

std::vector<AssociativeRank> make_ranks(const AssociativeOptions& options) {
    std::vector<AssociativeRank> ranks;
    const std::vector<std::int64_t> none(index(options.trials), 0);
    for (const AssociativeDigest& digest : options.digests) {
        for (const Grouping& grouping : options.groupings) {
            ranks.push_back({digest, grouping, {options.margins.size(), none}});
        }
    }
    return ranks;
}

Result<std::vector<std::unique_ptr<DigestTask>>> make_tasks(const AssociativeMemory& memory,
                                                            const AssociativeOptions& options,
                                                            engine::ThreadPool& pool,
                                                            engine::ThreadPool& serial,
                                                            AssociativeResult& result) {
    std::vector<std::unique_ptr<DigestTask>> tasks;
    const engine::KvShape& shape = memory.store().shape();
    const int heads = memory.source().heads;
    auto cell = result.cells.begin();
    auto rank = result.ranks.begin();
    for (const AssociativeDigest& digest : options.digests) {
        MEMSIDE_TRY(engine::DigestStore digests,
                    engine::DigestStore::make(
                        shape, {digest.kind, digest.type, digest.coefficient, {true}}));
        tasks.push_back(std::make_unique<DigestTask>(std::move(digests), memory, serial));
        tasks.back()->fill(pool);
        for (const Grouping& grouping : options.groupings) {
            const engine::PageSets sets(grouping.select_per, heads, 1);
            tasks.back()->rankings.push_back(
                {engine::PageScan(shape, serial, heads, grouping.select_per, grouping.group_score),
                 sets, &*rank++});
            for (const std::int64_t budget : options.budget_tokens) {
                engine::SelectionConfig config;
                config.budget_tokens = budget;
                config.pinned = options.pinned;
                config.select_per = grouping.select_per;
                config.group_score = grouping.group_score;
                tasks.back()->selecting.push_back(
                    {engine::PageSelector(shape, serial, heads, config), sets, &*cell++});
            }
        }
    }
    return tasks;
}

// How wide the boxes of drawn keys are, over as many tokens as the recorded ones at most.
double drawn_box_width(const AssociativeMemory& memory) {
    const std::int64_t page_tokens = memory.shape().page_tokens;
    const std::int64_t pages =
        std::min(memory.shape().tokens, memory.source().keys.tokens) / page_tokens;
    const auto dim = memory.source().keys.dim;
    std::vector<float> keys(index(pages * page_tokens * dim));
    for (std::int64_t page = 0; page < pages; ++page) {
        memory.store().read_keys(0, page, 0, 0, page_tokens,
                                 keys.data() + page * page_tokens * dim);
    }
    double sum = 0.0;
    for (int d = 0; d < dim; ++d) {
        const double deviation =
            std::sqrt(memory.source().keys.covariance[index(d) * index(dim) + index(d)]);
        if (deviation == 0.0) continue;
        double widths = 0.0;
        for (std::int64_t page = 0; page < pages; ++page) {
            float low = keys[index(page * page_tokens * dim + d)];
            float high = low;
            for (std::int64_t t = page * page_tokens; t < (page + 1) * page_tokens; ++t) {
                low = std::min(low, keys[index(t * dim + d)]);
                high = std::max(high, keys[index(t * dim + d)]);
            }
            widths += double{high} - double{low};
        }
        sum += widths / static_cast<double>(pages) / deviation;
    }
    return sum / dim;
}

}  // namespace

Result<AssociativeResult> run_associative(const AssociativeSource& source,
                                          const AssociativeOptions& options) {
    assert(!options.margins.empty() && options.trials > 0);
    engine::ThreadPool pool(options.threads);
    // What a question is answered with runs on one thread, so that sums have one order; questions
    // of a trial's digests run beside each other.
    engine::ThreadPool serial(1);
    MEMSIDE_TRY(AssociativeMemory memory, AssociativeMemory::make(source, options.shape, pool));
    AssociativeResult result;
    result.dense_found.assign(options.margins.size(), 0);
    result.cells = make_cells(options);
    result.ranks = make_ranks(options);
    result.box_width = drawn_box_width(memory);
    MEMSIDE_TRY(const auto tasks, make_tasks(memory, options, pool, serial, result));

    engine::Attention dense(memory.store(), serial, source.heads);
    const auto dim = static_cast<std::size_t>(source.keys.dim);
    std::vector<float> out(dim * static_cast<std::size_t>(source.heads));
    std::vector<float> scaled(out.size());
    for (std::int64_t trial = 0; trial < options.trials; ++trial) {
        Question question = memory.question(trial, pool);
        result.largest_logit += question.largest / static_cast<double>(options.trials);
        const float* asking = question.queries + std::ptrdiff_t(question.head) * source.keys.dim;
        double variance = 0.0;
        for (std::size_t i = 0; i < dim; ++i) {
            for (std::size_t j = 0; j < dim; ++j) {
                variance +=
                    double{asking[i]} * source.keys.covariance[i * dim + j] * double{asking[j]};
            }
        }
        result.logit_deviation +=
            std::sqrt(variance) * double{source.scale} / static_cast<double>(options.trials);
        for (std::size_t i = 0; i < scaled.size(); ++i) {
            scaled[i] = question.queries[i] * source.scale * std::numbers::log2e_v<float>;
        }
        const engine::AttentionCall call{0, question.queries, 1,         options.shape.tokens - 1,
                                         0, source.scale,     out.data()};
        memory.plant_distractors(question);
        std::vector<std::uint8_t> dense_found(options.margins.size(), 0);
        Status attended;
        for (std::size_t margin = 0; margin < options.margins.size(); ++margin) {
            memory.plant_answer(question, options.margins[margin]);
            attended = dense.run(call);
            if (!attended.ok()) return attended.error();
            const float* answer = out.data() + std::ptrdiff_t(question.head) * source.keys.dim;
            dense_found[margin] = memory.nearest_word(answer) == question.answer.word ? 1 : 0;
            result.dense_found[margin] += dense_found[margin];
            pool.run(std::ssize(tasks), [&](std::int64_t task) {
                DigestTask& one = *tasks[index(task)];
                if (margin == 0) {
                    for (const Planted& planted : question.distractors) one.renew(planted);
                }
                one.renew(question.answer);
                one.ask(question, scaled, margin, dense_found, index(trial));
            });
        }
        memory.restore(question);
        pool.run(std::ssize(tasks), [&](std::int64_t task) {
            DigestTask& one = *tasks[index(task)];
            for (const Planted& planted : question.distractors) one.renew(planted);
            one.renew(question.answer);
        });
        options.asked(trial + 1);
    }
    return result;
}

}  // namespace memside::eval
