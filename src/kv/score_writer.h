// Writes recorded page scores: what `run --record-scores` does.
#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "base/interruption.h"
#include "base/result.h"
#include "kv/score_file.h"

namespace memside::kv {

// Records go to a temporary file beside the target, which takes the target's name in finish(): an
// interrupted run leaves no file that looks recorded.
class ScoreWriter {
  public:
    // Opens the temporary file. Error::Kind::environment when that fails. The header must be in
    // range.
    static Result<std::unique_ptr<ScoreWriter>> create(const std::string& path,
                                                       const ScoreFileHeader& header);
    ~ScoreWriter();  // removes the temporary file when finish() was not reached
    ScoreWriter(const ScoreWriter&) = delete;
    ScoreWriter& operator=(const ScoreWriter&) = delete;

    // Adds the scores of one (request, layer) at one step, f32 [pages], finite, as they are before
    // pages are pinned. For each pair the steps come in order from 0; between pairs any order will
    // do. Error::Kind::environment when the disk refuses.
    Status add(std::int64_t request, std::int64_t layer, std::int64_t step,
               std::span<const float> scores);

    // Writes the end record and gives the file its name. Nothing may be added afterwards.
    Status finish();

  private:
    ScoreWriter(std::string path, std::string temporary, std::FILE* file);

    Status write(std::string_view bytes, bool checked);
    void give_up();

    std::string path_;
    std::string temporary_;
    DoomedFile doomed_;  // the temporary file, while it is there
    std::FILE* file_;    // null once finished or given up
    ScoreFileEnd end_;
    ScoreChecksum checksum_;
};

}  // namespace memside::kv
