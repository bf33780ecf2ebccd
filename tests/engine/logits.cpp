// logits MODEL.gguf IDS --steps N: feeds the token ids in the file IDS (decimal, blanks between) as
// one block, then N greedy steps. Standard output gets, per step, the token (int32) and the f32
// logits that it was the largest of, little-endian. --reference: one step of f64 arithmetic on the
// dequantised weights instead, as int32 and f64 logits. For comparisons with other programs.
#include <cstdio>
#include <cstring>
#include <sstream>

#include <fmt/format.h>

#include "base/file.h"
#include "engine/agreement.h"
#include "engine/decoder.h"
#include "engine/reference_model.h"

namespace {

using namespace memside;
using engine::TokenId;

template <typename Values>
Status write_step(const Values& logits) {
    const auto token = static_cast<TokenId>(engine::test::largest(logits));
    MEMSIDE_CHECK(write_standard_output({reinterpret_cast<const char*>(&token), sizeof token}));
    return write_standard_output(
        {reinterpret_cast<const char*>(logits.data()), logits.size() * sizeof(logits[0])});
}

Result<std::vector<TokenId>> read_ids(const std::string& path) {
    MEMSIDE_TRY(const std::string text, read_file(path, std::size_t{1} << 30));
    std::istringstream in(text);
    std::vector<TokenId> ids;
    for (TokenId id = 0; in >> id;) ids.push_back(id);
    if (ids.empty() || !in.eof()) return bad_input(path, "is no list of token ids");
    return ids;
}

Status decode(const std::string& path, std::vector<TokenId> ids, std::int64_t steps) {
    MEMSIDE_TRY(const engine::ModelFile model, engine::open_model(path));
    engine::DecoderOptions options;
    options.capacity_tokens = static_cast<std::int64_t>(ids.size()) + steps;
    MEMSIDE_TRY(const auto decoder, engine::Decoder::make(model, options));
    for (std::int64_t step = 0; step < steps; ++step) {
        MEMSIDE_TRY(const std::span<const float> logits, decoder->feed(ids));
        MEMSIDE_CHECK(write_step(logits));
        ids = {
            static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin())};
    }
    return {};
}

Status run(const std::string& path, const std::string& ids_path, std::int64_t steps) {
    MEMSIDE_TRY(std::vector<TokenId> ids, read_ids(ids_path));
    if (steps > 0) return decode(path, std::move(ids), steps);
    MEMSIDE_TRY(const auto reference, engine::test::reference_of_file(path));
    return write_step(engine::test::reference_logits(reference, ids, ids.size() - 1).front());
}

}  // namespace

int main(int argc, char** argv) {
    const bool reference = argc == 4 && std::strcmp(argv[3], "--reference") == 0;
    const bool steps = argc == 5 && std::strcmp(argv[3], "--steps") == 0;
    const std::int64_t count = steps ? std::strtoll(argv[4], nullptr, 10) : 0;
    if (!reference && count <= 0) {
        std::fputs("usage: logits MODEL.gguf IDS --steps N | --reference\n", stderr);
        return 2;
    }
    const Status status = run(argv[1], argv[2], count);
    if (status.ok()) return 0;
    fmt::print(stderr, "logits: {}\n", status.error().message());
    return status.error().exit_status();
}
