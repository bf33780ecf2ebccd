#include "kv/score_writer.h"

#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace memside::kv {
namespace {

Error refused(const std::string& path, std::string_view action) {
    return {path, fmt::format("cannot {}: {}", action, std::strerror(errno)),
            Error::Kind::environment};
}

template <typename T>
std::string_view bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

Result<std::unique_ptr<ScoreWriter>> ScoreWriter::create(const std::string& path,
                                                         const ScoreFileHeader& header) {
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (path == "-" ||
        (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))) {
        // Renaming onto a device or a pipe would replace it.
        return bad_input(path, "is not a regular file; allowed: a file to create or to replace");
    }
    const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
    std::unique_ptr<ScoreWriter> writer;
    {
        const Uninterrupted whole;
        std::FILE* file = std::fopen(temporary.c_str(), "wxbe");
        if (file == nullptr) return refused(path, "open for writing");
        writer.reset(new ScoreWriter(path, temporary, file));
    }
    MEMSIDE_CHECK(writer->write(encode_score_header(header), true));
    return writer;
}

ScoreWriter::ScoreWriter(std::string path, std::string temporary, std::FILE* file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(file) {
    doomed_.path = temporary_.c_str();
    doom(doomed_);
}

ScoreWriter::~ScoreWriter() {
    if (file_ == nullptr) return;
    std::fclose(file_);
    const Uninterrupted whole;
    give_up();
}

void ScoreWriter::give_up() {
    ::unlink(temporary_.c_str());
    spare(doomed_);
}

Status ScoreWriter::add(std::int64_t request, std::int64_t layer, std::int64_t step,
                        std::span<const float> scores) {
    assert(request >= 0 && request < max_score_requests && layer >= 0 && layer < max_score_layers);
    assert(step >= 0 && !scores.empty());
    const ScoreRecord record{static_cast<std::uint32_t>(request), static_cast<std::uint32_t>(layer),
                             static_cast<std::uint32_t>(step),
                             static_cast<std::uint32_t>(scores.size())};
    MEMSIDE_CHECK(write(bytes_of(record), true));
    ++end_.records;
    return write({reinterpret_cast<const char*>(scores.data()), scores.size_bytes()}, true);
}

Status ScoreWriter::finish() {
    assert(file_ != nullptr);
    MEMSIDE_CHECK(write(bytes_of(ScoreRecord{end_mark, 0, 0, 0}), true));
    end_.checksum = checksum_.value();
    MEMSIDE_CHECK(write(bytes_of(end_), false));
    const Uninterrupted whole;
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (closed && std::rename(temporary_.c_str(), path_.c_str()) == 0) {
        spare(doomed_);
        return {};
    }
    const Error error = refused(path_, closed ? "rename into place" : "write");
    give_up();
    return error;
}

Status ScoreWriter::write(std::string_view bytes, bool checked) {
    assert(file_ != nullptr);
    if (checked) checksum_.add(bytes);
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
        return refused(path_, "write");
    }
    return {};
}

}  // namespace memside::kv
