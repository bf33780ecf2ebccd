#include "model/gguf_header.h"

#include <fmt/format.h>
#include <rapidcheck/gtest.h>

#include "base/file.h"
#include "gguf_writer.h"

namespace memside {
namespace {

using test::GgufShape;
using test::GgufWriter;

Result<GgufHeader> parse(const std::string& bytes) {
    return parse_gguf_header(bytes, bytes.size(), "x.gguf");
}

std::string refused(const std::string& bytes, std::uint64_t file_bytes) {
    const auto header = parse_gguf_header(bytes, file_bytes, "x.gguf");
    EXPECT_FALSE(header.ok());
    if (header.ok()) return "";
    EXPECT_EQ(header.error().message().find('\n'), std::string::npos);
    EXPECT_EQ(header.error().exit_status(), 2);
    return header.error().message();
}

std::string refused(const GgufWriter& writer) {
    return refused(writer.header(), writer.file_bytes());
}

TEST(GgufHeader, every_value_type_is_read_and_widened) {
    GgufWriter w;
    w.number("u8", 0, std::uint8_t{200});
    w.number("i8", 1, std::int8_t{-100});
    w.number("u16", 2, std::uint16_t{60000});
    w.number("i16", 3, std::int16_t{-30000});
    w.number("u32", 4, std::uint32_t{4'000'000'000});
    w.number("i32", 5, std::int32_t{-2'000'000'000});
    w.number("f32", 6, 0.5F);
    w.number("bool", 7, std::uint8_t{1});
    w.text("string", "text");
    w.number("u64", 10, UINT64_MAX);
    w.number("i64", 11, INT64_MIN);
    w.number("f64", 12, 0.25);
    w.numbers("u8s", 0, std::vector<std::uint8_t>{1, 2});
    w.numbers("f32s", 6, std::vector<float>{0.5F});
    w.numbers("bools", 7, std::vector<std::uint8_t>{1, 0, 1});
    w.texts("texts", {"a", ""});
    const auto header = parse(w.file());
    ASSERT_TRUE(header.ok()) << header.error().message();
    const auto is = [&](const char* key, auto value) {
        using T = decltype(value);
        const auto* found = std::get_if<T>(&header->metadata.at(key).data);
        return found != nullptr && *found == value;
    };
    EXPECT_TRUE(is("u8", std::uint64_t{200}));
    EXPECT_TRUE(is("i8", std::int64_t{-100}));
    EXPECT_TRUE(is("u16", std::uint64_t{60000}));
    EXPECT_TRUE(is("i16", std::int64_t{-30000}));
    EXPECT_TRUE(is("u32", std::uint64_t{4'000'000'000}));
    EXPECT_TRUE(is("i32", std::int64_t{-2'000'000'000}));
    EXPECT_TRUE(is("f32", 0.5));
    EXPECT_TRUE(is("bool", true));
    EXPECT_TRUE(is("string", std::string("text")));
    EXPECT_TRUE(is("u64", std::uint64_t{UINT64_MAX}));
    EXPECT_TRUE(is("i64", std::int64_t{INT64_MIN}));
    EXPECT_TRUE(is("f64", 0.25));
    EXPECT_TRUE(is("u8s", GgufArray(std::vector<std::uint64_t>{1, 2})));
    EXPECT_TRUE(is("f32s", GgufArray(std::vector<double>{0.5})));
    EXPECT_TRUE(is("bools", GgufArray(std::vector<bool>{true, false, true})));
    EXPECT_TRUE(is("texts", GgufArray(std::vector<std::string>{"a", ""})));
}

RC_GTEST_PROP(GgufHeader, random_headers_round_trip, ()) {
    struct Kind {
        std::uint32_t id;
        std::uint64_t block;
        std::uint64_t bytes;
    };
    const std::vector<Kind> kinds{
        {0, 1, 4}, {1, 1, 2}, {8, 32, 34}, {12, 256, 144}, {14, 256, 210}};
    GgufWriter w;
    w.version = *rc::gen::element<std::uint32_t>(2, 3);
    w.alignment = *rc::gen::element<std::uint64_t>(8, 32, 4096);
    const auto texts = *rc::gen::arbitrary<std::vector<std::string>>();
    const auto numbers = *rc::gen::arbitrary<std::vector<std::int64_t>>();
    w.texts("texts", texts);
    w.numbers("numbers", 11, numbers);
    const auto count = *rc::gen::inRange<std::size_t>(0, 8);
    std::vector<GgufTensor> expected;
    for (std::size_t i = 0; i < count; ++i) {
        const Kind kind = *rc::gen::elementOf(kinds);
        const auto rows = *rc::gen::inRange<std::uint64_t>(1, 50);
        const auto blocks = *rc::gen::inRange<std::uint64_t>(1, 9);
        GgufTensor tensor;
        tensor.name = fmt::format("t{}", i);
        tensor.type = kind.id;
        tensor.elements = static_cast<std::int64_t>(rows * blocks * kind.block);
        tensor.bytes = static_cast<std::int64_t>(rows * blocks * kind.bytes);
        w.tensor(tensor.name, {blocks * kind.block, rows}, kind.id, rows * blocks * kind.bytes);
        expected.push_back(std::move(tensor));
    }
    const auto header = parse(w.file());
    RC_ASSERT(header.ok());
    RC_ASSERT(header->version == w.version);
    RC_ASSERT(header->data_start == w.header().size());
    RC_ASSERT(header->file_bytes == w.file_bytes());
    RC_ASSERT(std::get<GgufArray>(header->metadata.at("texts").data) == GgufArray(texts));
    RC_ASSERT(std::get<GgufArray>(header->metadata.at("numbers").data) == GgufArray(numbers));
    RC_ASSERT(header->tensors.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        RC_ASSERT(header->tensors[i].name == expected[i].name);
        RC_ASSERT(header->tensors[i].type == expected[i].type);
        RC_ASSERT(header->tensors[i].elements == expected[i].elements);
        RC_ASSERT(header->tensors[i].bytes == expected[i].bytes);
        RC_ASSERT(header->tensors[i].offset % w.alignment == 0U);
    }
}

TEST(GgufHeader, every_truncation_is_an_error) {
    const GgufWriter w = test::gguf_model({});
    const std::string file = w.file();
    ASSERT_TRUE(parse(file).ok());
    for (std::size_t n = 0; n < w.header().size(); ++n) {
        refused(file.substr(0, n), n);
        if (n < w.unpadded().size()) refused(file.substr(0, n), file.size());
    }
    EXPECT_THAT(refused(file, file.size() - 1), testing::HasSubstr("is it truncated?"));
}

RC_GTEST_PROP(GgufHeader, flipped_bytes_never_break_the_reader, ()) {
    const GgufWriter w = test::gguf_model({.architecture = "gemma3", .layers = 1, .tied = true});
    std::string header = w.header();
    const auto flips = *rc::gen::inRange(1, 4);
    for (int i = 0; i < flips; ++i) {
        const auto at = *rc::gen::inRange<std::size_t>(0, header.size());
        header[at] = *rc::gen::arbitrary<char>();
    }
    const auto parsed = parse_gguf_header(header, w.file_bytes(), "x.gguf");
    if (!parsed.ok()) {
        RC_ASSERT(parsed.error().message().find('\n') == std::string::npos);
        return;
    }
    for (const GgufTensor& tensor : parsed->tensors) {
        RC_ASSERT(parsed->data_start + tensor.offset + static_cast<std::uint64_t>(tensor.bytes) <=
                  w.file_bytes());
    }
    const auto spec = model_from_gguf(*parsed, "x.gguf");
    if (spec.ok()) RC_ASSERT(spec->weights.bytes() > 0);
}

TEST(GgufHeader, the_seeds_of_the_fuzzer_are_headers_and_mostly_models) {
    const std::string folder = std::string(MEMSIDE_SOURCE_DIR) + "/tests/fuzz/corpus/gguf_header/";
    for (const std::string name : {"llama", "qwen2_fused", "qwen3_tied", "gemma3", "types"}) {
        const auto bytes = read_file(folder + name + ".gguf", 4096);
        ASSERT_TRUE(bytes.ok()) << bytes.error().message();
        const auto header = parse_gguf_header(*bytes, std::uint64_t{1} << 30, name);
        ASSERT_TRUE(header.ok()) << header.error().message();
        EXPECT_EQ(model_from_gguf(*header, name).ok(), name != "types") << name;
    }
}

TEST(GgufHeader, other_files_and_versions_are_named) {
    EXPECT_EQ(refused("{\"a\": 1}", 8),
              "x.gguf: not a GGUF file: it does not begin with the letters GGUF");
    EXPECT_THAT(refused("GG", 2), testing::HasSubstr("not a GGUF file"));
    GgufWriter w;
    w.version = 1;
    EXPECT_EQ(refused(w), "x.gguf: GGUF version 1 is not supported; supported: 2, 3");
    w.version = 0x03000000;
    EXPECT_THAT(refused(w), testing::HasSubstr("a big-endian GGUF file"));
}

TEST(GgufHeader, counts_and_lengths_beyond_the_file_are_refused_without_allocating) {
    const auto raw = [](std::uint64_t tensors, std::uint64_t keys, const std::string& rest) {
        std::string out("GGUF\3\0\0\0", 8);
        out.append(reinterpret_cast<const char*>(&tensors), 8);
        out.append(reinterpret_cast<const char*>(&keys), 8);
        return out + rest;
    };
    const std::string huge(8, '\x7f');
    const std::string one("\1\0\0\0\0\0\0\0", 8);
    for (const std::uint64_t count : {std::uint64_t{100}, std::uint64_t{1} << 40, UINT64_MAX}) {
        EXPECT_THAT(refused(raw(count, 0, ""), 24), testing::HasSubstr("tensors, more than"));
        EXPECT_THAT(refused(raw(0, count, ""), 24), testing::HasSubstr("metadata keys, more than"));
        // The file may be long enough, but what is given of it is not.
        EXPECT_THAT(refused(raw(count, 0, ""), std::uint64_t{1} << 44), testing::Not(""));
    }
    EXPECT_THAT(refused(raw(0, 1, huge + "abcdefghij"), 42), testing::HasSubstr("metadata key 1"));
    const std::string text = one + "k" + std::string("\x08\0\0\0", 4) + huge;
    EXPECT_THAT(refused(raw(0, 1, text), 24 + text.size()),
                testing::HasSubstr("inside the value of 'k'"));
    const std::string array = one + "k" + std::string("\x09\0\0\0\0\0\0\0", 8) + huge;
    EXPECT_THAT(refused(raw(0, 1, array), 24 + array.size()),
                testing::HasSubstr("elements of 'k', more than"));
    EXPECT_THAT(refused(raw(0, 0, ""), (std::uint64_t{1} << 44) + 1),
                testing::HasSubstr("larger than 16 TiB"));
}

TEST(GgufHeader, duplicates_are_refused) {
    GgufWriter keys;
    keys.u32("a", 1);
    keys.u32("a", 1);
    EXPECT_EQ(refused(keys), "x.gguf: metadata key 'a' is given twice");
    GgufWriter tensors;
    tensors.f16("t", {4});
    tensors.f16("t", {4});
    EXPECT_EQ(refused(tensors), "x.gguf: tensor 't' is given twice");
}

TEST(GgufHeader, bad_metadata_values_are_named) {
    GgufWriter w;
    w.number("k", 13, 0);
    EXPECT_THAT(refused(w), testing::HasSubstr("the value of 'k' has type 13"));
    w = {};
    w.number("k", 7, std::uint8_t{2});
    EXPECT_THAT(refused(w), testing::HasSubstr("'k' is a boolean with the value 2"));
    w = {};
    w.numbers("k", 9, std::vector<std::uint32_t>{0});
    EXPECT_THAT(refused(w), testing::HasSubstr("'k' is an array of type 9"));
    w = {};
    w.u32("", 1);
    EXPECT_THAT(refused(w), testing::HasSubstr("metadata key 1 has 0 bytes"));
    for (const std::uint32_t alignment : {0U, 3U, 1U << 31}) {
        w = {};
        w.u32("general.alignment", alignment);
        EXPECT_THAT(refused(w), testing::HasSubstr("general.alignment is not a power of two"));
    }
}

TEST(GgufHeader, bad_tensor_infos_are_named) {
    const auto message = [](const std::string& name, const std::vector<std::uint64_t>& dims,
                            std::uint32_t type) {
        GgufWriter w;
        w.tensor(name, dims, type, 32);
        return refused(w.header(), std::uint64_t{1} << 43);
    };
    EXPECT_THAT(message("", {4}, 0), testing::HasSubstr("the name of tensor 1 has 0 bytes"));
    EXPECT_THAT(message(std::string(65, 'a'), {4}, 0), testing::HasSubstr("65 bytes"));
    EXPECT_THAT(message("t", {}, 0), testing::HasSubstr("'t' has 0 dimensions"));
    EXPECT_THAT(message("t", {1, 1, 1, 1, 1}, 0), testing::HasSubstr("'t' has 5 dimensions"));
    EXPECT_THAT(message("t", {4, 0}, 0), testing::HasSubstr("dimension 1 of tensor 't' is 0"));
    EXPECT_THAT(message("t", {1ULL << 40, 1ULL << 40}, 0), testing::HasSubstr("out of range"));
    EXPECT_THAT(message("t", {UINT64_MAX}, 0), testing::HasSubstr("out of range"));
    EXPECT_EQ(message("t", {32}, 4), "x.gguf: tensor 't' has the unknown type 4");
    EXPECT_EQ(message("t", {32}, 99), "x.gguf: tensor 't' has the unknown type 99");
    EXPECT_EQ(message("t", {48}, 8),
              "x.gguf: rows of tensor 't' have 48 elements, not a multiple of the 32 in a block of "
              "q8_0");
}

TEST(GgufHeader, types_that_no_kernel_reads_still_have_a_size) {
    GgufWriter w;
    w.tensor("t", {256, 3}, 16, 3 * 66);
    w.tensor("u", {64}, 31, 36);
    const auto header = parse(w.file());
    ASSERT_TRUE(header.ok()) << header.error().message();
    EXPECT_EQ(header->tensors[0].bytes, 198);
    EXPECT_EQ(header->tensors[1].bytes, 36);
}

TEST(GgufHeader, tensors_must_follow_each_other) {
    GgufWriter w;
    w.f16("t", {40});  // 80 bytes, so the next one starts at 96
    w.f16("u", {40});
    EXPECT_TRUE(parse(w.file()).ok());
    std::string header = w.header();
    const std::size_t offset = w.unpadded().size() - 8;
    EXPECT_EQ(header[offset], 96);
    header[offset] = 64;
    EXPECT_EQ(refused(header, w.file_bytes()),
              "x.gguf: tensor 'u' is at offset 64 where 96 is expected");
}

TEST(GgufHeader, a_vocabulary_of_262144_tokens_is_read) {
    std::vector<std::string> tokens;
    for (int i = 0; i < 262144; ++i) tokens.push_back(fmt::format("token{}", i));
    GgufWriter w;
    w.texts("tokenizer.ggml.tokens", tokens);
    const auto header = parse(w.file());
    ASSERT_TRUE(header.ok()) << header.error().message();
    EXPECT_EQ(std::get<GgufArray>(header->metadata.at("tokenizer.ggml.tokens").data),
              GgufArray(tokens));
}

}  // namespace
}  // namespace memside
