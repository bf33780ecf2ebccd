#include "engine/byte_level_vocabulary.h"

#include <cassert>

#include "engine/byte_alphabet.h"

namespace memside::engine {

void add_byte_level_vocabulary(GgufWriter& file, int tokens) {
    assert(tokens >= smallest_byte_level_vocabulary);
    const std::vector<std::string> control{"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    const std::size_t words_end = static_cast<std::size_t>(tokens) - control.size();

    std::vector<std::string> names;
    for (int byte = 0; byte < 256; ++byte) {
        names.push_back(to_byte_alphabet(std::string(1, static_cast<char>(byte))));
    }
    // Every word takes each letter behind it in turn.
    std::vector<std::string> words{to_byte_alphabet(" ")};
    for (char letter = 'a'; letter <= 'z'; ++letter) words.emplace_back(1, letter);
    std::vector<std::string> merges;
    for (std::size_t next = 0; names.size() < words_end; ++next) {
        for (char letter = 'a'; letter <= 'z' && names.size() < words_end; ++letter) {
            merges.push_back(fmt::format("{} {}", words[next], letter));
            words.push_back(fmt::format("{}{}", words[next], letter));
            names.push_back(words.back());
        }
    }
    std::vector<std::int32_t> kinds(names.size(), 1);
    for (const std::string& name : control) {
        names.push_back(name);
        kinds.push_back(3);
    }
    const auto first_control = static_cast<std::uint32_t>(words_end);

    file.add_text("tokenizer.ggml.model", "gpt2");
    file.add_text("tokenizer.ggml.pre", "gpt-2");
    file.add_texts("tokenizer.ggml.tokens", names);
    file.add_i32s("tokenizer.ggml.token_type", kinds);
    file.add_texts("tokenizer.ggml.merges", merges);
    file.add_u32("tokenizer.ggml.bos_token_id", first_control);
    file.add_u32("tokenizer.ggml.eos_token_id", first_control);
    file.add_u32("tokenizer.ggml.eot_token_id", first_control + 2);
    file.add_flag("tokenizer.ggml.add_bos_token", false);
    file.add_text("tokenizer.chat_template",
                  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
                  "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
                  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}");
}

}  // namespace memside::engine
