// Any bytes as text: small vocabularies of both models give every byte back, and a stream of the
// tokens adds up to them.
#include <array>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "check.h"
#include "engine/byte_alphabet.h"
#include "engine/pre_tokenizer.h"
#include "engine/tokenizer.h"

namespace {

using memside::GgufArray;
using memside::GgufHeader;
using memside::GgufValue;
using memside::engine::Tokenizer;
using memside::fuzz::require;

struct Vocabulary {
    std::vector<std::string> names;
    std::vector<std::int64_t> kinds;
    std::vector<double> scores;
    std::vector<std::string> merges;

    void add(const std::string& name, int kind) {
        names.push_back(name);
        kinds.push_back(kind);
        scores.push_back(-static_cast<double>(names.size() % 7));
    }

    std::unique_ptr<Tokenizer> make(const std::string& model, const std::string& pre) const {
        GgufHeader header;
        const auto set = [&header](const char* key, GgufValue value) {
            header.metadata[std::string("tokenizer.") + key] = std::move(value);
        };
        set("ggml.model", {model});
        set("ggml.pre", {pre});
        set("ggml.tokens", {GgufArray(names)});
        set("ggml.token_type", {GgufArray(kinds)});
        set("ggml.scores", {GgufArray(scores)});
        set("ggml.merges", {GgufArray(merges)});
        set("ggml.add_space_prefix", {false});
        auto tokenizer = Tokenizer::make(header, "fuzz");
        require(tokenizer.ok(), "the vocabulary is good");
        return std::move(tokenizer).value();
    }
};

Vocabulary byte_level() {
    Vocabulary vocabulary;
    for (int byte = 0; byte < 256; ++byte) {
        vocabulary.add(memside::engine::to_byte_alphabet(std::string(1, static_cast<char>(byte))),
                       1);
    }
    for (const char* merge : {"a b", "a a", "aa aa", "Ġ a", "Ċ Ċ", "1 2", "ab ab", "Ã ©", "' s"}) {
        vocabulary.merges.emplace_back(merge);
        std::string joined = merge;
        joined.erase(joined.find(' '), 1);
        vocabulary.add(joined, 1);
    }
    vocabulary.add("<a>", 4);
    vocabulary.add("<a>b", 4);
    vocabulary.add("<|end|>", 3);
    return vocabulary;
}

Vocabulary sentence_piece() {
    Vocabulary vocabulary;
    for (int byte = 0; byte < 256; ++byte) vocabulary.add(fmt::format("<0x{:02X}>", byte), 6);
    for (const char* piece : {"a", "b", "▁", "▁a", "ab", "aa", "aaa", "▁▁", "é", "éa", "bé", "<"}) {
        vocabulary.add(piece, 1);
    }
    vocabulary.add("\n\n", 4);
    vocabulary.add("<a>", 4);
    vocabulary.add("<|end|>", 3);
    return vocabulary;
}

std::vector<std::unique_ptr<Tokenizer>> make_all() {
    std::vector<std::unique_ptr<Tokenizer>> all;
    for (const auto& pre : memside::engine::pre_tokenizers()) {
        all.push_back(byte_level().make("gpt2", std::string(pre.names.front())));
    }
    all.push_back(sentence_piece().make("llama", "default"));
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto all = make_all();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // SentencePiece writes a blank as U+2581 and cannot tell the two apart.
    const bool marked = text.find("\u2581") != std::string_view::npos;
    for (const auto& tokenizer : all) {
        if (marked && tokenizer == all.back()) continue;
        const auto ids = tokenizer->encode(text, false);
        require(tokenizer->decode(ids) == text, "text comes back");
        memside::engine::StreamDecoder stream(*tokenizer);
        std::string shown;
        for (const std::int32_t id : ids) shown += stream.push(id);
        require(shown + stream.finish() == text, "a stream adds up");
        const std::array ranges{memside::engine::TextRange{0, size}};
        require(tokenizer->encode(text, ranges) == ids, "literal text has no control tokens");
        for (const std::int32_t id : tokenizer->encode(text, true)) {
            require(id >= 0 && id < tokenizer->vocab_size(), "ids are tokens");
        }
    }
    return 0;
}
