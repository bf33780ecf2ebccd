#include "eval/divergence_run.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>

#include "base/number.h"
#include "eval/token_distribution.h"
#include "kv/counter_random.h"

namespace memside::eval {
namespace {

// The tokens of a passage, BOS in front: a function of setup, text and number alone.
std::vector<engine::TokenId> passage_tokens(const DivergenceRun& run, std::int64_t passage) {
    const std::int64_t length = run.setup.contexts.back() + 1;
    const std::int64_t places = run.haystack.size() - length + 1;
    const std::uint64_t bits =
        kv::random_bits(kv::key_of({run.setup.seed}), static_cast<std::uint64_t>(passage));
    const std::int64_t start = run.haystack.sentence_start(
        0, static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(places)));
    std::vector<engine::TokenId> tokens;
    run.tokenizer.prepend_bos(tokens);
    const auto from = run.haystack.tokens().begin() + start;
    tokens.insert(tokens.end(), from, from + length - static_cast<std::int64_t>(tokens.size()));
    return tokens;
}

// Logits after each step, f32 [steps][vocab].
using Logits = std::vector<std::vector<float>>;

// Steps through `tokens`, and has `see` look at the logits after each.
template <typename See>
Status step_through(engine::Decoder& decoder, std::span<const engine::TokenId> tokens,
                    const See& see) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        MEMSIDE_TRY(const std::span<const float> logits, decoder.step(tokens.subspan(i, 1)));
        see(i, logits);
    }
    return {};
}

double at_rank(const std::vector<double>& ascending, double share) {
    const auto count = static_cast<double>(ascending.size());
    const auto rank = static_cast<std::size_t>(std::ceil(share * count));
    return ascending[std::clamp<std::size_t>(rank, 1, ascending.size()) - 1];
}

}  // namespace

Status check_setup(const DivergenceSetup& setup, const Haystack& haystack) {
    if (setup.contexts.empty() ||
        std::ranges::adjacent_find(setup.contexts, std::greater_equal<>()) !=
            setup.contexts.end()) {
        return bad_input("--contexts", "must ascend");
    }
    if (setup.contexts.front() <= setup.steps) {
        return bad_input("--contexts",
                         fmt::format("{} is not longer than the {} steps of --tokens",
                                     format_tokens(setup.contexts.front()), setup.steps));
    }
    // One more than the context: the last step has a next token too.
    if (haystack.size() <= setup.contexts.back()) {
        return bad_input("--text",
                         fmt::format("has {} tokens, too few for a context of {}", haystack.size(),
                                     format_tokens(setup.contexts.back())));
    }
    return {};
}

Result<std::vector<DivergenceSample>> run_passage(const DivergenceRun& run, std::int64_t passage,
                                                  engine::Decoder& decoder) {
    const std::vector<engine::TokenId> tokens = passage_tokens(run, passage);
    const std::span<const engine::TokenId> all(tokens);
    std::vector<engine::KvPolicy> policies{engine::KvPolicy{}};
    policies.insert(policies.end(), run.policies.begin(), run.policies.end());
    const auto runs_in = [&](std::int64_t context, std::size_t policy) {
        return policy == 0 || context > policies[policy].selection.budget_tokens;
    };
    std::int64_t samples = 0;
    for (const std::int64_t context : run.setup.contexts) {
        for (std::size_t p = 0; p < policies.size(); ++p) samples += runs_in(context, p) ? 1 : 0;
    }

    MassMeter meter(decoder.store(), decoder.heads());
    decoder.observe(&meter);
    // The meter goes with this function; so must what refers to it.
    struct Unobserved {
        engine::Decoder& decoder;
        ~Unobserved() { decoder.observe(nullptr); }
    } const unobserved{decoder};
    std::vector<DivergenceSample> result;
    const auto report = [&] {
        if (run.progress) {
            run.progress(decoder.length(), static_cast<std::int64_t>(result.size()), samples);
        }
    };
    decoder.truncate(0);
    const auto steps = static_cast<std::size_t>(run.setup.steps);
    Logits dense(steps);
    std::vector<double> dense_surprise(steps);
    for (std::size_t c = 0; c < run.setup.contexts.size(); ++c) {
        const auto end = static_cast<std::size_t>(run.setup.contexts[c]);
        const std::size_t length = end - steps;
        MEMSIDE_CHECK(decoder.set_policy({}));
        const auto before = static_cast<std::size_t>(decoder.length());
        MEMSIDE_CHECK(
            decoder.feed(all.subspan(before, length - before), [&](std::int64_t) { report(); }));
        const auto steps_of = all.subspan(length, steps);
        const auto next = [&](std::size_t i) { return all[length + i + 1]; };
        MEMSIDE_CHECK(step_through(decoder, steps_of, [&](std::size_t i, auto logits) {
            dense[i].assign(logits.begin(), logits.end());
            dense_surprise[i] = surprise(logits, next(i));
        }));
        decoder.truncate(static_cast<std::int64_t>(length));
        for (std::size_t p = 0; p < policies.size(); ++p) {
            if (!runs_in(run.setup.contexts[c], p)) continue;
            MEMSIDE_CHECK(decoder.set_policy(policies[p]));
            meter.clear();
            DivergenceSample sample;
            sample.policy = p;
            sample.context = c;
            sample.passage = passage;
            MEMSIDE_CHECK(step_through(decoder, steps_of, [&](std::size_t i, auto logits) {
                sample.kl.push_back(kl_divergence(dense[i], logits));
                sample.agreed += most_likely(dense[i]) == most_likely(logits) ? 1 : 0;
                sample.surprise += surprise(logits, next(i));
                sample.dense_surprise += dense_surprise[i];
                report();
            }));
            sample.mass = meter.means();
            sample.cost.add(decoder.statistics(), run.setup.steps);
            result.push_back(std::move(sample));
            decoder.truncate(static_cast<std::int64_t>(length));
        }
    }
    return result;
}

std::vector<DivergenceTotal> add_up(const std::vector<DivergenceSample>& samples) {
    std::map<std::pair<std::size_t, std::size_t>, DivergenceTotal> totals;
    std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> steps;
    std::map<std::pair<std::size_t, std::size_t>, int> samples_of;
    for (const DivergenceSample& sample : samples) {
        const std::pair at(sample.policy, sample.context);
        DivergenceTotal& total = totals[at];
        total.policy = sample.policy;
        total.context = sample.context;
        total.top1_agreement += static_cast<double>(sample.agreed);
        total.surprise += sample.surprise;
        total.dense_surprise += sample.dense_surprise;
        total.mass.selected += sample.mass.selected;
        total.mass.best += sample.mass.best;
        total.cost.add(sample.cost);
        ++samples_of[at];
        steps[at].insert(steps[at].end(), sample.kl.begin(), sample.kl.end());
    }
    std::vector<DivergenceTotal> result;
    for (auto& [at, total] : totals) {
        std::vector<double>& kl = steps[at];
        std::ranges::sort(kl);
        const auto count = static_cast<double>(kl.size());
        total.steps = static_cast<std::int64_t>(kl.size());
        total.kl_mean = std::accumulate(kl.begin(), kl.end(), 0.0) / count;
        total.kl_p50 = at_rank(kl, 0.50);
        total.kl_p95 = at_rank(kl, 0.95);
        total.kl_p99 = at_rank(kl, 0.99);
        total.kl_max = kl.back();
        total.top1_agreement /= count;
        total.surprise /= count;
        total.dense_surprise /= count;
        total.mass.selected /= samples_of[at];
        total.mass.best /= samples_of[at];
        result.push_back(total);
    }
    return result;
}

}  // namespace memside::eval
