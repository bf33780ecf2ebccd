#include "engine/pre_tokenizer.h"

#include <rapidcheck/gtest.h>

namespace memside::engine {
namespace {

const PreTokenizer& named(std::string_view name) {
    for (const PreTokenizer& candidate : pre_tokenizers()) {
        for (const std::string_view known : candidate.names) {
            if (known == name) return candidate;
        }
    }
    throw std::invalid_argument(std::string(name));
}

std::vector<std::string> pieces(std::string_view name, std::string_view text) {
    std::vector<std::string> found;
    std::size_t first = 0;
    for (const std::size_t last : named(name).piece_ends(text)) {
        found.emplace_back(text.substr(first, last - first));
        first = last;
    }
    return found;
}

using testing::ElementsAre;

TEST(PreTokenizer, llama_3_takes_three_digits_and_qwen_2_one) {
    EXPECT_THAT(pieces("llama-bpe", "in 12345"), ElementsAre("in", " ", "123", "45"));
    EXPECT_THAT(pieces("qwen2", "in 123"), ElementsAre("in", " ", "1", "2", "3"));
    EXPECT_THAT(pieces("smollm", "in 123"), ElementsAre("in", " ", "1", "2", "3"));
    EXPECT_THAT(pieces("gpt-2", "in 12345"), ElementsAre("in", " 12345"));
    EXPECT_THAT(pieces("default", "in 12345"), ElementsAre("in", " ", "123", "45"));
}

TEST(PreTokenizer, contractions_ignore_case_only_in_llama_3_and_qwen_2) {
    EXPECT_THAT(pieces("llama-bpe", "it'S we'll"), ElementsAre("it", "'S", " we", "'ll"));
    EXPECT_THAT(pieces("gpt-2", "it'S we'll"), ElementsAre("it", "'", "S", " we", "'ll"));
}

TEST(PreTokenizer, the_last_of_several_blanks_goes_with_the_word) {
    for (const char* name : {"llama-bpe", "qwen2", "smollm", "gpt-2"}) {
        EXPECT_THAT(pieces(name, "a   b  "), ElementsAre("a", "  ", " b", "  ")) << name;
    }
}

TEST(PreTokenizer, line_ends_close_a_piece_in_llama_3) {
    EXPECT_THAT(pieces("llama-bpe", "a;\r\n\r\n  b"), ElementsAre("a", ";\r\n\r\n", " ", " b"));
    EXPECT_THAT(pieces("llama-bpe", "a \n\n  b"), ElementsAre("a", " \n\n", " ", " b"));
    EXPECT_THAT(pieces("llama-bpe", "\tx(y)"), ElementsAre("\tx", "(y", ")"));
    EXPECT_THAT(pieces("gpt-2", "a;\n\nb"), ElementsAre("a", ";", "\n", "\n", "b"));
}

RC_GTEST_PROP(PreTokenizer, pieces_cover_any_bytes_and_none_is_empty, (const std::string& text)) {
    for (const PreTokenizer& pre_tokenizer : pre_tokenizers()) {
        std::size_t before = 0;
        for (const std::size_t end : pre_tokenizer.piece_ends(text)) {
            RC_ASSERT(end > before);
            before = end;
        }
        RC_ASSERT(before == text.size());
    }
}

}  // namespace
}  // namespace memside::engine
