#include "eval/haystack.h"

#include "eval/small_model.h"

namespace memside::eval {
namespace {

TEST(Haystack, a_place_moves_back_to_the_beginning_of_a_sentence) {
    const Haystack haystack({1, 2, 3, 4, 5, 6}, {false, true, false, false, true, false});
    EXPECT_EQ(haystack.sentence_start(0, 6), 5);
    EXPECT_EQ(haystack.sentence_start(0, 5), 5);
    EXPECT_EQ(haystack.sentence_start(0, 4), 2);
    EXPECT_EQ(haystack.sentence_start(0, 2), 2);
    EXPECT_EQ(haystack.sentence_start(0, 1), 1);
    // Not to before what it may move over.
    EXPECT_EQ(haystack.sentence_start(2, 4), 4);
}

TEST(Haystack, a_place_far_from_any_end_stays) {
    std::vector<bool> ends(300, false);
    ends[10] = true;
    const Haystack haystack(std::vector<engine::TokenId>(300, 1), ends);
    EXPECT_EQ(haystack.sentence_start(0, 11 + sentence_tokens - 1), 11);
    EXPECT_EQ(haystack.sentence_start(0, 11 + sentence_tokens), 11 + sentence_tokens);
}

TEST(Haystack, sentences_of_a_text_end_with_full_stops_questions_and_exclamations) {
    const auto tokenizer = memside::test::byte_level("gpt-2", {}).make().value();
    const Haystack haystack(*tokenizer, "Yes. Is it? No! a,b");
    EXPECT_EQ(haystack.size(), 19);
    EXPECT_EQ(haystack.sentence_start(0, 19), 15);
    EXPECT_EQ(haystack.sentence_start(0, 14), 11);
    EXPECT_EQ(haystack.sentence_start(0, 10), 4);
}

}  // namespace
}  // namespace memside::eval
