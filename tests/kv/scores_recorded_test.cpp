#include "kv/scores_recorded.h"

#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/file.h"
#include "kv/random_scores.h"
#include "kv/score_writer.h"
#include "kv/scores_synthetic.h"

namespace memside::kv {
namespace {

namespace fs = std::filesystem;

class RecordedFile : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::path(testing::TempDir()) /
                  ("scores-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    // A small file: 2 requests, 2 layers, 3 steps over 3 to 4 pages.
    std::string small_file() const {
        ScoreFileHeader header{"tiny \"model\"", 11, 4, 2, 2};
        auto writer = std::move(ScoreWriter::create(path("small"), header)).value();
        for (std::int64_t step = 0; step < 3; ++step) {
            const std::size_t pages = step < 2 ? 3 : 4;
            for (std::int64_t request = 0; request < 2; ++request) {
                for (std::int64_t layer = 0; layer < 2; ++layer) {
                    EXPECT_TRUE(
                        writer->add(request, layer, step, scores(request, layer, step, pages))
                            .ok());
                }
            }
        }
        EXPECT_TRUE(writer->finish().ok());
        return *read_file(path("small"), 1 << 20);
    }

    static std::vector<float> scores(std::int64_t request, std::int64_t layer, std::int64_t step,
                                     std::size_t pages) {
        return normal_values(pages, static_cast<std::uint32_t>(request * 100 + layer * 10 + step));
    }

    fs::path folder_;
};

TEST_F(RecordedFile, what_was_written_is_read_back_in_every_bit) {
    const auto file = std::move(parse_scores(small_file(), "small")).value();
    EXPECT_EQ(file->header().model, "tiny \"model\"");
    EXPECT_EQ(file->extent().requests, 2);
    EXPECT_EQ(file->extent().layers, 2);
    EXPECT_EQ(file->extent().steps, 3);
    EXPECT_EQ(file->extent().context_tokens, 11);
    EXPECT_EQ(file->extent().page_tokens, 4);
    for (std::int64_t request = 0; request < 2; ++request) {
        for (std::int64_t layer = 0; layer < 2; ++layer) {
            const auto stream = file->open(request, layer);
            for (std::int64_t step = 0; step < 3; ++step) {
                const auto read = stream->next();
                EXPECT_EQ(std::vector<float>(read.begin(), read.end()),
                          scores(request, layer, step, step < 2 ? 3 : 4));
            }
        }
    }
}

TEST_F(RecordedFile, every_truncation_is_refused_with_the_place) {
    const std::string whole = small_file();
    ASSERT_TRUE(parse_scores(whole, "f").ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto result = parse_scores(whole.substr(0, size), "f");
        ASSERT_FALSE(result.ok()) << size << " of " << whole.size() << " bytes";
        EXPECT_TRUE(result.error().where.starts_with("f:")) << result.error().message();
    }
}

TEST_F(RecordedFile, every_changed_byte_is_refused) {
    const std::string whole = small_file();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const int bit : {0x01, 0x04, 0x80}) {
            std::string damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ bit);
            ASSERT_FALSE(parse_scores(damaged, "f").ok()) << "byte " << at << " bit " << bit;
        }
    }
}

TEST_F(RecordedFile, bytes_after_the_end_are_refused) {
    EXPECT_THAT(parse_scores(small_file() + "x", "f").error().message(),
                testing::HasSubstr("1 bytes follow the end record; allowed: none"));
}

TEST_F(RecordedFile, headers_that_are_not_of_this_version_say_what_is_allowed) {
    const auto message = [](const std::string& header) {
        const std::string padding(3 - header.size() % 4, ' ');
        return parse_scores(header + padding + "\n" + std::string(64, '\0'), "f").error().message();
    };
    EXPECT_THAT(message("hello"), testing::StartsWith("f:1: not a file of page scores; allowed: "));
    EXPECT_EQ(message(R"({"format":"memside-page-scores","version":2})"),
              "f:1: version '2' is not supported; allowed: 1");
    EXPECT_EQ(message(R"({"format":"memside-page-scores","version":1,"modle":"x"})"),
              "f:1: unknown key 'modle'; did you mean 'model'?");
    EXPECT_EQ(message(R"({"format":"memside-page-scores","version":1,"model":"x",)"
                      R"("context_tokens":0,"page_size_tokens":4,"requests":1,"layers":1})"),
              "f:1: key 'context_tokens' is missing or out of range; allowed: 1 to 1073741824");
    EXPECT_EQ(message(R"({"format":"memside-page-scores","version":1,"model":"x",)"
                      R"("context_tokens":4,"page_size_tokens":4,"requests":1,"layers":1.5})"),
              "f:1: key 'layers' is missing or out of range; allowed: 1 to 4096");
    EXPECT_EQ(message(R"({"format":"memside-page-scores","version":1,"model":"x",)"
                      R"("context_tokens":18446744073709551615,"page_size_tokens":4})"),
              "f:1: key 'context_tokens' is missing or out of range; allowed: 1 to 1073741824");
    EXPECT_THAT(
        message(R"({"format":"memside-page-scores","version":1,"model":"x",)"
                R"("context_tokens":4,"page_size_tokens":4,"requests":65536,"layers":4096})"),
        testing::HasSubstr("the file is too short for 65536 requests of 4096 layers"));
    EXPECT_THAT(parse_scores(R"({"format":"memside-page-scores","version":1,"model":"x",)"
                             R"("context_tokens":4,"page_size_tokens":4,"requests":1,"layers":12})"
                             "\n",
                             "f")
                    .error()
                    .message(),
                testing::HasSubstr("bytes; allowed: a multiple of 4"));
    std::string long_line(5000, ' ');
    long_line.push_back('\n');
    EXPECT_THAT(parse_scores(long_line, "f").error().message(),
                testing::StartsWith("f:1: no header line; allowed: "));
}

