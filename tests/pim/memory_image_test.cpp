#include "pim/memory_image.h"

#include <rapidcheck/gtest.h>

#include "pim/reference_arithmetic.h"

namespace memside::pim {
namespace {

using testing::HasSubstr;

ImageRegion bank_region(unsigned channel, unsigned bank, std::uint32_t row, std::uint32_t column,
                        std::uint32_t count) {
    return {.start = {Space::bank, channel, bank, row, column}, .count = count};
}
ImageRegion gpr_region(std::uint32_t first, std::uint32_t count) {
    return {.start = {Space::gpr, 0, 0, 0, first}, .count = count};
}
ImageRegion gbuf_region(unsigned channel, std::uint32_t first, std::uint32_t count) {
    return {.start = {Space::gbuf, channel, 0, 0, first}, .count = count};
}

// A file as another program would write it.
std::string file_of(std::string json, const std::vector<Bf16>& values) {
    json.append((4096 - json.size() % 4096) % 4096, ' ');
    for (const Bf16 value : values) {
        json += static_cast<char>(value.bits & 0xFF);
        json += static_cast<char>(value.bits >> 8);
    }
    return json;
}

std::string refusal(const std::string& bytes) {
    const auto image = parse_memory_image(bytes, "m.img");
    return image.ok() ? "accepted" : image.error().message();
}

std::string region_refusal(const std::string& region) {
    const auto regions = parse_regions("{\"regions\": [" + region + "]}", "r.json");
    return regions.ok() ? "accepted" : regions.error().message();
}

TEST(MemoryImage, a_file_is_read_as_the_format_says) {
    const std::vector<Bf16> values = reference::random_values(21 + 3 + 16, 1);
    const auto image = parse_memory_image(file_of(R"({"regions": [
          {"space": "bank", "channel": 3, "bank": 15, "row": 16383, "col": 62, "count": 21},
          {"space": "gpr", "col": 16383, "count": 3},
          {"space": "gbuf", "channel": 31, "col": 63, "count": 16}]})",
                                                  values),
                                          "m.img");
    ASSERT_TRUE(image.ok()) << image.error().message();
    EXPECT_EQ(image->regions,
              (std::vector<ImageRegion>{bank_region(3, 15, 16383, 62, 21), gpr_region(16383, 3),
                                        gbuf_region(31, 63, 16)}));
    EXPECT_EQ(image->values, values);

    Memory memory;
    load_image(*image, memory);
    const Tile* second = memory.find(3, 15, 16383, 63);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->values[4], values[20]);
    EXPECT_EQ(second->written, 0x1F);
    EXPECT_EQ(memory.gpr(16383).values[2], values[23]);
    EXPECT_TRUE(memory.gbuf(31, 63).complete());
}

TEST(MemoryImage, what_is_written_has_the_form_that_is_read) {
    const MemoryImage image{.regions = {gpr_region(0, 2)}, .values = {{0x3F80}, {0x0102}}};
    const std::string bytes = encode_memory_image(image);
    ASSERT_EQ(bytes.size(), 4100u);
    EXPECT_EQ(bytes.substr(0, 47), R"({"regions":[{"space":"gpr","col":0,"count":2}]})");
    EXPECT_EQ(bytes.substr(47, 4048), std::string(4048, ' '));
    EXPECT_EQ(bytes[4095], '\n');
    EXPECT_EQ(bytes.substr(4096), std::string("\x80\x3F\x02\x01"));
}

RC_GTEST_PROP(MemoryImage, any_image_comes_back_from_its_bytes_and_from_memory, ()) {
    MemoryImage image;
    const auto count = *rc::gen::inRange<std::size_t>(0, 90);
    for (std::size_t i = 0; i < count; ++i) {
        // Rows and entries differ by i, so that no region hides another.
        const auto n = static_cast<std::uint32_t>(i);
        const auto size = *rc::gen::inRange<std::uint32_t>(1, 40);
        const auto kind = *rc::gen::inRange(0, 3);
        image.regions.push_back(kind == 0   ? bank_region(n % 32, n % 16, n, 60 - n % 50, size)
                                : kind == 1 ? gpr_region(n * 3, size)
                                            : gbuf_region(n % 32, n / 32 * 3, size));
    }
    std::size_t values = 0;
    for (const ImageRegion& region : image.regions) values += region.count;
    image.values = reference::random_values(values, 5);

    const auto parsed = parse_memory_image(encode_memory_image(image), "m.img");
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == image);
    Memory memory;
    load_image(image, memory);
    UninitialisedReads unwritten;
    RC_ASSERT(take_image(image.regions, memory, unwritten) == image);
    RC_ASSERT(unwritten.count == 0u);
}

TEST(MemoryImage, a_header_may_fill_its_blocks_exactly_or_take_several) {
    for (const std::size_t size : {4096U, 4097U, 8191U, 8192U, 8193U}) {
        std::string json = R"({"regions":[{"space":"gpr","col":1,"count":1}]})";
        json.insert(1, size - json.size(), ' ');
        const auto image = parse_memory_image(file_of(json, {{0x1234}}), "m.img");
        ASSERT_TRUE(image.ok()) << size << image.error().message();
        EXPECT_EQ(image->values, (std::vector<Bf16>{{0x1234}}));
    }
}

