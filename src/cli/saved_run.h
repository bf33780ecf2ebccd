// --kv-load and --kv-save of memside run: a sequence that goes on where a file left it, and one
// that is kept.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "engine/decoder.h"
#include "engine/saved_kv_file.h"
#include "report/json_writer.h"

namespace memside::cli {

struct SavedRunOptions {
    std::optional<std::string> load;
    std::optional<std::string> save;
    bool verify_all = false;  // at load, not at first touch
};

// What came of them; nothing where the option is not given.
struct SavedRunReport {
    std::optional<std::int64_t> loaded_tokens;
    double load_s = 0.0;  // from opening the file until the first token can be fed
    std::optional<std::int64_t> saved_tokens;
    std::int64_t saved_bytes = 0;
    double save_s = 0.0;
};

// The members of the JSON; null where the option is not given.
void write_saved_members(JsonWriter& json, const SavedRunReport& report);

void declare_saved_options(Options& options);
// bad_input for --kv-verify without --kv-load, and for a --kv-save that cannot be a file.
Result<SavedRunOptions> read_saved_options(const Options& options);

// bad_input that names the option: pages of a saved file are mapped into memory, and those to save
// must be there.
Status check_saved_tier(const SavedRunOptions& options, const engine::KvTier& tier);

// --kv-save alone, of commands that load nothing.
Result<std::optional<std::string>> read_kv_save(const Options& options);

class SavedRun {
  public:
    // Opens the file to load, and takes the model's fingerprint when there is one to load or to
    // save. `path` is the model's. Both must outlive this.
    static Result<SavedRun> open(const SavedRunOptions& options, const engine::ModelFile& model,
                                 const std::string& path, unsigned threads);

    // Of the file to load; none without.
    std::optional<std::int64_t> page_tokens() const {
        if (file_ == nullptr) return std::nullopt;
        return file_->saved.contents().shape.page_tokens;
    }
    std::span<const engine::TokenId> tokens() const {
        return file_ == nullptr ? std::span<const engine::TokenId>() : file_->saved.tokens();
    }

    // How many tokens of the prompt the decoder has now and need not be fed.
    Result<std::int64_t> load(engine::Decoder& decoder, std::span<const engine::TokenId> prompt);

    // The sequence of the decoder, whose tokens these are.
    Status save(engine::Decoder& decoder, std::span<const engine::TokenId> tokens);

    bool saves() const { return options_.save.has_value(); }
    const SavedRunReport& report() const { return report_; }

  private:
    SavedRunOptions options_;
    const engine::ModelFile* model_ = nullptr;
    std::string path_;
    std::uint64_t fingerprint_ = 0;
    std::shared_ptr<const engine::SavedKvFile> file_;
    SavedRunReport report_;
};

}  // namespace memside::cli
