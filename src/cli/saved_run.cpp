#include "cli/saved_run.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/replaced_file.h"
#include "cli/terminal.h"
#include "cli/token_progress.h"
#include "engine/model_fingerprint.h"
#include "engine/resume.h"

namespace memside::cli {

void declare_saved_options(Options& options) {
    options.group("Saved keys and values");
    options.add("--kv-save", "FILE", "keep keys and values of prompt and generated tokens");
    options.add("--kv-load", "FILE",
                "go on where a saved sequence ends; the prompt begins as it does, or\n"
                "is left out");
    options.add("--kv-verify", "WHEN",
                "its pages: at their first touch (default), or full: at once");
}

void write_saved_members(JsonWriter& json, const SavedRunReport& report) {
    const auto member = [&](const char* key, bool given, auto value) {
        json.key(key);
        if (given) {
            json.value(value);
        } else {
            json.null();
        }
    };
    member("kv_loaded_tokens", report.loaded_tokens.has_value(), report.loaded_tokens.value_or(0));
    member("kv_load_s", report.loaded_tokens.has_value(), report.load_s);
    member("kv_saved_tokens", report.saved_tokens.has_value(), report.saved_tokens.value_or(0));
    member("kv_saved_bytes", report.saved_tokens.has_value(), report.saved_bytes);
    member("kv_save_s", report.saved_tokens.has_value(), report.save_s);
}

namespace {

Status refuse_file_tier(const Options& options, const char* name) {
    const std::string tier = options.text_or("--kv-tier", "dram");
    // A mapped file is where the page cache has it; pages of several nodes do not lie in its order.
    const bool placed = tier.starts_with("numa:") && std::string_view(name) == "--kv-load";
    if (!tier.starts_with("file:") && !placed) return {};
    return bad_input(name, fmt::format("cannot be combined with --kv-tier {}; it can with "
                                       "--kv-tier dram",
                                       tier));
}

}  // namespace

Status check_saved_tier(const SavedRunOptions& options, const engine::KvTier& tier) {
    if (tier.folder.empty()) return {};
    for (const auto& [name, given] : {std::pair{"--kv-load", options.load.has_value()},
                                      std::pair{"--kv-save", options.save.has_value()}}) {
        if (given) return bad_input(name, "does not go with --kv-tier file:DIR; allowed: dram");
    }
    return {};
}

Result<std::optional<std::string>> read_kv_save(const Options& options) {
    const auto path = options.text("--kv-save");
    if (!path) return path;
    MEMSIDE_CHECK(refuse_file_tier(options, "--kv-save"));
    const Status target = ReplacedFile::check_target(*path);
    if (!target.ok()) return Error{"--kv-save", target.error().message(), target.error().kind};
    return path;
}

Result<SavedRunOptions> read_saved_options(const Options& options) {
    SavedRunOptions saved;
    MEMSIDE_TRY(saved.save, read_kv_save(options));
    saved.load = options.text("--kv-load");
    if (options.text("--kv-verify") && !saved.load) {
        return bad_input("--kv-verify", "has a meaning with --kv-load only");
    }
    MEMSIDE_TRY(const std::size_t when, options.choice("--kv-verify", "touch", {"touch", "full"}));
    saved.verify_all = when == 1;
    if (saved.load) MEMSIDE_CHECK(refuse_file_tier(options, "--kv-load"));
    return saved;
}

Result<SavedRun> SavedRun::open(const SavedRunOptions& options, const engine::ModelFile& model,
                                const std::string& path, unsigned threads) {
    const double start = seconds_now();
    SavedRun run;
    run.options_ = options;
    run.model_ = &model;
    run.path_ = path;
    if (options.load) {
        MEMSIDE_TRY(run.file_, engine::SavedKvFile::open(*options.load));
    }
    if (options.load || options.save) run.fingerprint_ = engine::model_fingerprint(model, threads);
    run.report_.load_s = seconds_now() - start;
    for (const engine::TokenId token : run.tokens()) {
        if (token >= 0 && token < model.config.spec.vocab) continue;
        return bad_input(*options.load,
                         fmt::format("has the token {}, which {} has not", token, path));
    }
    return run;
}

Result<std::int64_t> SavedRun::load(engine::Decoder& decoder,
                                    std::span<const engine::TokenId> prompt) {
    if (file_ == nullptr) return std::int64_t{0};
    const double start = seconds_now();
    const engine::SavedKv& saved = file_->saved;
    MEMSIDE_CHECK(engine::check_saved_kv(saved, decoder.store().shape(), fingerprint_, path_));
    MEMSIDE_TRY(const std::int64_t tokens,
                engine::resume_point(saved, prompt, model_->config.spec.sliding_window_tokens));
    MEMSIDE_TRY(const bool rebuilt, decoder.load(file_, tokens));
    if (options_.verify_all) {
        TokenProgress progress("run", model_->config.spec.layers, "layers verified");
        MEMSIDE_CHECK(decoder.verify([&](std::int64_t layers) { progress.show(layers); }));
    }
    report_.load_s += seconds_now() - start;
    report_.loaded_tokens = tokens;
    const auto all = static_cast<std::int64_t>(saved.tokens().size());
    note("run", fmt::format("{} of {} saved tokens loaded in {}; {} of the prompt are fed{}",
                            tokens, all, format_seconds(report_.load_s),
                            static_cast<std::int64_t>(prompt.size()) - tokens,
                            rebuilt ? "; digests were saved otherwise and made again" : ""));
    return tokens;
}

Status SavedRun::save(engine::Decoder& decoder, std::span<const engine::TokenId> tokens) {
    const double start = seconds_now();
    const auto pages = decoder.store().bytes_of(static_cast<std::int64_t>(tokens.size()));
    TokenProgress progress("run", pages >> 20, "MiB saved");
    MEMSIDE_TRY(report_.saved_bytes,
                decoder.save(tokens, fingerprint_, *options_.save,
                             [&](std::int64_t bytes) { progress.show(bytes >> 20); }));
    report_.save_s = seconds_now() - start;
    report_.saved_tokens = static_cast<std::int64_t>(tokens.size());
    note("run", fmt::format("{} tokens saved, {} in {}", tokens.size(),
                            format_bytes(static_cast<double>(report_.saved_bytes)),
                            format_seconds(report_.save_s)));
    return {};
}

}  // namespace memside::cli
