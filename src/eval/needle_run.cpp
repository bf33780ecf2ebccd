#include "eval/needle_run.h"

#include "engine/sampler.h"
#include "eval/selection_grid.h"

namespace memside::eval {
namespace {

struct Reply {
    bool found = false;
    std::string text;
    std::int64_t steps = 0;
};

// Asks and decodes greedily until the answer is decided.
Result<Reply> ask(const NeedleRun& run, const Needle& needle, engine::Decoder& decoder) {
    const std::vector<engine::TokenId> question =
        question_tokens(run.tokenizer, run.setup.wording, needle.key);
    MEMSIDE_TRY(std::span<const float> logits, decoder.step(question));
    const std::int64_t most = reserved_tokens(run.tokenizer, run.setup.wording) -
                              static_cast<std::int64_t>(question.size());
    const auto vocab = static_cast<std::size_t>(run.tokenizer.vocab_size());
    Reply reply;
    reply.steps = static_cast<std::int64_t>(question.size());
    engine::StreamDecoder stream(run.tokenizer);
    for (std::int64_t count = 1;; ++count) {
        const engine::TokenId token = engine::largest_logit(logits.first(vocab));
        if (run.tokenizer.is_end(token)) break;
        reply.text += stream.push(token);
        if (judge(reply.text, needle.value) != Verdict::open || count == most) break;
        MEMSIDE_TRY(logits, decoder.step(std::span(&token, 1)));
        ++reply.steps;
    }
    // An answer that ends with the value, undecided for want of a token after it, has it.
    reply.found = judge(reply.text + ".", needle.value) == Verdict::right ||
                  judge(reply.text, needle.value) == Verdict::right;
    return reply;
}

}  // namespace

Result<std::vector<NeedleAnswer>> run_trial(const NeedleRun& run, std::int64_t trial,
                                            engine::Decoder& decoder) {
    MEMSIDE_TRY(const NeedleTrial plan, make_trial(run.setup, run.tokenizer, run.haystack, trial));
    std::vector<engine::KvPolicy> policies{engine::KvPolicy{}};
    policies.insert(policies.end(), run.policies.begin(), run.policies.end());
    const auto asked_in = [&](std::size_t context, std::size_t policy) {
        return policy == 0 || context_tests_budget(run.setup.contexts[context],
                                                   policies[policy].selection.budget_tokens);
    };
    std::int64_t questions = 0;
    for (const NeedleQuestion& question : plan.questions) {
        for (std::size_t p = 0; p < policies.size(); ++p)
            questions += asked_in(question.context, p);
    }

    std::vector<NeedleAnswer> answers;
    const auto report = [&] {
        if (run.progress) {
            run.progress(decoder.length(), static_cast<std::int64_t>(answers.size()), questions);
        }
    };
    decoder.truncate(0);
    for (std::size_t context = 0; context < run.setup.contexts.size(); ++context) {
        MEMSIDE_CHECK(decoder.set_policy({}));
        const std::int64_t before = decoder.length();
        const std::int64_t length = plan.text_tokens[context];
        const auto more = std::span(plan.tokens)
                              .subspan(static_cast<std::size_t>(before),
                                       static_cast<std::size_t>(length - before));
        MEMSIDE_CHECK(decoder.feed(more, [&](std::int64_t) { report(); }));
        for (std::size_t p = 0; p < policies.size(); ++p) {
            if (!asked_in(context, p)) continue;
            MEMSIDE_CHECK(decoder.set_policy(policies[p]));
            for (const NeedleQuestion& question : plan.questions) {
                if (question.context != context) continue;
                decoder.reset_statistics();
                MEMSIDE_TRY(Reply reply, ask(run, plan.needles[question.needle], decoder));
                NeedleAnswer answer{
                    p, context, question.depth, trial, reply.found, std::move(reply.text), {}};
                answer.cost.add(decoder.statistics(), reply.steps);
                answers.push_back(std::move(answer));
                decoder.truncate(length);
                report();
            }
        }
    }
    return answers;
}

}  // namespace memside::eval
