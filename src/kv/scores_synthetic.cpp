#include "kv/scores_synthetic.h"

#include <array>
#include <cassert>
#include <cmath>

#include "base/text.h"
#include "kv/counter_random.h"
#include "kv/layout.h"

namespace memside::kv {
namespace {

using P = SyntheticParameters;

constexpr std::array<SyntheticParameter, 12> table{{
    {"sigma", &P::sigma, 0.0, 20.0, false, "standard deviation of the log of a page's importance",
     "assumed: log-normal at 2, the top tenth of the pages holds 76 % of the attention"},
    {"drift", &P::drift, 0.0, 1.0, false,
     "share of a page's importance that is new at each step (0: frozen, 1: independent steps)",
     "assumed: about 5 % of a budget of a quarter of the context drop out per step then, a rate "
     "at which the speed-ups of the PNM-KV paper come out by hand arithmetic"},
    {"jitter", &P::jitter, 0.0, 10.0, false,
     "noise of a single step relative to sigma: pages that drop out and come back at once",
     "assumed: none, so that drift alone sets the drop-out rate"},
    {"persistence", &P::persistence, 0.0, 1.0, false,
     "share of the variance of a page's importance that never changes",
     "assumed: none; recordings of a real model have about 0.95 (docs/scores.md)"},
    {"drift_spread", &P::drift_spread, 0.0, 1.0, false,
     "drift of a (request, layer) is drift x (1 +- up to this share)",
     "assumed: requests and layers differ, by how much is not known"},
    {"sink_pages", &P::sink_pages, 0.0, 1024.0, true, "first pages that act as attention sinks",
     "assumed: the first few tokens are sinks in most models, one page holds them"},
    {"sink_boost", &P::sink_boost, 0.0, 100.0, false, "added to the score of a sink page",
     "assumed: far above the rest, so that sinks are selected at nearly every step"},
    {"recency_boost", &P::recency_boost, 0.0, 100.0, false, "added to the score of the newest page",
     "assumed: the newest pages are nearly always selected"},
    {"recency_half_tokens", &P::recency_half_tokens, 1.0, 1073741824.0, false,
     "age at which the recency boost is halved; it falls as 1 / (1 + age / half)",
     "assumed: about the length of a page of text"},
    {"burst_rate", &P::burst_rate, 0.0, 1.0, false,
     "share of the pages that start a burst per step",
     "assumed: some pages are looked up for a few tokens; a few per cent of the drop-outs"},
    {"burst_steps", &P::burst_steps, 1.0, 4096.0, true, "steps that a burst lasts",
     "assumed: a phrase of a few tokens"},
    {"burst_boost", &P::burst_boost, 0.0, 100.0, false, "added to the score of a page in a burst",
     "assumed: twice sigma, enough to select most pages"},
}};

// What a counter is drawn for: keys of different purposes never meet.
enum Purpose : std::uint64_t {
    drift_of_pair = 1,
    birth = 2,
    innovation = 3,
    burst = 4,
    lasting = 5,
};

class SyntheticStream final : public ScoreStream {
  public:
    SyntheticStream(const SyntheticParameters& parameters, const SyntheticShape& shape,
                    std::uint64_t seed, std::uint64_t request, std::uint64_t layer)
        : parameters_(parameters), shape_(shape), pair_key_(key_of({seed, request, layer})) {
        const double sign = 2.0 * uniform(random_bits(pair_key_, drift_of_pair)) - 1.0;
        const double drift =
            std::min(1.0, parameters.drift * (1.0 + parameters.drift_spread * sign));
        drift_ = static_cast<float>(drift);
        keep_ = static_cast<float>(std::sqrt(1.0 - drift * drift));
    }

    std::span<const float> next() override {
        advance_importance();
        scores_.resize(importance_.size());
        write_importance();
        add_sinks_and_recency();
        add_bursts();
        ++step_;
        return scores_;
    }

  private:
    std::size_t pages_at(std::int64_t step) const {
        return static_cast<std::size_t>(
            page_count(shape_.context_tokens + step, shape_.page_tokens));
    }

    std::uint64_t step_key(Purpose purpose, std::int64_t step) const {
        return key_of({pair_key_, purpose, static_cast<std::uint64_t>(step)});
    }

    void advance_importance() {
        if (step_ > 0 && (drift_ > 0.0F || parameters_.jitter > 0.0)) {
            noise_.resize(importance_.size());
            const std::uint64_t key = step_key(innovation, step_);
            for (std::size_t page = 0; page < importance_.size(); ++page) {
                const NormalPair normal = normal_pair(random_bits(key, page));
                importance_[page] = keep_ * importance_[page] + drift_ * normal.sum;
                noise_[page] = normal.difference;
            }
        }
        const std::uint64_t key = step_key(birth, 0);
        for (std::size_t page = importance_.size(); page < pages_at(step_); ++page) {
            importance_.push_back(normal_with_tail(key, page));
            if (parameters_.persistence > 0.0) {
                lasting_.push_back(normal_with_tail(step_key(lasting, 0), page));
            }
            noise_.push_back(normal_pair(random_bits(key, 3 * page)).difference);
        }
    }

    // What a page is born with, of twelve uniforms instead of four: there is no sum over steps yet
    // that would give it a tail.
    static float normal_with_tail(std::uint64_t key, std::size_t page) {
        float sum = 0.0F;
        for (std::uint64_t draw = 0; draw < 3; ++draw) {
            sum += normal_pair(random_bits(key, 3 * page + draw)).sum;
        }
        constexpr float one_over_sqrt_3 = 0.57735027F;
        return sum * one_over_sqrt_3;
    }

