// Ids that llama.cpp gives, and for byte-level BPE the tokenizers package too, for vocabularies of
// 900 words: data/tokenizer_cases.json, written by tests/peers/write_tokenizer_cases.py.
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/chat_template.h"
#include "real_model.h"
#include "toy_vocabulary.h"

namespace memside::engine {
namespace {

using Json = nlohmann::json;

const Json& recorded() {
    static const Json json = [] {
        std::ifstream file(MEMSIDE_SOURCE_DIR "/tests/engine/data/tokenizer_cases.json");
        return Json::parse(file);
    }();
    return json;
}

test::ToyVocabulary recorded_bpe(const std::string& pre) {
    test::ToyVocabulary vocabulary("gpt2");
    vocabulary.set("ggml.pre", pre);
    for (const auto& token : recorded()["bpe_tokens"]) vocabulary.add(token, test::normal);
    for (const auto& token : recorded()["bpe_control"]) vocabulary.add(token, test::control);
    for (const auto& token : recorded()["bpe_user_defined"]) {
        vocabulary.add(token, test::user_defined);
    }
    for (const auto& merge : recorded()["bpe_merges"]) vocabulary.add_merge(merge);
    return vocabulary;
}

test::ToyVocabulary recorded_sentence_piece(bool prefix) {
    test::ToyVocabulary vocabulary("llama");
    for (const auto& token : recorded()["sentence_piece_tokens"]) {
        vocabulary.add(token[0], token[2], token[1]);
    }
    vocabulary.set("ggml.add_space_prefix", prefix);
    vocabulary.set("ggml.unknown_token_id", std::uint64_t{0});
    return vocabulary;
}

std::unique_ptr<Tokenizer> made(const test::ToyVocabulary& vocabulary) {
    auto tokenizer = vocabulary.make();
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    return std::move(*tokenizer);
}

// Compares every case that `judged` accepts; returns how many there were.
template <typename Judged>
int expect_ids(const Tokenizer& tokenizer, const Json& cases, const Judged& judged) {
    int count = 0;
    for (const auto& one : cases) {
        const std::string text = one["text"];
        if (!judged(text)) continue;
        ++count;
        EXPECT_EQ(tokenizer.encode(text, one["special"]),
                  one["ids"].get<std::vector<std::int32_t>>())
            << text;
    }
    return count;
}

TEST(TokenizerCases, byte_level_ids_are_those_of_two_other_programs) {
    int count = 0;
    for (const auto& [pre, cases] : recorded()["bpe_cases"].items()) {
        count +=
            expect_ids(*made(recorded_bpe(pre)), cases, [](const std::string&) { return true; });
    }
    EXPECT_EQ(count, 5 * 40);
}

TEST(TokenizerCases, sentence_piece_ids_are_those_of_llama_cpp) {
    const auto all = [](const std::string&) { return true; };
    const Json& cases = recorded()["sentence_piece_cases"];
    EXPECT_EQ(expect_ids(*made(recorded_sentence_piece(false)), cases["plain"], all), 40);
    // After a user-defined token llama.cpp begins anew, with a blank; SentencePiece puts it only in
    // front of a text, which is what is done here.
    const auto without_user_defined = [](const std::string& text) {
        return text.find("\n\n") == std::string::npos && text.find("<tool") == std::string::npos;
    };
    EXPECT_EQ(
        expect_ids(*made(recorded_sentence_piece(true)), cases["prefix"], without_user_defined),
        34);
}

TEST(TokenizerCases, ids_of_a_real_model_are_those_of_llama_cpp) {
    const std::string path = test::gemma_file();
    if (path.empty()) GTEST_SKIP() << test::no_real_model;
    const auto header = read_gguf_header(path);
    ASSERT_TRUE(header.ok()) << header.error().message();
    const auto tokenizer = Tokenizer::make(*header, path);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    // llama.cpp makes </s> a control token in every file. For Gemma it is an HTML tag like <s>.
    const auto without_tag = [](const std::string& text) {
        return text.find("</s>") == std::string::npos;
    };
    EXPECT_EQ(expect_ids(**tokenizer, recorded()["gemma_cases"], without_tag), 36);
    for (const auto& one : recorded()["gemma_cases"]) {
        const std::string text = one["text"];
        EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text, false)), text);
    }
    EXPECT_TRUE((*tokenizer)->adds_bos());
    EXPECT_TRUE((*tokenizer)->is_end(1) && (*tokenizer)->is_end(106)) << "<eos>, <end_of_turn>";
    EXPECT_EQ(ChatFormat::detect(**tokenizer, path).value().name(), "gemma");
}

}  // namespace
}  // namespace memside::engine