TEST(MemoryImage, a_dump_of_what_was_never_written_is_zero_and_said) {
    Memory memory;
    memory.gpr(4).set(0, {0x1111});
    memory.gpr(4).set(1, {0x2222});
    UninitialisedReads unwritten;
    const MemoryImage image = take_image(
        {gpr_region(4, 2), gpr_region(4, 3), bank_region(1, 2, 3, 4, 17)}, memory, unwritten);
    EXPECT_EQ(image.values.size(), 22u);
    EXPECT_EQ(image.values[4], Bf16{0});
    ASSERT_EQ(unwritten.count, 3u);
    EXPECT_EQ(unwritten.first[0].message(), "GPR 4 was never written; read as 0");
    EXPECT_EQ(unwritten.first[2].message(),
              "channel 1 bank 2 row 3 column 5 was never written; read as 0");
}

TEST(MemoryImage, a_file_that_is_none_is_refused) {
    const std::string header = R"({"regions":[{"space":"gpr","col":0,"count":2}]})";
    EXPECT_THAT(refusal(""), HasSubstr("m.img: not a memory image"));
    EXPECT_THAT(refusal("PK\x03\x04"), HasSubstr("not a memory image"));
    EXPECT_THAT(refusal("{\"regions\": [" + std::string(5000, ' ')),
                HasSubstr("not a memory image"));
    EXPECT_THAT(refusal(header), HasSubstr("not padded with spaces to a multiple of 4096"));
    std::string text = file_of(header, {{1}, {2}});
    EXPECT_EQ(refusal(text), "accepted");
    EXPECT_THAT(refusal(text.substr(0, text.size() - 1)),
                HasSubstr("3 bytes of values follow the header; the regions count 2 values, that "
                          "is 4 bytes"));
    EXPECT_THAT(refusal(text + "x"), HasSubstr("5 bytes of values follow"));
    text[100] = 'x';
    EXPECT_THAT(refusal(text), HasSubstr("not padded with spaces"));
}

TEST(MemoryImage, a_region_out_of_range_is_refused_with_what_is_allowed) {
    EXPECT_EQ(region_refusal(R"({"space":"gpr","col":16384,"count":1})"),
              "r.json:1, region 0: 'col' is '16384'; allowed: 0 to 16383");
    EXPECT_EQ(region_refusal(R"({"space":"gpr","col":16383,"count":17})"),
              "r.json:1, region 0: 'count' is '17'; allowed: 1 to 16");
    EXPECT_EQ(region_refusal(R"({"space":"gpr","col":0,"count":0})"),
              "r.json:1, region 0: 'count' is '0'; allowed: 1 to 262144");
    EXPECT_EQ(region_refusal(R"({"space":"gbuf","channel":32,"count":1})"),
              "r.json:1, region 0: 'channel' is '32'; allowed: 0 to 31");
    EXPECT_EQ(region_refusal(R"({"space":"gbuf","channel":0,"col":63,"count":17})"),
              "r.json:1, region 0: 'count' is '17'; allowed: 1 to 16");
    EXPECT_EQ(region_refusal(R"({"space":"bank","channel":0,"bank":16,"row":0,"count":1})"),
              "r.json:1, region 0: 'bank' is '16'; allowed: 0 to 15");
    EXPECT_EQ(region_refusal(R"({"space":"bank","channel":0,"bank":0,"row":16384,"count":1})"),
              "r.json:1, region 0: 'row' is '16384'; allowed: 0 to 16383");
    EXPECT_EQ(
        region_refusal(R"({"space":"bank","channel":0,"bank":0,"row":0,"col":1,"count":1009})"),
        "r.json:1, region 0: 'count' is '1009'; allowed: 1 to 1008");
    EXPECT_EQ(region_refusal(R"({"space":"bank","channel":0,"bank":-1,"row":0,"count":1})"),
              "r.json:1, region 0: 'bank' is '-1'; allowed: 0 to 15");
    EXPECT_EQ(region_refusal(R"({"space":"bank","channel":0,"bank":1.5,"row":0,"count":1})"),
              "r.json:1, region 0: 'bank' is '1.5'; allowed: 0 to 15");
}

TEST(MemoryImage, a_region_of_a_wrong_form_is_refused) {
    EXPECT_EQ(region_refusal(R"({"space":"gpr","col":0})"),
              "r.json:1, region 0: the region has no key 'count'; allowed: 1 to 262144");
    EXPECT_EQ(region_refusal(R"({"col":0,"count":1})"),
              "r.json:1, region 0: the region has no key 'space'");
    EXPECT_EQ(region_refusal(R"({"space":"bnk","count":1})"),
              "r.json:1, region 0: 'space' is 'bnk'; did you mean 'bank'?");
    EXPECT_EQ(region_refusal(R"({"space":7,"count":1})"),
              "r.json:1, region 0: 'space' is an integer; allowed: bank, gpr, gbuf");
    EXPECT_EQ(region_refusal(R"({"space":"gpr","count":1,"rwo":1})"),
              "r.json:1, region 0: unknown key 'rwo' of a region in space 'gpr'; allowed: space, "
              "col, count");
    EXPECT_EQ(region_refusal("7"),
              "r.json:1, region 0: an integer is no region; allowed: an object");
    EXPECT_EQ(region_refusal(R"({"space":"gpr","count":1,"channel":3})"), "accepted");
    const auto other = parse_regions(R"({"region": []})", "r.json");
    ASSERT_FALSE(other.ok());
    EXPECT_THAT(other.error().message(), HasSubstr("no list of regions"));
}

TEST(MemoryImage, regions_of_more_than_a_module_has_are_refused) {
    std::string list;
    for (int i = 0; i < 9000; ++i) {
        if (i > 0) list += ',';
        list += R"({"space":"gpr","count":262144})";
    }
    EXPECT_THAT(region_refusal(list), HasSubstr("more than 2147483648 values in all"));
}

}  // namespace
}  // namespace memside::pim
