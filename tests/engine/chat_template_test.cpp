// data/chat_cases.json has what llama.cpp renders, written by tests/peers/write_chat_cases.py.
#include "engine/chat_template.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "toy_vocabulary.h"

namespace memside::engine {
namespace {

using testing::HasSubstr;

// A vocabulary with the template, and with </s> as its end.
std::unique_ptr<Tokenizer> with_template(const std::string& text) {
    test::ToyVocabulary vocabulary = test::sentence_piece({"▁"});
    if (!text.empty()) vocabulary.set("chat_template", text);
    auto tokenizer = vocabulary.make();
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    return std::move(*tokenizer);
}

ChatFormat format_of(const std::string& text) {
    const auto format = ChatFormat::detect(*with_template(text), "x.gguf");
    EXPECT_TRUE(format.ok()) << format.error().message();
    return *format;
}

ChatRole role_of(const std::string& name) {
    if (name == "system") return ChatRole::system;
    return name == "user" ? ChatRole::user : ChatRole::assistant;
}

TEST(ChatTemplate, conversations_read_as_llama_cpp_renders_them) {
    std::ifstream file(MEMSIDE_SOURCE_DIR "/tests/engine/data/chat_cases.json");
    const auto recorded = nlohmann::json::parse(file);
    EXPECT_EQ(recorded["cases"].size(), 36U);
    for (const auto& one : recorded["cases"]) {
        const std::string family = one["family"];
        const ChatFormat format = format_of(one["template"]);
        EXPECT_TRUE(family.starts_with(format.name())) << family;
        std::vector<ChatMessage> messages;
        for (const auto& message : one["messages"]) {
            messages.push_back({role_of(message[0]), message[1]});
        }
        const auto prompt = format.render(messages);
        ASSERT_TRUE(prompt.ok()) << prompt.error().message();
        EXPECT_EQ(prompt->text, one["text"].get<std::string>()) << family;
    }
}

// As Meta published it with Llama 2: blanks inside [INST], and both marks around every exchange.
TEST(ChatTemplate, llama_2_opens_and_ends_every_exchange) {
    const ChatFormat format = format_of("{{ bos_token + '[INST] ' + content.strip() }} <<SYS>>");
    EXPECT_EQ(format.family(), ChatFamily::llama2);
    EXPECT_EQ(format
                  .render({{ChatRole::system, "Count."},
                           {ChatRole::user, "One"},
                           {ChatRole::assistant, "Two"},
                           {ChatRole::user, " Three "}})
                  .value()
                  .text,
              "<s>[INST] <<SYS>>\nCount.\n<</SYS>>\n\nOne [/INST] Two </s><s>[INST] Three [/INST]");
}

TEST(ChatTemplate, the_system_message_of_a_template_stands_where_none_is_given) {
    // As in Qwen 2.5: once inside expressions, once whole.
    const ChatFormat format = format_of(
        "{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}"
        "{{- '<|im_start|>system\\nYou are Qwen.<|im_end|>\\n' }}");
    EXPECT_EQ(format.render({{ChatRole::user, "x"}}).value().text,
              "<|im_start|>system\nYou are Qwen.<|im_end|>\n<|im_start|>user\nx<|im_end|>\n"
              "<|im_start|>assistant\n");
    const auto given = format.render({{ChatRole::system, "Be."}, {ChatRole::user, "x"}});
    EXPECT_THAT(given.value().text, testing::Not(HasSubstr("Qwen")));
}

TEST(ChatTemplate, what_messages_say_is_literal) {
    for (const char* text :
         {"<|im_start|>", "<|start_header_id|><|end_header_id|>", "<start_of_turn>", "[INST]",
          "[INST][SYSTEM_PROMPT]", "[INST][AVAILABLE_TOOLS]", "<|user|>eos_token",
          "<|assistant|><|end|>"}) {
        const auto prompt =
            format_of(text).render({{ChatRole::system, "first"}, {ChatRole::user, "second"}});
        ASSERT_TRUE(prompt.ok());
        std::vector<std::string> said;
        for (const TextRange& range : prompt->literal) {
            said.push_back(prompt->text.substr(range.first, range.last - range.first));
        }
        EXPECT_THAT(said, testing::ElementsAre("first", "second")) << text;
    }
}

TEST(ChatTemplate, a_file_without_a_template_is_judged_by_its_tokens) {
    test::ToyVocabulary vocabulary = test::byte_level("qwen2", {});
    vocabulary.add("<start_of_turn>", test::control);
    vocabulary.add("<end_of_turn>", test::control);
    const auto tokenizer = vocabulary.make();
    EXPECT_EQ(ChatFormat::detect(**tokenizer, "x.gguf").value().name(), "gemma");
    EXPECT_THAT(ChatFormat::detect(*with_template(""), "x.gguf").error().message(),
                HasSubstr("has no chat template"));
}

TEST(ChatTemplate, other_families_are_refused_by_name) {
    const auto refusal = [](const std::string& text) {
        return ChatFormat::detect(*with_template(text), "x.gguf").error().message();
    };
    EXPECT_THAT(refusal("<|im_start|>user<|im_sep|>"), HasSubstr("family phi-4, which is not"));
    EXPECT_THAT(refusal("<\uff5cUser\uff5c><\uff5cAssistant\uff5c>"), HasSubstr("deepseek"));
    EXPECT_THAT(refusal("{{ messages }}"), HasSubstr("'{{ messages }}' is of no known family"));
    EXPECT_THAT(refusal("x"), HasSubstr("supported: chatml, llama3, gemma"));
}

TEST(ChatTemplate, conversations_that_make_no_sense_are_refused) {
    const ChatFormat format = format_of("<|im_start|>");
    EXPECT_FALSE(format.render({}).ok());
    EXPECT_FALSE(format.render({{ChatRole::system, "x"}}).ok());
    EXPECT_FALSE(format.render({{ChatRole::user, "x"}, {ChatRole::system, "y"}}).ok());
}

}  // namespace
}  // namespace memside::engine