    void write_importance() {
        const double persistence = parameters_.persistence;
        // Of the part that drifts; all of sigma without a part that lasts.
        const auto sigma = static_cast<float>(parameters_.sigma * std::sqrt(1.0 - persistence));
        const auto jitter = static_cast<float>(parameters_.sigma * parameters_.jitter);
        if (jitter == 0.0F) {
            for (std::size_t page = 0; page < scores_.size(); ++page) {
                scores_[page] = sigma * importance_[page];
            }
        } else {
            for (std::size_t page = 0; page < scores_.size(); ++page) {
                scores_[page] = sigma * importance_[page] + jitter * noise_[page];
            }
        }
        const auto lasting = static_cast<float>(parameters_.sigma * std::sqrt(persistence));
        for (std::size_t page = 0; page < lasting_.size(); ++page) {
            scores_[page] += lasting * lasting_[page];
        }
    }

    void add_sinks_and_recency() {
        const std::size_t pages = scores_.size();
        const auto sinks = std::min(pages, static_cast<std::size_t>(parameters_.sink_pages));
        for (std::size_t page = 0; page < sinks; ++page) {
            scores_[page] += static_cast<float>(parameters_.sink_boost);
        }
        // boost / (1 + age / half) = boost x half / (half + age)
        const double half_pages =
            parameters_.recency_half_tokens / static_cast<double>(shape_.page_tokens);
        while (recency_.size() < pages) {
            const auto age_pages = static_cast<double>(recency_.size());
            recency_.push_back(static_cast<float>(parameters_.recency_boost * half_pages /
                                                  (half_pages + age_pages)));
        }
        for (std::size_t age = 0; age < pages; ++age) scores_[pages - 1 - age] += recency_[age];
    }

    // Bursts that began in the last burst_steps steps, drawn again from their counters: there is
    // nothing to carry from step to step, and step 0 has its share of bursts already under way.
    void add_bursts() {
        const auto lasting = static_cast<std::int64_t>(parameters_.burst_steps);
        const auto boost = static_cast<float>(parameters_.burst_boost);
        if (parameters_.burst_rate == 0.0) return;
        for (std::int64_t began = step_ - lasting + 1; began <= step_; ++began) {
            const std::uint64_t key = step_key(burst, began);
            const std::size_t pages = pages_at(std::max<std::int64_t>(began, 0));
            const double expected = parameters_.burst_rate * static_cast<double>(pages);
            const auto bursts = static_cast<std::uint64_t>(expected + uniform(random_bits(key, 0)));
            for (std::uint64_t i = 1; i <= bursts; ++i) {
                scores_[uniform_below(random_bits(key, i), pages)] += boost;
            }
        }
    }

    const SyntheticParameters parameters_;
    const SyntheticShape shape_;
    const std::uint64_t pair_key_;
    float drift_ = 0.0F;
    float keep_ = 1.0F;
    std::int64_t step_ = 0;
    std::vector<float> importance_;  // [pages]: y(t)
    std::vector<float> lasting_;     // [pages]: c; empty without persistence
    std::vector<float> noise_;       // [pages]: n(t)
    std::vector<float> recency_;     // [pages]: by age, the newest page first
    std::vector<float> scores_;      // [pages]
};

class SyntheticScores final : public ScoreSource {
  public:
    SyntheticScores(const SyntheticParameters& parameters, const SyntheticShape& shape,
                    std::uint64_t seed)
        : parameters_(parameters), shape_(shape), seed_(seed) {}

    ScoreExtent extent() const override {
        return {unlimited, unlimited, unlimited, shape_.context_tokens, shape_.page_tokens};
    }

    std::unique_ptr<ScoreStream> open(std::int64_t request, std::int64_t layer) const override {
        return std::make_unique<SyntheticStream>(parameters_, shape_, seed_,
                                                 static_cast<std::uint64_t>(request),
                                                 static_cast<std::uint64_t>(layer));
    }

  private:
    SyntheticParameters parameters_;
    SyntheticShape shape_;
    std::uint64_t seed_;
};

}  // namespace

std::span<const SyntheticParameter> synthetic_parameters() {
    return table;
}

Status set_synthetic_parameter(SyntheticParameters& parameters, std::string_view name, double value,
                               const std::string& where) {
    std::vector<std::string> names;
    for (const SyntheticParameter& parameter : table) {
        names.emplace_back(parameter.name);
        if (parameter.name != name) continue;
        const bool in_range = value >= parameter.low && value <= parameter.high;
        if (!in_range || (parameter.whole && value != std::floor(value))) {
            return bad_input(
                where, fmt::format("{} is out of range for scores.{}; allowed: {}{} to {}", value,
                                   name, parameter.whole ? "whole numbers " : "", parameter.low,
                                   parameter.high));
        }
        parameters.*parameter.member = value;
        return {};
    }
    return bad_input(
        where, fmt::format("unknown score parameter {}{}", in_quotes(name), hint(name, names)));
}

std::unique_ptr<ScoreSource> make_synthetic_scores(const SyntheticParameters& parameters,
                                                   const SyntheticShape& shape,
                                                   std::uint64_t seed) {
    assert(shape.context_tokens >= 1 && shape.page_tokens >= 1);
    assert(std::ranges::all_of(table, [&](const SyntheticParameter& parameter) {
        const double value = parameters.*parameter.member;
        return value >= parameter.low && value <= parameter.high;
    }));
    return std::make_unique<SyntheticScores>(parameters, shape, seed);
}

}  // namespace memside::kv
