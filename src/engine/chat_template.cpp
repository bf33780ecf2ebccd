#include "engine/chat_template.h"

#include <array>

#include "base/text.h"

namespace memside::engine {
namespace {

struct FamilyName {
    ChatFamily family;
    std::string_view name;
};
constexpr std::array<FamilyName, 8> families{{{ChatFamily::chatml, "chatml"},
                                              {ChatFamily::llama3, "llama3"},
                                              {ChatFamily::gemma, "gemma"},
                                              {ChatFamily::llama2, "llama2"},
                                              {ChatFamily::mistral, "mistral"},
                                              {ChatFamily::mistral_v7, "mistral-v7"},
                                              {ChatFamily::zephyr, "zephyr"},
                                              {ChatFamily::phi3, "phi3"}}};

// Families that are known by a mark of their templates, and not supported. They come first: some
// also have marks of a supported one.
struct UnsupportedFamily {
    std::string_view mark;
    std::string_view name;
};
constexpr std::array<UnsupportedFamily, 12> unsupported{{{"<|im_sep|>", "phi-4"},
                                                         {"<\uff5cAssistant\uff5c>", "deepseek"},
                                                         {"<|channel|>", "gpt-oss"},
                                                         {"<|header_start|>", "llama4"},
                                                         {"<|start_of_role|>", "granite"},
                                                         {"<|START_OF_TURN_TOKEN|>", "command-r"},
                                                         {"[|system|]", "exaone"},
                                                         {"GPT4 Correct ", "openchat"},
                                                         {"[gMASK]", "chatglm"},
                                                         {"<|turn>", "gemma4"},
                                                         {"### Instruction:", "alpaca"},
                                                         {"USER: ", "vicuna"}}};

// Builds a prompt out of marks and of what messages say.
class PromptBuilder {
  public:
    PromptBuilder& mark(std::string_view text) {
        prompt.text += text;
        return *this;
    }
    PromptBuilder& content(std::string_view text) {
        const std::size_t first = prompt.text.size();
        prompt.text += text;
        if (!text.empty()) prompt.literal.push_back({first, prompt.text.size()});
        return *this;
    }
    ChatPrompt prompt;
};

// Without blanks and line ends at both ends, as Jinja's trim does.
std::string_view stripped(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\r\f\v";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return "";
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::string_view role_name(ChatRole role) {
    if (role == ChatRole::system) return "system";
    return role == ChatRole::user ? "user" : "assistant";
}

// The system message that a ChatML template has where none is given: a literal that stands between
// the marks, without any expression.
std::string default_system(std::string_view text) {
    for (const std::string_view begin : {"<|im_start|>system\\n", "<|im_start|>system\n"}) {
        for (std::size_t at = text.find(begin); at != std::string_view::npos;
             at = text.find(begin, at + 1)) {
            const std::string_view rest = text.substr(at + begin.size());
            const std::string_view said = rest.substr(0, rest.find("<|im_end|>"));
            if (said.size() == rest.size() || said.empty()) continue;
            if (said.find_first_of("'\"{}\\") == std::string_view::npos) return std::string(said);
        }
    }
    return "";
}

Result<ChatFamily> family_of_template(std::string_view text, const std::string& file) {
    const auto has = [text](std::string_view mark) {
        return text.find(mark) != std::string_view::npos;
    };
    std::vector<std::string> names;
    for (const FamilyName& family : families) names.emplace_back(family.name);
    for (const UnsupportedFamily& other : unsupported) {
        if (!has(other.mark)) continue;
        return bad_input(file, fmt::format("the chat template is of the family {}, which is not "
                                           "supported; supported: {}; raw text always works",
                                           other.name, join(names, ", ")));
    }
    if (has("<|im_start|>")) return ChatFamily::chatml;
    if (has("[INST]")) {
        if (has("[SYSTEM_PROMPT]")) return ChatFamily::mistral_v7;
        const bool official = has("' [INST] ' + system_message") || has("[AVAILABLE_TOOLS]");
        return official ? ChatFamily::mistral : ChatFamily::llama2;
    }
    if (has("<|start_header_id|>") && has("<|end_header_id|>")) return ChatFamily::llama3;
    if (has("<start_of_turn>")) return ChatFamily::gemma;
    if (has("<|assistant|>") && has("<|end|>")) return ChatFamily::phi3;
    if (has("<|user|>") && (has("<|endoftext|>") || has("eos_token"))) return ChatFamily::zephyr;
    return bad_input(file, fmt::format("the chat template {} is of no known family; supported: {}; "
                                       "raw text always works",
                                       in_quotes(text), join(names, ", ")));
}

// A file without a template: the turn marks among its tokens.
Result<ChatFamily> family_of_tokens(const Tokenizer& tokenizer, const std::string& file) {
    const auto has = [&tokenizer](std::string_view name) {
        const std::int32_t id = tokenizer.find(name);
        return id >= 0 && tokenizer.is_control(id);
    };
    if (has("<|im_start|>") && has("<|im_end|>")) return ChatFamily::chatml;
    if (has("<|start_header_id|>") && has("<|eot_id|>")) return ChatFamily::llama3;
    if (has("<start_of_turn>") && has("<end_of_turn>")) return ChatFamily::gemma;
    return bad_input(file, "has no chat template, nor the tokens of a known one; use raw text");
}

Status check_messages(const std::vector<ChatMessage>& messages) {
    std::size_t others = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const bool system = messages[i].role == ChatRole::system;
        others += system ? 0 : 1;
        if (system && i > 0) {
            return bad_input("messages", "a system message can only be the first");
        }
    }
    if (others == 0) return bad_input("messages", "there is none of a user");
    return {};
}

}  // namespace

Result<ChatFormat> ChatFormat::detect(const Tokenizer& tokenizer, const std::string& file) {
    const std::string& text = tokenizer.chat_template();
    MEMSIDE_TRY(const ChatFamily family,
                text.empty() ? family_of_tokens(tokenizer, file) : family_of_template(text, file));
    ChatFormat format(family);
    format.read_details(text, tokenizer);
    return format;
}

void ChatFormat::read_details(const std::string& text, const Tokenizer& tokenizer) {
    const auto has = [&text](std::string_view mark) {
        return text.find(mark) != std::string::npos;
    };
    if (tokenizer.bos() >= 0) bos_ = std::string(tokenizer.piece(tokenizer.bos()));
    if (tokenizer.eos() >= 0) end_ = std::string(tokenizer.piece(tokenizer.eos()));
    if (family_ == ChatFamily::chatml) default_system_ = default_system(text);
    if (family_ == ChatFamily::zephyr && has("<|endoftext|>")) end_ = std::string("<|endoftext|>");
    if (family_ == ChatFamily::mistral) {
        // Versions 1, 3 and 3 with another tokenizer, told apart by how the template writes it.
        const bool first = has(" [INST]");
        const bool tight = !first && has("\"[INST]\"");
        blank_before_ = std::string(first ? 1 : 0, ' ');
        blank_after_ = std::string(tight ? 0 : 1, ' ');
    }
    if (family_ == ChatFamily::mistral_v7) blank_after_ = std::string(1, ' ');
}

std::string_view ChatFormat::name() const {
    return families[static_cast<std::size_t>(family_)].name;
}

Result<ChatPrompt> ChatFormat::render(const std::vector<ChatMessage>& messages) const {
    MEMSIDE_CHECK(check_messages(messages));
    const bool given_system = messages.front().role == ChatRole::system;
    std::string_view system;  // where it goes with the first message of the user
    PromptBuilder out;
    bool open = false;  // llama2 and mistral: [INST] is open
    if (family_ == ChatFamily::chatml && !given_system && !default_system_.empty()) {
        out.mark("<|im_start|>system\n").mark(default_system_).mark("<|im_end|>\n");
    }
    for (const ChatMessage& message : messages) {
        const std::string_view said = message.content;
        const std::string_view role = role_name(message.role);
        const bool assistant = message.role == ChatRole::assistant;
        switch (family_) {
            case ChatFamily::chatml:
                out.mark("<|im_start|>").mark(role).mark("\n").content(said).mark("<|im_end|>\n");
                break;
            case ChatFamily::llama3:
                out.mark("<|start_header_id|>").mark(role).mark("<|end_header_id|>\n\n");
                out.content(stripped(said)).mark("<|eot_id|>");
                break;
            case ChatFamily::gemma:
                if (message.role == ChatRole::system) {
                    system = said;
                    break;
                }
                out.mark("<start_of_turn>").mark(assistant ? "model" : "user").mark("\n");
                if (!system.empty()) out.content(system).mark("\n\n");
                system = "";
                out.content(stripped(said)).mark("<end_of_turn>\n");
                break;
            case ChatFamily::llama2:
                if (assistant) {
                    out.mark(" ").content(stripped(said)).mark(" ").mark(end_);
                    open = false;
                    break;
                }
                if (!open) out.mark(bos_).mark("[INST] ");
                open = true;
                if (message.role == ChatRole::system) {
                    out.mark("<<SYS>>\n").content(said).mark("\n<</SYS>>\n\n");
                } else {
                    out.content(stripped(said)).mark(" [/INST]");
                }
                break;
            case ChatFamily::mistral:
                if (assistant) {
                    out.mark(blank_after_).content(said).mark(end_);
                    open = false;
                    break;
                }
                if (!open) out.mark(blank_before_).mark("[INST]").mark(blank_after_);
                open = true;
                out.content(said);
                if (message.role == ChatRole::system) {
                    out.mark("\n\n");
                } else {
                    out.mark(blank_before_).mark("[/INST]");
                }
                break;
            case ChatFamily::mistral_v7:
                if (assistant) {
                    out.mark(blank_after_).content(said).mark(end_);
                } else if (message.role == ChatRole::system) {
                    out.mark("[SYSTEM_PROMPT]").mark(blank_after_).content(said);
                    out.mark("[/SYSTEM_PROMPT]");
                } else {
                    out.mark("[INST]").mark(blank_after_).content(said).mark("[/INST]");
                }
                break;
            case ChatFamily::zephyr:
            case ChatFamily::phi3:
                out.mark("<|").mark(role).mark("|>\n").content(said);
                out.mark(family_ == ChatFamily::phi3 ? "<|end|>" : end_).mark("\n");
                break;
        }
    }
    switch (family_) {
        case ChatFamily::chatml:
            out.mark("<|im_start|>assistant\n");
            break;
        case ChatFamily::llama3:
            out.mark("<|start_header_id|>assistant<|end_header_id|>\n\n");
            break;
        case ChatFamily::gemma:
            out.mark("<start_of_turn>model\n");
            break;
        case ChatFamily::zephyr:
        case ChatFamily::phi3:
            out.mark("<|assistant|>\n");
            break;
        case ChatFamily::llama2:
        case ChatFamily::mistral:
        case ChatFamily::mistral_v7:
            break;  // the assistant speaks right behind [/INST]
    }
    return std::move(out.prompt);
}

}  // namespace memside::engine
