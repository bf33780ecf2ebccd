#include "toy_vocabulary.h"

#include <fmt/format.h>

#include "engine/byte_alphabet.h"

namespace memside::test {

ToyVocabulary byte_level(const std::string& pre, const std::vector<std::string>& merges) {
    ToyVocabulary vocabulary("gpt2");
    vocabulary.set("ggml.pre", pre);
    for (int byte = 0; byte < 256; ++byte) {
        vocabulary.add(engine::to_byte_alphabet(std::string(1, static_cast<char>(byte))), normal);
    }
    for (const std::string& merge : merges) {
        vocabulary.add_merge(merge);
        std::string joined = merge;
        joined.erase(joined.find(' '), 1);
        vocabulary.add(joined, normal);
    }
    return vocabulary;
}

ToyVocabulary sentence_piece(const std::vector<std::string>& pieces) {
    ToyVocabulary vocabulary("llama");
    vocabulary.set("ggml.unknown_token_id", std::uint64_t{0});
    vocabulary.set("ggml.bos_token_id", std::uint64_t{1});
    vocabulary.set("ggml.eos_token_id", std::uint64_t{2});
    vocabulary.add("<unk>", unknown);
    vocabulary.add("<s>", control);
    vocabulary.add("</s>", control);
    for (int byte = 0; byte < 256; ++byte) {
        vocabulary.add(fmt::format("<0x{:02X}>", byte), byte_kind);
    }
    double score = 0.0;
    for (const std::string& piece : pieces) vocabulary.add(piece, normal, score -= 1.0);
    return vocabulary;
}

}  // namespace memside::test
