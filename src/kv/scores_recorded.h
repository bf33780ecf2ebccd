// Page scores recorded from a real model, read from a file (docs/scores.md).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "kv/score_file.h"
#include "kv/score_source.h"

namespace memside::kv {

class RecordedScores : public ScoreSource {
  public:
    virtual const ScoreFileHeader& header() const = 0;
};

// Reads a file of at most 4 GiB. bad_input, with the byte position, for anything that is not a
// complete and consistent version-1 file: cut or continued anywhere, damaged, scores that are not
// finite, steps missing or out of order, pages that do not follow from the context.
Result<std::unique_ptr<RecordedScores>> read_scores(const std::string& path);

// The same from the content of a file; `name` is for messages.
Result<std::unique_ptr<RecordedScores>> parse_scores(std::string content, const std::string& name);

}  // namespace memside::kv
