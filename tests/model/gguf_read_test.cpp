#include <filesystem>
#include <fstream>

#include "base/temp_folder.h"
#include "gguf_writer.h"
#include "model/gguf_header.h"

namespace memside {
namespace {

namespace fs = std::filesystem;
using test::GgufWriter;

class GgufFiles : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_.path(name); }

    // The header, and the data as a hole of the right size.
    std::string write(const std::string& name, const GgufWriter& w) const {
        std::ofstream(path(name), std::ios::binary) << w.header();
        fs::resize_file(path(name), w.file_bytes());
        return path(name);
    }

    std::string refused(const std::string& file) const {
        const auto header = read_gguf_header(file);
        EXPECT_FALSE(header.ok());
        return header.ok() ? "" : header.error().message();
    }

    // Part `number` of a model whose tensors are spread over `count` files.
    static GgufWriter part(std::uint16_t number, std::uint16_t count, const std::string& tensor) {
        GgufWriter w;
        w.number("split.no", 2, number);
        w.number("split.count", 2, count);
        if (number == 0) w.number("split.tensors.count", 5, std::int32_t{count});
        w.f16(tensor, {100});
        return w;
    }

    TempFolder folder_;
};

TEST_F(GgufFiles, a_header_is_read_from_disk) {
    const GgufWriter w = test::gguf_model({});
    const auto header = read_gguf_header(write("a.gguf", w));
    ASSERT_TRUE(header.ok()) << header.error().message();
    EXPECT_EQ(header->file_bytes, w.file_bytes());
    EXPECT_EQ(header->tensors.size(), 21U);
}

TEST_F(GgufFiles, a_header_longer_than_one_read_is_read) {
    GgufWriter w = test::gguf_model({});
    w.texts("tokens", std::vector<std::string>(300'000, "a token of some length"));
    EXPECT_GT(w.header().size(), std::size_t{8} << 20);
    const auto header = read_gguf_header(write("a.gguf", w));
    ASSERT_TRUE(header.ok()) << header.error().message();
    EXPECT_EQ(header->data_start, w.header().size());
}

TEST_F(GgufFiles, paths_that_are_no_files_are_named) {
    EXPECT_EQ(refused(path("none.gguf")), path("none.gguf") + ": no such file");
    fs::create_directory(path("folder.gguf"));
    EXPECT_EQ(refused(path("folder.gguf")), path("folder.gguf") + ": is a directory, not a file");
    EXPECT_EQ(refused("/dev/null"), "/dev/null: is not a regular file");
    std::ofstream(path("empty.gguf")).flush();
    EXPECT_THAT(refused(path("empty.gguf")), testing::HasSubstr("not a GGUF file"));
}

TEST_F(GgufFiles, the_parts_of_a_split_file_are_joined) {
    const std::string first = write("m-00001-of-00003.gguf", part(0, 3, "a"));
    write("m-00002-of-00003.gguf", part(1, 3, "b"));
    write("m-00003-of-00003.gguf", part(2, 3, "c"));
    const auto header = read_gguf_header(first);
    ASSERT_TRUE(header.ok()) << header.error().message();
    ASSERT_EQ(header->tensors.size(), 3U);
    for (int i = 0; i < 3; ++i) {
        const GgufTensor& tensor = header->tensors[static_cast<std::size_t>(i)];
        EXPECT_EQ(tensor.name, std::string(1, static_cast<char>('a' + i)));
        EXPECT_EQ(tensor.part, i);
        EXPECT_EQ(tensor.offset, 0U);
    }
    EXPECT_EQ(header->file_bytes, part(0, 3, "a").file_bytes() + 2 * part(1, 3, "b").file_bytes());
}

TEST_F(GgufFiles, broken_splits_say_what_is_wrong) {
    const std::string first = write("m-00001-of-00002.gguf", part(0, 2, "a"));
    EXPECT_EQ(refused(first), path("m-00002-of-00002.gguf") + ": no such file");
    const std::string second = write("m-00002-of-00002.gguf", part(1, 2, "b"));
    EXPECT_TRUE(read_gguf_header(first).ok());
    EXPECT_EQ(refused(second), second +
                                   ": is part 2 of 2; give the first part, which ends in "
                                   "-00001-of-00002.gguf");
    write("m-00002-of-00002.gguf", part(1, 2, "a"));
    EXPECT_EQ(refused(first), second + ": tensor 'a' is in an earlier part too");
    write("m-00002-of-00002.gguf", part(2, 3, "b"));
    EXPECT_EQ(refused(first), second + ": says it is part 3 of 3, not part 2 of 2");
    GgufWriter two = part(1, 2, "b");
    two.f16("c", {100});
    write("m-00002-of-00002.gguf", two);
    EXPECT_EQ(refused(first),
              first + ": the 2 parts hold 3 tensors, but split.tensors.count says 2");
    EXPECT_THAT(refused(write("other.gguf", part(0, 2, "a"))),
                testing::HasSubstr("its name does not end in -00001-of-00002.gguf"));
}

}  // namespace
}  // namespace memside
