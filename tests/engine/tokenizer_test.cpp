#include "engine/tokenizer.h"

#include <rapidcheck/gtest.h>

#include "toy_vocabulary.h"

namespace memside::engine {
namespace {

using test::byte_level;
using test::sentence_piece;
using test::ToyVocabulary;
using testing::ElementsAre;
using testing::HasSubstr;

using Ids = std::vector<std::int32_t>;

std::unique_ptr<Tokenizer> made(const ToyVocabulary& vocabulary) {
    auto tokenizer = vocabulary.make();
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    return tokenizer.ok() ? std::move(*tokenizer) : nullptr;
}

std::string refusal(const ToyVocabulary& vocabulary) {
    const auto tokenizer = vocabulary.make();
    return tokenizer.ok() ? "" : tokenizer.error().message();
}

TEST(Tokenizer, bpe_merges_the_lowest_rank_first) {
    // "abc": b c has the lower rank, so a b never comes about.
    const auto tokenizer = made(byte_level("gpt-2", {"b c", "a b", "a bc"}));
    EXPECT_THAT(tokenizer->encode("abc", false), ElementsAre(258));
    EXPECT_THAT(tokenizer->encode("ab", false), ElementsAre(257));
    EXPECT_THAT(tokenizer->encode("bcb", false), ElementsAre(256, 'b'));
}

TEST(Tokenizer, llama_3_takes_a_word_that_is_a_token_whole) {
    // No merge leads to "abc" but its token exists.
    ToyVocabulary llama = byte_level("llama-bpe", {"a b"});
    ToyVocabulary qwen = byte_level("qwen2", {"a b"});
    llama.add("abc", test::normal);
    qwen.add("abc", test::normal);
    EXPECT_THAT(made(llama)->encode("abc", false), ElementsAre(257));
    EXPECT_THAT(made(qwen)->encode("abc", false), ElementsAre(256, 'c'));
}

RC_GTEST_PROP(Tokenizer, bpe_gives_any_bytes_back, (const std::string& text)) {
    static const auto tokenizer =
        made(byte_level("llama-bpe", {"a b", "Ġ a", "Ã ©", "ab ab", "Ċ Ċ"}));
    RC_ASSERT(tokenizer->decode(tokenizer->encode(text, true)) == text);
}

RC_GTEST_PROP(Tokenizer, sentence_piece_gives_any_bytes_back, (const std::string& text)) {
    static const auto tokenizer = made(sentence_piece({"▁a", "ab", "▁", "é", "▁▁"}));
    RC_ASSERT(tokenizer->decode(tokenizer->encode(text, false)) == text);
}

TEST(Tokenizer, sentence_piece_joins_the_highest_score_first_and_falls_back_to_bytes) {
    const auto tokenizer = made(sentence_piece({"bc", "ab", "▁a", "▁", "a", "b", "c"}));
    // Tokens from 259 on. "▁abc": bc wins over ab, then ▁a.
    EXPECT_THAT(tokenizer->encode("abc", false), ElementsAre(261, 259));
    EXPECT_THAT(tokenizer->encode("é", false), ElementsAre(262, 3 + 0xC3, 3 + 0xA9));
    EXPECT_EQ(tokenizer->decode(Ids{261, 259, 3 + '\n'}), "abc\n");
}

TEST(Tokenizer, control_tokens_and_bytes_never_come_from_text) {
    const auto tokenizer = made(sentence_piece({"<s", "▁", ">", "<", "s"}));
    const Ids ids = tokenizer->encode("<s>", false);
    EXPECT_THAT(ids, testing::Not(testing::Contains(1)));
    EXPECT_THAT(tokenizer->encode("<s>", true), ElementsAre(1));
}

TEST(Tokenizer, the_longest_special_token_is_cut_out_first) {
    ToyVocabulary vocabulary = byte_level("gpt-2", {});
    const auto tool = vocabulary.add("<tool>", test::user_defined);
    const auto tool_x = vocabulary.add("<tool>x", test::user_defined);
    const auto end = vocabulary.add("<end>", test::control);
    const auto tokenizer = made(vocabulary);
    EXPECT_THAT(tokenizer->encode("a<tool>xy<tool>", false), ElementsAre('a', tool_x, 'y', tool));
    EXPECT_THAT(tokenizer->encode("<end><tool", true), ElementsAre(end, '<', 't', 'o', 'o', 'l'));
    EXPECT_EQ(tokenizer->encode("<end>", false), (Ids{'<', 'e', 'n', 'd', '>'}));
}

TEST(Tokenizer, what_a_user_typed_cannot_forge_a_control_token) {
    ToyVocabulary vocabulary = byte_level("gpt-2", {});
    const auto end = vocabulary.add("<end>", test::control);
    const auto tokenizer = made(vocabulary);
    const std::string text = "<end>a<end>b<end>";
    const std::vector<TextRange> literal{{5, 12}};  // "a<end>b"
    EXPECT_THAT(tokenizer->encode(text, literal),
                ElementsAre(end, 'a', '<', 'e', 'n', 'd', '>', 'b', end));
    // A token that only reaches into the range is text as well.
    const std::vector<TextRange> inner{{4, 5}};
    EXPECT_EQ(tokenizer->encode("<end>", inner), (Ids{'<', 'e', 'n', 'd', '>'}));
}

TEST(Tokenizer, bos_is_put_in_front_once_where_the_model_wants_it) {
    const auto tokenizer = made(sentence_piece({"▁", "a"}));
    EXPECT_TRUE(tokenizer->adds_bos());
    Ids ids{5};
    tokenizer->prepend_bos(ids);
    tokenizer->prepend_bos(ids);
    EXPECT_EQ(ids, (Ids{1, 5}));
    const auto without = made(byte_level("qwen2", {}));
    ids = {5};
    without->prepend_bos(ids);
    EXPECT_EQ(ids, Ids{5});
}

TEST(Tokenizer, generation_ends_at_every_end_token_that_the_file_has) {
    ToyVocabulary vocabulary = byte_level("qwen2", {});
    const auto text_end = vocabulary.add("<|endoftext|>", test::control);
    const auto turn_end = vocabulary.add("<|im_end|>", test::control);
    const auto other = vocabulary.add("<|im_start|>", test::control);
    const auto message_end = vocabulary.add("<|whatever|>", test::control);
    vocabulary.set("ggml.eos_token_id", static_cast<std::uint64_t>(text_end));
    vocabulary.set("ggml.eom_token_id", static_cast<std::uint64_t>(message_end));
    const auto tokenizer = made(vocabulary);
    EXPECT_TRUE(tokenizer->is_end(text_end) && tokenizer->is_end(turn_end));
    EXPECT_TRUE(tokenizer->is_end(message_end));
    EXPECT_FALSE(tokenizer->is_end(other) || tokenizer->is_end('a'));
    EXPECT_EQ(tokenizer->find("<|im_end|>"), turn_end);
}

TEST(Tokenizer, a_stream_never_shows_half_a_character) {
    const auto tokenizer = made(byte_level("gpt-2", {}));
    StreamDecoder stream(*tokenizer);
    EXPECT_EQ(stream.push('a'), "a");
    EXPECT_EQ(stream.push(0xE2), "");
    EXPECT_EQ(stream.push(0x82), "");
    EXPECT_EQ(stream.push(0xAC), "€");
    EXPECT_EQ(stream.push(0xE2), "");
    EXPECT_EQ(stream.push('b'), "\xE2\x62");
    EXPECT_EQ(stream.push(0xF0), "");
    EXPECT_EQ(stream.finish(), "\xF0");
    EXPECT_EQ(stream.finish(), "");
}

RC_GTEST_PROP(Tokenizer, a_stream_adds_up_to_the_text, (const std::string& text)) {
    static const auto tokenizer = made(byte_level("gpt-2", {"a b", "Ã ©"}));
    StreamDecoder stream(*tokenizer);
    std::string shown;
    for (const std::int32_t id : tokenizer->encode(text, false)) shown += stream.push(id);
    RC_ASSERT(shown + stream.finish() == text);
}

TEST(Tokenizer, what_is_wrong_is_named) {
    EXPECT_THAT(refusal(ToyVocabulary("bert")), HasSubstr("supported: gpt2, llama"));
    EXPECT_THAT(refusal(byte_level("tekken", {})), HasSubstr("'tekken' is not supported"));
    for (const char* merge : {"a b", "ab", "a ", " a", "", "x y z"}) {
        ToyVocabulary vocabulary = byte_level("gpt-2", {"b c"});
        vocabulary.add_merge(merge);
        EXPECT_THAT(refusal(vocabulary), HasSubstr("merge 1 of tokenizer.ggml.merges")) << merge;
    }
    ToyVocabulary vocabulary = byte_level("gpt-2", {});
    vocabulary.set("ggml.eos_token_id", std::uint64_t{256});
    EXPECT_THAT(refusal(vocabulary), HasSubstr("no token id; allowed: 0 to 255"));
    vocabulary = byte_level("gpt-2", {});
    vocabulary.remove("ggml.merges");
    EXPECT_THAT(refusal(vocabulary), HasSubstr("merges' is not an array of strings"));
    vocabulary = byte_level("gpt-2", {});
    vocabulary.add("x", 7);
    EXPECT_THAT(refusal(vocabulary), HasSubstr("allowed: 1 to 6"));
    vocabulary = sentence_piece({});
    vocabulary.add("<0x0a>", test::byte_kind);
    EXPECT_THAT(refusal(vocabulary), HasSubstr("allowed: <0x00> to <0xFF>"));
    vocabulary = sentence_piece({});
    vocabulary.remove("ggml.scores");
    EXPECT_THAT(refusal(vocabulary), HasSubstr("scores' is not an array of numbers"));
    vocabulary = ToyVocabulary("gpt2");
    vocabulary.add("a", test::normal);
    EXPECT_THAT(refusal(vocabulary), HasSubstr("no token for the byte 0x00"));
    vocabulary = byte_level("gpt-2", {});
    vocabulary.add(std::string(2000, 'x'), test::control);
    EXPECT_THAT(refusal(vocabulary), HasSubstr("has 2000 bytes; allowed: 1024"));
}

}  // namespace
}  // namespace memside::engine