// A file whose checksum is right, from records that are wrong in one way.
std::string file_of(const std::vector<std::pair<ScoreRecord, std::vector<float>>>& records) {
    std::string body;
    const auto put = [&body](const auto& value) {
        body.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    for (const auto& [record, scores] : records) {
        put(record);
        for (const float score : scores) put(score);
    }
    put(ScoreRecord{end_mark, 0, 0, 0});
    const std::string header = encode_score_header({"m", 8, 4, 1, 2});
    ScoreChecksum checksum;
    checksum.add(header);
    checksum.add(body);
    put(ScoreFileEnd{records.size(), checksum.value()});
    return header + body;
}

TEST(RecordedScores, records_that_contradict_each_other_are_refused) {
    const std::vector<float> two{1, 2};
    const auto message =
        [](const std::vector<std::pair<ScoreRecord, std::vector<float>>>& records) {
            const auto result = parse_scores(file_of(records), "f");
            return result.ok() ? "ok" : result.error().message();
        };
    EXPECT_EQ(message({{{0, 0, 0, 2}, two}, {{0, 1, 0, 2}, two}}), "ok");
    EXPECT_THAT(message({{{0, 2, 0, 2}, two}}),
                testing::HasSubstr("record of request 0 layer 2; allowed: request 0 to 0, layer 0 "
                                   "to 1"));
    EXPECT_THAT(message({{{0, 0, 1, 2}, two}, {{0, 1, 0, 2}, two}}),
                testing::HasSubstr("request 0 layer 0 has step 1 after 0 steps; allowed: steps in "
                                   "order from 0"));
    EXPECT_THAT(message({{{0, 0, 0, 1}, {1}}, {{0, 1, 0, 2}, two}}),
                testing::HasSubstr("record of 1 pages; allowed at step 0: 2 to 2"));
    EXPECT_THAT(message({{{0, 0, 0, 2}, two}, {{0, 0, 1, 4}, {1, 2, 3, 4}}}),
                testing::HasSubstr("record of 4 pages; allowed at step 1: 2 to 3"));
    EXPECT_THAT(message({{{0, 0, 0, 2}, two}, {{0, 0, 1, 2}, two}, {{0, 1, 0, 2}, two}}),
                testing::HasSubstr("request 0 layer 1 has 1 steps; allowed: at least 1, as many as "
                                   "the others (2 in request 0 layer 0)"));
    EXPECT_THAT(message({{{0, 0, 0, 2}, two}, {{0, 0, 1, 2}, two}}),
                testing::HasSubstr("request 0 layer 1 has 0 steps"));
    EXPECT_THAT(message({{{0, 0, 0, 2}, {1, std::nanf("")}}, {{0, 1, 0, 2}, two}}),
                testing::HasSubstr("of page 1 is not finite"));
}

TEST_F(RecordedFile, an_unfinished_recording_leaves_nothing) {
    {
        auto writer = std::move(ScoreWriter::create(path("gone"), {"m", 8, 4, 1, 1})).value();
        ASSERT_TRUE(writer->add(0, 0, 0, std::vector<float>{1, 2}).ok());
    }
    EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(RecordedFile, targets_that_cannot_become_a_file_are_refused) {
    const auto missing = ScoreWriter::create(path("no/such/folder"), {"m", 8, 4, 1, 1});
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().exit_status(), 1);
    EXPECT_THAT(missing.error().message(), testing::HasSubstr("no/such/folder: cannot open"));
    for (const char* target : {"-", "/dev/null"}) {
        EXPECT_EQ(ScoreWriter::create(target, {"m", 8, 4, 1, 1}).error().exit_status(), 2);
    }
    EXPECT_EQ(read_scores(path("absent")).error().exit_status(), 2);
}

TEST_F(RecordedFile, recorded_synthetic_scores_are_the_synthetic_scores) {
    const auto source = make_synthetic_scores({}, {4000, 32}, 3);
    auto writer =
        std::move(ScoreWriter::create(path("syn"), {"synthetic", 4000, 32, 2, 3})).value();
    for (std::int64_t request = 0; request < 2; ++request) {
        for (std::int64_t layer = 0; layer < 3; ++layer) {
            const auto stream = source->open(request, layer);
            for (std::int64_t step = 0; step < 5; ++step) {
                ASSERT_TRUE(writer->add(request, layer, step, stream->next()).ok());
            }
        }
    }
    ASSERT_TRUE(writer->finish().ok());
    const auto file = std::move(read_scores(path("syn"))).value();
    const auto expected = source->open(1, 2);
    const auto read = file->open(1, 2);
    for (int step = 0; step < 5; ++step) {
        const auto a = expected->next();
        const auto b = read->next();
        EXPECT_TRUE(std::ranges::equal(a, b));
    }
}

}  // namespace
}  // namespace memside::kv
