// tokenize MODEL.gguf TEXT [--special]: the tokens of a file as little-endian int32 on standard
// output, the time that each part took on standard error. For comparisons with other programs.
#include <chrono>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "base/file.h"
#include "engine/tokenizer.h"

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

memside::Status run(const std::string& model, const std::string& path, bool special) {
    using namespace memside;
    const auto start = std::chrono::steady_clock::now();
    MEMSIDE_TRY(const GgufHeader header, read_gguf_header(model));
    const double header_s = seconds_since(start);
    MEMSIDE_TRY(const auto tokenizer, engine::Tokenizer::make(header, model));
    const double load_s = seconds_since(start) - header_s;
    MEMSIDE_TRY(const std::string text, read_file(path, std::size_t{1} << 30));
    const auto begin = std::chrono::steady_clock::now();
    const auto tokens = tokenizer->encode(text, special);
    fmt::print(stderr, "header {:.3f} s, tokenizer {:.3f} s, {} bytes to {} tokens {:.3f} s\n",
               header_s, load_s, text.size(), tokens.size(), seconds_since(begin));
    return write_standard_output(
        {reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(tokens[0])});
}

}  // namespace

int main(int argc, char** argv) {
    const bool special = argc == 4 && std::strcmp(argv[3], "--special") == 0;
    if (argc != 3 && !special) {
        std::fputs("usage: tokenize MODEL.gguf TEXT [--special]\n", stderr);
        return 2;
    }
    const memside::Status status = run(argv[1], argv[2], special);
    if (status.ok()) return 0;
    fmt::print(stderr, "tokenize: {}\n", status.error().message());
    return status.error().exit_status();
}
