// memside aim exec, as a user calls it.
#include "cli/process.h"
#include "pim/binary_form.h"
#include "pim/kernels/qk.h"
#include "pim/memory_image.h"
#include "pim/text_writer.h"

#include <gmock/gmock.h>

namespace memside {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A file as another program would write it.
std::string image_of(std::string json, const std::vector<std::uint16_t>& values) {
    json.append((4096 - json.size() % 4096) % 4096, ' ');
    for (const std::uint16_t value : values) {
        json += static_cast<char>(value & 0xFF);
        json += static_cast<char>(value >> 8);
    }
    return json;
}

std::vector<std::uint16_t> values_of(const std::string& bytes) {
    std::vector<std::uint16_t> values;
    for (std::size_t i = 4096; i + 1 < bytes.size(); i += 2) {
        values.push_back(static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[i]) |
                                                    static_cast<unsigned char>(bytes[i + 1]) << 8));
    }
    return values;
}

constexpr std::uint16_t one = 0x3F80;
constexpr std::uint16_t two = 0x4000;
constexpr std::uint16_t three = 0x4040;

const std::string two_registers = R"({"regions":[{"space":"gpr","col":0,"count":32}]})";

std::vector<std::uint16_t> ones_and_twos() {
    std::vector<std::uint16_t> values(32, one);
    std::fill(values.begin() + 16, values.end(), two);
    return values;
}

