// A small model with random weights over the 256 bytes and a text of sentences, for evaluations.
#pragma once

#include <memory>
#include <string>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/random_model.h"
#include "engine/toy_vocabulary.h"
#include "eval/haystack.h"
#include "kv/counter_random.h"

namespace memside::eval::test {

// Sentences of made-up words, no two alike.
inline std::string some_text(std::size_t bytes) {
    std::string text;
    for (std::uint64_t i = 0; text.size() < bytes; ++i) {
        const std::uint64_t bits = kv::random_bits(7, i);
        text += fmt::format("{:x}{}", bits % 0x10000, i % 5 == 4 ? ".\n" : " ");
    }
    return text;
}

struct SmallModel {
    // llama or gemma3, whose windows are of 32 tokens.
    explicit SmallModel(const std::string& architecture) {
        engine::test::RandomModel random;
        random.shape.architecture = architecture;
        random.shape.vocab = 256;
        random.shape.layers = 6;
        if (architecture == "gemma3") random.sliding_window = 32;
        engine::test::build(random);
        file = std::make_unique<engine::ModelFile>(
            engine::open_model(folder.write("model.gguf", random.file)).value());
        tokenizer = memside::test::byte_level("gpt-2", {}).make().value();
    }

    std::unique_ptr<engine::Decoder> decoder(std::int64_t capacity, std::int64_t rewind,
                                             unsigned threads = 2) const {
        engine::DecoderOptions options;
        options.capacity_tokens = capacity;
        options.rewind_tokens = rewind;
        options.page_tokens = 16;
        options.threads = threads;
        return engine::Decoder::make(*file, options).value();
    }

    TempFolder folder;
    std::unique_ptr<engine::ModelFile> file;
    std::unique_ptr<engine::Tokenizer> tokenizer;
};

inline engine::KvPolicy selecting(std::int64_t budget_tokens,
                                  kv::DigestKind kind = kv::DigestKind::minmax) {
    engine::KvPolicy policy;
    policy.variant = &engine::kv_policy_variant("pnm-kv");
    policy.selection.budget_tokens = budget_tokens;
    policy.selection.pinned = {1, 1};
    policy.digest.kind = kind;
    return policy;
}

}  // namespace memside::eval::test
