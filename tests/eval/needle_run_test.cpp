#include "eval/needle_run.h"

#include <map>

#include "engine/sampler.h"
#include "eval/small_model.h"

namespace memside::eval {
namespace {

class NeedleRunTest : public testing::Test {
  protected:
    NeedleRunTest() {
        setup_.contexts = {700, 1400};
        setup_.depths = {0.3, 0.7};
        setup_.wording = {"{key} {value}.", "{key}", 2};
    }

    std::vector<NeedleAnswer> run(const test::SmallModel& model, unsigned threads = 2) {
        const Haystack haystack(*model.tokenizer, test::some_text(5000));
        const NeedleRun run{setup_, *model.tokenizer, haystack, policies_, {}};
        EXPECT_TRUE(check_setup(setup_, *model.tokenizer).ok());
        const auto decoder = model.decoder(
            setup_.contexts.back(), reserved_tokens(*model.tokenizer, setup_.wording), threads);
        return run_trial(run, 0, *decoder).value();
    }

    NeedleSetup setup_;
    std::vector<engine::KvPolicy> policies_{test::selecting(64),
                                            test::selecting(400, kv::DigestKind::centre_mad)};
};

TEST_F(NeedleRunTest, policies_are_asked_where_the_context_tests_their_budget) {
    const test::SmallModel model("llama");
    std::map<std::pair<std::size_t, std::size_t>, int> asked;
    for (const NeedleAnswer& answer : run(model)) {
        ++asked[{answer.policy, answer.context}];
        const std::int64_t read = answer.cost.digest_bytes;
        EXPECT_EQ(read == 0, answer.policy == 0);
        EXPECT_GT(answer.cost.kv_bytes, 0);
    }
    const std::map<std::pair<std::size_t, std::size_t>, int> want{
        {{0, 0}, 2}, {{0, 1}, 2}, {{1, 0}, 2}, {{1, 1}, 2}, {{2, 1}, 2}};
    EXPECT_EQ(asked, want);
}

// What a decoder says that has seen nothing but this context and is asked under this policy.
std::string fresh_answer(const test::SmallModel& model, const NeedleSetup& setup,
                         const NeedleTrial& trial, const NeedleQuestion& question,
                         const engine::KvPolicy& policy) {
    const auto decoder = model.decoder(setup.contexts.back(), 0);
    const auto length = static_cast<std::size_t>(trial.text_tokens[question.context]);
    EXPECT_TRUE(decoder->feed(std::span(trial.tokens).first(length)).ok());
    EXPECT_TRUE(decoder->set_policy(policy).ok());
    const Needle& needle = trial.needles[question.needle];
    const auto asked = question_tokens(*model.tokenizer, setup.wording, needle.key);
    std::span<const float> logits;
    for (const engine::TokenId token : asked) logits = decoder->feed(std::span(&token, 1)).value();
    std::string text;
    const auto most = static_cast<std::size_t>(reserved_tokens(*model.tokenizer, setup.wording));
    engine::StreamDecoder stream(*model.tokenizer);
    for (std::size_t count = asked.size(); count < most; ++count) {
        const engine::TokenId token = engine::largest_logit(logits);
        text += stream.push(token);
        if (judge(text, needle.value) != Verdict::open) break;
        logits = decoder->feed(std::span(&token, 1)).value();
    }
    return text;
}

TEST_F(NeedleRunTest, answers_do_not_depend_on_what_was_asked_before) {
    for (const char* architecture : {"llama", "gemma3"}) {
        const test::SmallModel model(architecture);
        const Haystack haystack(*model.tokenizer, test::some_text(5000));
        const NeedleTrial trial = make_trial(setup_, *model.tokenizer, haystack, 0).value();
        const auto answers = run(model);
        ASSERT_FALSE(answers.empty());
        for (const NeedleAnswer& answer : answers) {
            const auto question =
                std::ranges::find_if(trial.questions, [&](const NeedleQuestion& q) {
                    return q.context == answer.context && q.depth == answer.depth;
                });
            const engine::KvPolicy policy =
                answer.policy == 0 ? engine::KvPolicy{} : policies_[answer.policy - 1];
            EXPECT_EQ(answer.text, fresh_answer(model, setup_, trial, *question, policy))
                << architecture << " policy " << answer.policy;
            const bool right =
                judge(answer.text, trial.needles[question->needle].value) == Verdict::right;
            EXPECT_EQ(answer.found, right);
        }
    }
}

TEST_F(NeedleRunTest, the_number_of_threads_changes_nothing) {
    const test::SmallModel model("gemma3");
    const auto one = run(model, 1);
    const auto three = run(model, 3);
    ASSERT_EQ(one.size(), three.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].text, three[i].text);
        EXPECT_EQ(one[i].cost.kv_bytes, three[i].cost.kv_bytes);
        EXPECT_EQ(one[i].cost.digest_bytes, three[i].cost.digest_bytes);
    }
}

}  // namespace
}  // namespace memside::eval