TEST(AimExec, the_regions_of_the_input_come_out_as_the_program_left_them) {
    const Workplace place;
    place.write("add.aim", "AiM EWADD 1 0 1\nAiM EOC\n");
    place.write("in.img", image_of(two_registers, ones_and_twos()));
    const Outcome outcome =
        place.run({"aim", "exec", "add.aim", "--memory", "in.img", "--out", "out.img"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "");
    const std::string out = slurp(place.path() / "out.img");
    EXPECT_THAT(out, StartsWith(two_registers));
    std::vector<std::uint16_t> expected(32, three);
    std::fill(expected.begin() + 16, expected.end(), two);
    EXPECT_EQ(values_of(out), expected);
}

TEST(AimExec, a_dump_chooses_what_comes_out) {
    const Workplace place;
    place.write("copy.aim", "AiM WR_SBK 1 0x80000000 5 9 col=3\nAiM EOC\n");
    place.write("in.img", image_of(two_registers, ones_and_twos()));
    place.write("regions.json",
                "{\"regions\": [\n  {\"space\": \"bank\", \"channel\": 0, \"bank\": 5, \"row\": 9, "
                "\"col\": 3, \"count\": 2}\n]}\n");
    const Outcome outcome = place.run({"aim", "exec", "copy.aim", "--memory", "in.img", "--out",
                                       "out.img", "--dump", "regions.json"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_EQ(values_of(slurp(place.path() / "out.img")), (std::vector<std::uint16_t>{two, two}));
}

// A kernel of the library with its operands, as files.
TEST(AimExec, runs_qk_from_both_forms_of_its_program) {
    const Workplace place;
    pim::QkOptions options;
    options.channels = 3;
    options.row_reuse = true;
    const auto kernel = pim::make_qk({80, 100, 2}, options);
    ASSERT_TRUE(kernel.ok());
    pim::Machine machine;
    std::vector<pim::Bf16> keys(std::size_t{100} * 80);
    std::vector<pim::Bf16> queries(std::size_t{2} * 80);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        keys[i] = pim::to_bf16(static_cast<float>(i * 7919 % 201) / 64.0F - 1.5F);
    }
    for (std::size_t i = 0; i < queries.size(); ++i) {
        queries[i] = pim::to_bf16(static_cast<float>(i * 104729 % 97) / 32.0F - 1.5F);
    }
    pim::place_keys(kernel->layout, keys, machine.memory());
    pim::place_queries(kernel->layout, queries, machine.memory());
    const auto gpr = [](std::uint32_t first, std::uint32_t tiles) {
        return pim::ImageRegion{.start = {pim::Space::gpr, 0, 0, 0, first}, .count = tiles * 16};
    };
    std::vector<pim::ImageRegion> regions{gpr(kernel->layout.queries_gpr(), 2 * 5 + 1)};
    for (unsigned channel = 29; channel < 32; ++channel) {
        for (unsigned bank = 0; bank < 16; ++bank) {
            regions.push_back({.start = {pim::Space::bank, channel, bank, 0, 0},
                               .count = kernel->layout.groups() * 5 * 16});
        }
    }
    pim::UninitialisedReads none;
    place.write("in.img",
                pim::encode_memory_image(pim::take_image(regions, machine.memory(), none)));
    ASSERT_EQ(none.count, 0u);
    ASSERT_TRUE(machine.run(kernel->program).ok());
    const std::vector<pim::ImageRegion> scores{
        gpr(kernel->layout.scores_gpr(), 2 * 3 * kernel->layout.groups())};
    const pim::MemoryImage expected = pim::take_image(scores, machine.memory(), none);
    place.write("scores.json",
                fmt::format(R"({{"regions":[{{"space":"gpr","col":{},"count":{}}}]}})",
                            scores[0].start.entry, scores[0].count));
    place.write("qk.aim", pim::to_text(kernel->program));
    place.write("qk.bin", pim::to_binary(kernel->program));
    for (const bool binary : {false, true}) {
        std::vector<std::string> words{"aim",      "exec",   binary ? "qk.bin" : "qk.aim",
                                       "--memory", "in.img", "--out",
                                       "out.img",  "--dump", "scores.json"};
        if (binary) words.emplace_back("--from-binary");
        const Outcome outcome = place.run(words);
        ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
        EXPECT_EQ(outcome.err, "");
        const auto out = pim::parse_memory_image(slurp(place.path() / "out.img"), "out.img");
        ASSERT_TRUE(out.ok()) << out.error().message();
        EXPECT_EQ(*out, expected);
    }
}

TEST(AimExec, reads_of_what_nobody_wrote_are_warned_of_and_counted) {
    const Workplace place;
    place.write("read.aim", "R GPR 0\nR GPR 7\nAiM MAC_ABK 2 0x1 4\nAiM EOC\n");
    place.write("in.img", image_of(two_registers, ones_and_twos()));
    const Outcome outcome = place.run(
        {"aim", "exec", "read.aim", "--memory", "in.img", "--out", "out.img", "--json", "-"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.err,
                StartsWith("memside aim exec: warning: instruction 2, R GPR: GPR 7 was never "
                           "written; read as 0\n"));
    // The register, 16 accumulators, and of two columns GBuf and 16 banks.
    EXPECT_THAT(outcome.out, HasSubstr("\"uninitialized_reads\": 51,"));
    EXPECT_THAT(outcome.out, HasSubstr("\"instructions_executed\": 4,"));
    EXPECT_THAT(outcome.err, HasSubstr("warning: and 31 more reads"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 21);
}

TEST(AimExec, what_the_dump_finds_unwritten_is_warned_of_too) {
    const Workplace place;
    place.write("none.aim", "AiM EOC\n");
    place.write("in.img", image_of(two_registers, ones_and_twos()));
    place.write("regions.json", R"({"regions":[{"space":"gbuf","channel":2,"col":5,"count":1}]})");
    const Outcome outcome = place.run({"aim", "exec", "none.aim", "--memory", "in.img", "--out",
                                       "out.img", "--dump", "regions.json"});
    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_EQ(outcome.err,
              "memside aim exec: warning: channel 2 GBuf entry 5 was never written; read as 0\n");
    EXPECT_EQ(values_of(slurp(place.path() / "out.img")), (std::vector<std::uint16_t>{0}));
}

TEST(AimExec, bad_input_is_one_line_and_leaves_no_output) {
    const Workplace place;
    place.write("none.aim", "AiM EOC\n");
    place.write("wrong.aim", "AiM EOC\nAiM NOP\n");
    place.write("in.img", image_of(two_registers, ones_and_twos()));
    place.write("short.img", image_of(two_registers, {one}));
    place.write("regions.json", R"({"regions":[{"space":"gpr","col":16384,"count":1}]})");
    const std::vector<std::pair<std::vector<std::string>, std::string>> calls{
        {{"none.aim", "--memory", "short.img", "--out", "out.img"},
         "short.img: 2 bytes of values follow the header"},
        {{"none.aim", "--memory", "none.aim", "--out", "out.img"}, "none.aim: not a memory image"},
        {{"wrong.aim", "--memory", "in.img", "--out", "out.img"}, "wrong.aim:2"},
        {{"none.aim", "--memory", "in.img", "--out", "out.img", "--dump", "regions.json"},
         "regions.json:1, region 0: 'col' is '16384'; allowed: 0 to 16383"},
        {{"none.aim", "--memory", "in.img", "--out", "in.img"},
         "--out: 'in.img' would replace the input"},
        {{"none.aim", "--memory", "in.img", "--out", "x", "--json", "x"}, "the target of"},
        {{"none.aim", "--memory", "in.img"}, "--out"},
        {{"none.aim", "--out", "out.img"}, "--memory"},
        {{"--memory", "in.img", "--out", "out.img"}, "name one program"},
        {{"none.aim", "--from-binary", "--memory", "in.img", "--out", "out.img"}, "none.aim"}};
    const std::vector<std::string> before = place.entries();
    for (const auto& [words, says] : calls) {
        std::vector<std::string> all{"aim", "exec"};
        all.insert(all.end(), words.begin(), words.end());
        const Outcome outcome = place.run(all);
        EXPECT_EQ(outcome.exit_status, 2) << says;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(says));
        EXPECT_EQ(outcome.out, "");
        EXPECT_THAT(place.entries(), testing::UnorderedElementsAreArray(before));
    }
}

TEST(AimExec, an_output_that_fails_leaves_none_of_them) {
    const Workplace place;
    place.write("none.aim", "AiM EOC\n");
    place.write("in.img", image_of(two_registers, ones_and_twos()));
    const Outcome outcome = place.run({"aim", "exec", "none.aim", "--memory", "in.img", "--out",
                                       "missing/out.img", "--json", "out.json"});
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_THAT(place.entries(), Not(testing::Contains("out.json")));
}

TEST(AimExec, is_listed_and_shows_examples) {
    const Workplace place;
    EXPECT_THAT(place.run({"aim", "--help"}).out, HasSubstr("exec"));
    EXPECT_THAT(place.run({"aim", "exec", "--help"}).out, HasSubstr("--dump regions.json"));
}

}  // namespace
}  // namespace memside
