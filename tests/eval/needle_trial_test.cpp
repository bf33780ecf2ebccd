#include "eval/needle_trial.h"

#include <algorithm>
#include <set>

#include "eval/needle_keys.h"
#include "eval/small_model.h"

namespace memside::eval {
namespace {

class NeedleTrialTest : public testing::Test {
  protected:
    NeedleTrialTest() {
        setup_.contexts = {2048, 3072, 4096};
        setup_.depths = {0.0, 0.25, 0.5, 0.75, 1.0};
        setup_.wording.needle = "Of {key} it is {value}.";
        setup_.wording.question = "Of {key} it is";
        setup_.wording.value_digits = 6;
    }

    NeedleTrial trial(std::int64_t number) const {
        return make_trial(setup_, *tokenizer_, haystack_, number).value();
    }
    std::string text(const NeedleTrial& trial, std::int64_t first, std::int64_t count) const {
        return tokenizer_->decode(
            std::span(trial.tokens)
                .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    }
    void expect_refused(const std::string& message) const {
        const Status status = check_setup(setup_, *tokenizer_);
        ASSERT_FALSE(status.ok());
        EXPECT_THAT(status.error().message(), testing::HasSubstr(message));
    }

    std::unique_ptr<engine::Tokenizer> tokenizer_ =
        memside::test::byte_level("gpt-2", {}).make().value();
    std::string words_ = test::some_text(20000);
    Haystack haystack_{*tokenizer_, words_};
    NeedleSetup setup_;
};

TEST_F(NeedleTrialTest, every_context_and_depth_has_a_needle_near_its_place) {
    ASSERT_TRUE(check_setup(setup_, *tokenizer_).ok());
    const NeedleTrial made = trial(0);
    ASSERT_EQ(made.questions.size(), setup_.contexts.size() * setup_.depths.size());
    for (std::size_t i = 0; i < made.questions.size(); ++i) {
        const NeedleQuestion& question = made.questions[i];
        EXPECT_EQ(question.context, i / setup_.depths.size());
        EXPECT_EQ(question.depth, i % setup_.depths.size());
        const Needle& needle = made.needles[question.needle];
        const std::int64_t length = made.text_tokens[question.context];
        const double place = setup_.depths[question.depth] * static_cast<double>(length);
        // A needle, a sentence back, and another needle that was near.
        EXPECT_NEAR(static_cast<double>(needle.position), place, 40 + 3 * sentence_tokens);
        EXPECT_GE(needle.position, 0);
        EXPECT_LE(needle.position + needle.tokens, length);
    }
}

TEST_F(NeedleTrialTest, needles_say_their_values_between_sentences_of_the_text_and_keys_differ) {
    const NeedleTrial made = trial(3);
    std::set<std::string> keys;
    std::string without;
    std::int64_t at = 0;
    for (const Needle& needle : made.needles) {
        EXPECT_EQ(text(made, needle.position, needle.tokens),
                  fmt::format(" Of {} it is {}.\n", needle.key, needle.value));
        EXPECT_EQ(needle.value.size(), 6U);
        EXPECT_TRUE(keys.insert(needle.key).second);
        const std::string before = text(made, at, needle.position - at);
        EXPECT_TRUE(before.empty() || before.ends_with(".") || before.ends_with(".\n")) << before;
        without += before;
        at = needle.position + needle.tokens;
    }
    without += text(made, at, static_cast<std::int64_t>(made.tokens.size()) - at);
    // Nothing of the text is missing or there twice.
    EXPECT_NE(words_.find(without), std::string::npos);
    EXPECT_EQ(static_cast<std::int64_t>(made.tokens.size()), made.text_tokens.back());
}

TEST_F(NeedleTrialTest, contexts_leave_room_for_question_and_answer_and_end_inside_no_needle) {
    for (std::int64_t number = 0; number < 20; ++number) {
        const NeedleTrial made = trial(number);
        for (std::size_t c = 0; c < setup_.contexts.size(); ++c) {
            const std::int64_t reserved = setup_.contexts[c] - made.text_tokens[c];
            EXPECT_EQ(reserved, reserved_tokens(*tokenizer_, setup_.wording));
            for (const Needle& needle : made.needles) {
                const auto asked = static_cast<std::int64_t>(
                    question_tokens(*tokenizer_, setup_.wording, needle.key).size());
                EXPECT_GE(reserved, asked + setup_.wording.value_digits + 2);
                const bool cut = needle.position < made.text_tokens[c] &&
                                 needle.position + needle.tokens > made.text_tokens[c];
                EXPECT_FALSE(cut);
            }
        }
    }
}

TEST_F(NeedleTrialTest, places_that_nearly_coincide_share_a_needle) {
    setup_.contexts = {2048, 4096};
    setup_.depths = {0.25, 0.5};
    // A half of 2K and a quarter of 4K are the same place.
    EXPECT_EQ(trial(0).needles.size(), 3U);
    setup_.contexts = {2048, 3072};
    EXPECT_EQ(trial(0).needles.size(), 4U);
}

TEST_F(NeedleTrialTest, a_trial_depends_on_seed_and_number_alone) {
    EXPECT_EQ(trial(2).tokens, trial(2).tokens);
    EXPECT_NE(trial(2).tokens, trial(1).tokens);
    const auto before = trial(2).tokens;
    setup_.seed = 9;
    EXPECT_NE(trial(2).tokens, before);
}

TEST_F(NeedleTrialTest, values_may_be_words_that_are_no_keys) {
    setup_.wording.value_digits = 0;
    const NeedleTrial made = trial(0);
    std::set<std::string> words;
    for (const Needle& needle : made.needles) {
        EXPECT_TRUE(words.insert(needle.key).second);
        EXPECT_TRUE(words.insert(needle.value).second);
        EXPECT_NE(std::ranges::find(needle_keys, needle.value), needle_keys.end());
    }
}

TEST_F(NeedleTrialTest, what_is_wrong_with_a_setup_is_named) {
    NeedleSetup good = setup_;
    setup_.contexts = {4096, 2048};
    expect_refused("--contexts: must ascend");
    setup_ = good;
    setup_.contexts = {512};
    expect_refused("--contexts: 512 is too short for 5 needles");
    setup_ = good;
    setup_.depths = {0.5, 1.5};
    expect_refused("--depths: must ascend from 0 to 1");
    setup_ = good;
    setup_.wording.needle = "Of {key}.";
    expect_refused("--needle: must have {key} and {value}");
    setup_ = good;
    setup_.wording.question = "What?";
    expect_refused("--question: must have {key}");
    setup_ = good;
    setup_.contexts = {std::int64_t{1} << 20};
    setup_.depths.clear();
    for (int i = 0; i < 130; ++i) setup_.depths.push_back(i / 130.0);
    expect_refused("130 needles are more than there are keys: 120");
    setup_ = good;
    setup_.contexts = {32768};
    const auto made = make_trial(setup_, *tokenizer_, haystack_, 0);
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message(), testing::HasSubstr("--text: has 2"));
}

TEST(NeedleKeys, no_key_begins_another) {
    for (const std::string_view a : needle_keys) {
        for (const std::string_view b : needle_keys) {
            if (&a != &b && b.starts_with(a)) {
                EXPECT_EQ(a.data(), b.data()) << a << " begins " << b;
            }
        }
    }
    EXPECT_EQ(std::set<std::string_view>(needle_keys.begin(), needle_keys.end()).size(),
              needle_keys.size());
}

TEST(NeedleVerdict, an_answer_is_the_value_alone) {
    EXPECT_EQ(judge(" 482913.", "482913"), Verdict::right);
    EXPECT_EQ(judge("482913\n", "482913"), Verdict::right);
    EXPECT_EQ(judge(" 4829137", "482913"), Verdict::wrong);
    EXPECT_EQ(judge(" 482914", "482913"), Verdict::wrong);
    EXPECT_EQ(judge(" 4829", "482913"), Verdict::open);
    EXPECT_EQ(judge(" 482913", "482913"), Verdict::open);
    EXPECT_EQ(judge("", "482913"), Verdict::open);
    EXPECT_EQ(judge(" The", "482913"), Verdict::wrong);
    EXPECT_EQ(judge(" pilots", "pilot"), Verdict::wrong);
}

}  // namespace
}  // namespace memside::eval
