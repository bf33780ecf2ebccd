#include "engine/file_reader.h"

#include <fcntl.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "base/temp_folder.h"

namespace memside::engine {
namespace {

// A file whose byte at i is i / 7 in its low bits.
class NumberedFile {
  public:
    explicit NumberedFile(std::int64_t bytes) {
        std::string content;
        for (std::int64_t i = 0; i < bytes; ++i) content.push_back(static_cast<char>(i / 7));
        descriptor_ = ::open(folder_.write("file", content).c_str(), O_RDONLY);
    }
    ~NumberedFile() { ::close(descriptor_); }
    int descriptor() const { return descriptor_; }

  private:
    TempFolder folder_;
    int descriptor_;
};

constexpr std::int64_t file_bytes = 100'000;

std::unique_ptr<FileReader> reader_of(const FileReaderVariant& variant, int descriptor) {
    auto made = variant.make(descriptor);
    // A kernel may refuse io_uring; the others work everywhere.
    if (made.ok()) return std::move(made).value();
    EXPECT_EQ(variant.name, "io_uring") << made.error().message();
    return nullptr;
}

TEST(FileReader, the_reference_is_last) {
    EXPECT_EQ(file_reader_variants().back().name, "pread");
    EXPECT_EQ(file_reader_variants().size(), 3U);
}

RC_GTEST_PROP(FileReader, every_variant_reads_what_lies_there, ()) {
    static const NumberedFile file(file_bytes);
    struct Wish {
        std::int64_t offset;
        std::int64_t bytes;
    };
    std::vector<Wish> wishes;
    const auto count = *rc::gen::inRange(1, 200);
    for (int i = 0; i < count; ++i) {
        wishes.push_back({*rc::gen::inRange<std::int64_t>(0, file_bytes + 1000),
                          *rc::gen::inRange<std::int64_t>(1, 5000)});
    }
    for (const FileReaderVariant& variant : file_reader_variants()) {
        const auto reader = reader_of(variant, file.descriptor());
        if (reader == nullptr) continue;
        std::vector<std::vector<std::byte>> memory;
        for (const Wish& wish : wishes) memory.emplace_back(static_cast<std::size_t>(wish.bytes));
        std::map<std::uint64_t, std::int64_t> results;
        std::size_t next = 0;
        std::int64_t under_way = 0;
        while (results.size() < wishes.size()) {
            std::vector<FileRead> batch;
            for (; next < wishes.size() && under_way < reader->depth(); ++next, ++under_way) {
                batch.push_back(
                    {next, wishes[next].offset, memory[next].data(), wishes[next].bytes});
            }
            RC_ASSERT(reader->begin(batch).ok());
            std::vector<FileReadEnd> ended;
            RC_ASSERT(reader->wait(ended).ok());
            RC_ASSERT(!ended.empty());
            under_way -= static_cast<std::int64_t>(ended.size());
            for (const FileReadEnd& end : ended) {
                RC_ASSERT(results.emplace(end.id, end.result).second);
            }
        }
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            const std::int64_t there =
                std::clamp<std::int64_t>(file_bytes - wishes[i].offset, 0, wishes[i].bytes);
            RC_ASSERT(results[i] == there);
            for (std::int64_t b = 0; b < there; ++b) {
                RC_ASSERT(memory[i][static_cast<std::size_t>(b)] ==
                          static_cast<std::byte>((wishes[i].offset + b) / 7));
            }
        }
    }
}

TEST(FileReader, a_file_that_cannot_be_read_gives_the_error_number) {
    const TempFolder folder;
    const int descriptor = ::open(folder.write("file", "text").c_str(), O_WRONLY);
    for (const FileReaderVariant& variant : file_reader_variants()) {
        const auto reader = reader_of(variant, descriptor);
        if (reader == nullptr) continue;
        std::byte memory[4];
        const FileRead read{7, 0, memory, 4};
        ASSERT_TRUE(reader->begin(std::span(&read, 1)).ok());
        std::vector<FileReadEnd> ended;
        ASSERT_TRUE(reader->wait(ended).ok());
        ASSERT_EQ(ended.size(), 1U);
        EXPECT_EQ(ended[0].id, 7U);
        EXPECT_EQ(ended[0].result, -EBADF) << variant.name;
    }
    ::close(descriptor);
}

}  // namespace
}  // namespace memside::engine
