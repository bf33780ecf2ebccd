// Any bytes as the header of a GGUF file: they give a tokenizer whose ids are tokens and a chat
// format that renders, or one line of error.
#include <cstdint>
#include <string_view>

#include "check.h"
#include "engine/chat_template.h"
#include "engine/tokenizer.h"

using namespace memside;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto header = parse_gguf_header(bytes, size + (std::uint64_t{1} << 40), "x.gguf");
    if (!header.ok()) return 0;
    const auto made = engine::Tokenizer::make(*header, "x.gguf");
    if (!made.ok()) {
        fuzz::require_one_line(made.error());
        return 0;
    }
    const engine::Tokenizer& tokenizer = **made;
    // The input itself holds the names of its tokens.
    const std::string_view text = bytes.substr(0, 4096);
    for (const bool special : {false, true}) {
        std::string streamed;
        engine::StreamDecoder stream(tokenizer);
        const auto ids = tokenizer.encode(text, special);
        for (const std::int32_t id : ids) {
            require(id >= 0 && id < tokenizer.vocab_size(), "ids are tokens");
            require(tokenizer.piece(id).size() <= size, "pieces are names of the file");
            streamed += stream.push(id);
        }
        streamed += stream.finish();
        require(tokenizer.decode(ids).size() <= streamed.size(), "a stream shows what there is");
    }
    const auto format = engine::ChatFormat::detect(tokenizer, "x.gguf");
    if (!format.ok()) {
        fuzz::require_one_line(format.error());
        return 0;
    }
    const auto prompt = format->render({{engine::ChatRole::user, "hello"}});
    require(prompt.ok() && prompt->text.find("hello") != std::string::npos, "the message is there");
    return 0;
}
