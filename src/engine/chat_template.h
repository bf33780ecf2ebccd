// Conversations as the text that a model was trained on. The Jinja template of a file is not run:
// it is recognised as one of the usual families, whose forms are built in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/tokenizer.h"

namespace memside::engine {

enum class ChatRole { system, user, assistant };

struct ChatMessage {
    ChatRole role = ChatRole::user;
    std::string content;
};

// For Tokenizer::encode(text, literal) and then prepend_bos(). What the messages say is literal:
// the name of a control token in it is text.
struct ChatPrompt {
    std::string text;
    std::vector<TextRange> literal;
};

enum class ChatFamily { chatml, llama3, gemma, llama2, mistral, mistral_v7, zephyr, phi3 };

class ChatFormat {
  public:
    // The family that the file's template belongs to; a file without one is judged by the control
    // tokens it has. bad_input names a family that is not supported, and lists the supported ones.
    static Result<ChatFormat> detect(const Tokenizer& tokenizer, const std::string& file);

    ChatFamily family() const { return family_; }
    std::string_view name() const;

    // The conversation up to where the assistant speaks next. bad_input unless there is a message
    // that is not of the system, and at most one of the system, which comes first.
    Result<ChatPrompt> render(const std::vector<ChatMessage>& messages) const;

  private:
    explicit ChatFormat(ChatFamily family) : family_(family) {}
    void read_details(const std::string& text, const Tokenizer& tokenizer);

    ChatFamily family_;
    std::string bos_;             // names of tokens; "" when the model has none
    std::string end_;             // of an assistant's message
    std::string default_system_;  // chatml: what the template says where no system message is given
    // Mistral's versions differ in blanks around [INST] and [/INST].
    std::string blank_before_;
    std::string blank_after_;
};

}  // namespace memside::engine
