// saved_flips MODEL FILE TRIALS SEED: flips a random bit of a saved sequence TRIALS times and goes
// on from it each time, selecting pages. Prints, as JSON, how often the flip was refused at load,
// at first use, or not read: the logits are then those of the good file, and the piece that holds
// the byte has not been touched. Anything else ends with status 1.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include <fmt/format.h>

#include "engine/decoder.h"
#include "engine/model_fingerprint.h"
#include "engine/resume.h"
#include "engine/saved_kv_file.h"
#include "engine/saved_pages.h"

using namespace memside;
using namespace memside::engine;

namespace {

constexpr int steps = 4;

DecoderOptions options_for(const SavedKv& saved) {
    const KvShape& shape = saved.contents().shape;
    DecoderOptions options;
    options.page_tokens = shape.page_tokens;
    options.kv_type = shape.type;
    options.capacity_tokens = shape.capacity_tokens + steps;
    options.policy.variant = &kv_policy_variant("pnm-kv");
    options.policy.selection.budget_tokens = 16 * shape.page_tokens;
    options.policy.selection.pinned = {1, 2};
    options.policy.dense_layers = 1;
    return options;
}

struct Run {
    std::string refused;  // "": not
    std::vector<float> logits;
    std::unique_ptr<Decoder> decoder;
    std::shared_ptr<const SavedKvFile> file;
};

Run go_on(const ModelFile& model, std::uint64_t fingerprint, const std::string& path) {
    Run run;
    auto opened = SavedKvFile::open(path);
    if (!opened.ok()) {
        run.refused = "at load";
        return run;
    }
    run.file = std::move(opened).value();
    const DecoderOptions options = options_for(run.file->saved);
    auto made = Decoder::make(model, options);
    if (!made.ok()) std::exit(1);
    run.decoder = std::move(made).value();
    if (!check_saved_kv(run.file->saved, run.decoder->store().shape(), fingerprint, "").ok() ||
        !run.decoder->load(run.file, run.file->saved.contents().tokens()).ok()) {
        run.refused = "at load";
        return run;
    }
    for (TokenId token = 0; token < steps; ++token) {
        const auto row = run.decoder->feed(std::span(&token, 1));
        if (!row.ok()) {
            run.refused = "at first use";
            return run;
        }
        run.logits.insert(run.logits.end(), row->begin(), row->end());
    }
    return run;
}

// Whether the piece that holds a byte has been verified; nothing for a byte of no page.
std::optional<bool> touched(const Run& run, std::uint64_t at) {
    const SavedKv& saved = run.file->saved;
    const KvShape& shape = saved.contents().shape;
    for (int layer = 0; layer < static_cast<int>(saved.layers().size()); ++layer) {
        const SavedKvLayer& entry = saved.layers()[static_cast<std::size_t>(layer)];
        if (at < entry.pages_offset) continue;
        const auto piece = static_cast<std::int64_t>(at - entry.pages_offset) / shape.page_bytes();
        const std::int64_t page = piece / shape.kv_heads;
        if (page >= static_cast<std::int64_t>(entry.pages)) continue;
        return run.decoder->store().saved_pages()->verified(
            layer, page + static_cast<std::int64_t>(entry.first_page),
            static_cast<int>(piece % shape.kv_heads));
    }
    return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: saved_flips MODEL FILE TRIALS SEED\n", stderr);
        return 2;
    }
    const auto model = open_model(argv[1]);
    if (!model.ok()) return 2;
    const std::uint64_t fingerprint = model_fingerprint(*model);
    std::ifstream in(argv[2], std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const Run good = go_on(*model, fingerprint, argv[2]);
    if (!good.refused.empty() || content.empty()) return 2;
    const std::string path = std::string(argv[2]) + ".flipped";
    std::map<std::string, int> outcomes{
        {"at load", 0}, {"at first use", 0}, {"page not read", 0}, {"padding", 0}};
    std::mt19937_64 random(std::stoull(argv[4]));
    std::uint64_t most_before_pages = good.file->saved.layers()[0].pages_offset;
    for (int trial = 0; trial < std::atoi(argv[3]); ++trial) {
        // Most of a file is pages: a third of the flips are in what lies before them.
        const std::uint64_t at =
            random() % (trial % 3 == 0 ? most_before_pages : std::uint64_t{content.size()});
        const char before = content[at];
        content[at] = static_cast<char>(before ^ (1 << random() % 8));
        std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
        content[at] = before;
        const Run run = go_on(*model, fingerprint, path);
        if (!run.refused.empty()) {
            ++outcomes[run.refused];
            continue;
        }
        const std::optional<bool> read = touched(run, at);
        if (run.logits != good.logits || read.value_or(false)) {
            fmt::print(stderr, "byte {} was attended\n", at);
            return 1;
        }
        ++outcomes[read ? "page not read" : "padding"];
    }
    std::filesystem::remove(path);
    fmt::print(
        "{{\"trials\": {}, \"refused_at_load\": {}, \"refused_at_first_use\": {}, "
        "\"page_not_read\": {}, \"padding\": {}, \"bytes\": {}}}\n",
        argv[3], outcomes["at load"], outcomes["at first use"], outcomes["page not read"],
        outcomes["padding"], content.size());
    return 0;
}
