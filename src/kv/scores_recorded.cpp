#include "kv/scores_recorded.h"

#include <cassert>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/text.h"
#include "kv/layout.h"

namespace memside::kv {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{4} << 30;

// Where the scores of one step lie in the file.
struct Step {
    std::size_t offset = 0;
    std::size_t pages = 0;
};
using Track = std::vector<Step>;  // the steps of one (request, layer)

class RecordedStream final : public ScoreStream {
  public:
    RecordedStream(const std::string& content, const Track& track)
        : content_(content), track_(track) {}

    std::span<const float> next() override {
        assert(step_ < track_.size());
        const Step& step = track_[step_++];
        // Copied: bytes of a file are not floats that one may point to.
        scores_.resize(step.pages);
        std::memcpy(scores_.data(), content_.data() + step.offset, step.pages * sizeof(float));
        return scores_;
    }

  private:
    const std::string& content_;
    const Track& track_;
    std::size_t step_ = 0;
    std::vector<float> scores_;
};

class FileScores final : public RecordedScores {
  public:
    FileScores(ScoreFileHeader header, std::string content, std::vector<Track> tracks)
        : header_(std::move(header)), content_(std::move(content)), tracks_(std::move(tracks)) {}

    ScoreExtent extent() const override {
        return {header_.requests, header_.layers, std::ssize(tracks_.front()),
                header_.context_tokens, header_.page_tokens};
    }

    std::unique_ptr<ScoreStream> open(std::int64_t request, std::int64_t layer) const override {
        assert(request >= 0 && request < header_.requests && layer >= 0 && layer < header_.layers);
        return std::make_unique<RecordedStream>(
            content_, tracks_[static_cast<std::size_t>(request * header_.layers + layer)]);
    }

    const ScoreFileHeader& header() const override { return header_; }

  private:
    ScoreFileHeader header_;
    std::string content_;
    std::vector<Track> tracks_;  // [requests x layers], all of the same length
};

// Walks the records once, checking each before anything is taken from it.
class Parser {
  public:
    Parser(std::string_view content, const std::string& name) : content_(content), name_(name) {}

    Result<ScoreFileHeader> header() {
        const std::size_t end = content_.substr(0, max_score_header_bytes).find('\n');
        if (end == std::string_view::npos) {
            return bad_input(name_ + ":1",
                             fmt::format("no header line; allowed: a first line of JSON of at most "
                                         "{} bytes",
                                         max_score_header_bytes));
        }
        MEMSIDE_TRY(header_, parse_score_header(content_.substr(0, end), name_ + ":1"));
        at_ = end + 1;
        if (at_ % sizeof(std::uint32_t) != 0) {
            return bad_input(name_ + ":1",
                             fmt::format("header line of {} bytes; allowed: a multiple "
                                         "of 4, padded with blanks",
                                         at_));
        }
        return header_;
    }

    Result<std::vector<Track>> tracks() {
        const auto pairs = static_cast<std::size_t>(header_.requests * header_.layers);
        // Before the table is made: a header of a few bytes must not ask for gigabytes.
        if (pairs > (content_.size() - at_) / (sizeof(ScoreRecord) + sizeof(float))) {
            return error_here(fmt::format("the file is too short for {} requests of {} layers",
                                          header_.requests, header_.layers));
        }
        std::vector<Track> tracks(pairs);
        std::uint64_t records = 0;
        while (true) {
            record_start_ = at_;
            ScoreRecord record;
            MEMSIDE_CHECK(take(record, "a record"));
            if (record.request == end_mark) {
                MEMSIDE_CHECK(check_end(record, records));
                break;
            }
            MEMSIDE_CHECK(add(record, tracks));
            ++records;
        }
        for (std::size_t pair = 0; pair < pairs; ++pair) {
            if (!tracks[pair].empty() && tracks[pair].size() == tracks.front().size()) continue;
            return error_here(fmt::format(
                "request {} layer {} has {} steps; allowed: at least 1, as many as the others "
                "({} in request 0 layer 0)",
                pair / static_cast<std::size_t>(header_.layers),
                pair % static_cast<std::size_t>(header_.layers), tracks[pair].size(),
                tracks.front().size()));
        }
        return tracks;
    }

  private:
    Error error_here(std::string what) const {
        return bad_input(fmt::format("{}: byte {}", name_, record_start_), std::move(what));
    }

    template <typename T>
    Status take(T& value, std::string_view what) {
        if (content_.size() - at_ < sizeof value) {
            return error_here(fmt::format("the file ends inside {}: {} of {} bytes are there", what,
                                          content_.size() - at_, sizeof value));
        }
        std::memcpy(&value, content_.data() + at_, sizeof value);
        at_ += sizeof value;
        return {};
    }

    Status add(const ScoreRecord& record, std::vector<Track>& tracks) {
        if (record.request >= header_.requests || record.layer >= header_.layers) {
            return error_here(fmt::format(
                "record of request {} layer {}; allowed: request 0 to {}, "
                "layer 0 to {}",
                record.request, record.layer, header_.requests - 1, header_.layers - 1));
        }
        Track& track =
            tracks[record.request * static_cast<std::size_t>(header_.layers) + record.layer];
        if (record.step != track.size()) {
            return error_here(
                fmt::format("request {} layer {} has step {} after {} steps; allowed: "
                            "steps in order from 0",
                            record.request, record.layer, record.step, track.size()));
        }
        MEMSIDE_CHECK(check_pages(record, track));
        const std::size_t bytes = std::size_t{record.pages} * sizeof(float);
        if (content_.size() - at_ < bytes) {
            return error_here(
                fmt::format("the file ends inside the scores of a record: {} of {} "
                            "bytes are there",
                            content_.size() - at_, bytes));
        }
        for (std::size_t page = 0; page < record.pages; ++page) {
            float score = 0.0F;
            std::memcpy(&score, content_.data() + at_ + page * sizeof score, sizeof score);
            if (!std::isfinite(score)) {
                return error_here(fmt::format("score {} of page {} is not finite", score, page));
            }
        }
        track.push_back({at_, record.pages});
        at_ += bytes;
        return {};
    }

    // Step 0 holds the context; a step adds a token, and so at most a page.
    Status check_pages(const ScoreRecord& record, const Track& track) const {
        const std::int64_t low = track.empty()
                                     ? page_count(header_.context_tokens, header_.page_tokens)
                                     : static_cast<std::int64_t>(track.back().pages);
        const std::int64_t high = low + (track.empty() ? 0 : 1);
        if (record.pages >= low && record.pages <= high) return {};
        return error_here(fmt::format("record of {} pages; allowed at step {}: {} to {}",
                                      record.pages, record.step, low, high));
    }

    Status check_end(const ScoreRecord& record, std::uint64_t records) {
        ScoreChecksum checksum;
        checksum.add(content_.substr(0, at_));
        ScoreFileEnd end;
        MEMSIDE_CHECK(take(end, "the end record"));
        if (record.layer != 0 || record.step != 0 || record.pages != 0) {
            return error_here("damaged end record; allowed: zeros after its mark");
        }
        if (at_ != content_.size()) {
            return error_here(fmt::format("{} bytes follow the end record; allowed: none",
                                          content_.size() - at_));
        }
        if (end.records != records || end.checksum != checksum.value()) {
            return error_here(
                fmt::format("{} records with checksum {:016x} do not match the end "
                            "record's {} and {:016x}: the file is damaged",
                            records, checksum.value(), end.records, end.checksum));
        }
        return {};
    }

    std::string_view content_;
    const std::string& name_;
    std::size_t at_ = 0;
    std::size_t record_start_ = 0;  // what messages point to
    ScoreFileHeader header_;
};

}  // namespace

Result<std::unique_ptr<RecordedScores>> parse_scores(std::string content, const std::string& name) {
    Parser parser(content, name);
    MEMSIDE_TRY(ScoreFileHeader header, parser.header());
    MEMSIDE_TRY(std::vector<Track> tracks, parser.tracks());
    return std::unique_ptr<RecordedScores>(
        std::make_unique<FileScores>(std::move(header), std::move(content), std::move(tracks)));
}

Result<std::unique_ptr<RecordedScores>> read_scores(const std::string& path) {
    MEMSIDE_TRY(std::string content, read_file(path, max_file_bytes));
    return parse_scores(std::move(content), path);
}

}  // namespace memside::kv
