#include "dram/address_mapping.h"

#include <rapidcheck/gtest.h>

#include <set>

#include "dram/specs.h"
#include "dram/stream.h"

namespace memside::dram {
namespace {

AddressMapping mapping(const Spec& spec, const std::string& text, int channels = 1) {
    auto parsed = AddressMapping::parse(text, spec, channels);
    if (!parsed.ok()) {
        ADD_FAILURE() << parsed.error().message();
        parsed = AddressMapping::parse(default_mapping(spec), spec, channels);
    }
    return *parsed;
}

std::string error_of(const Spec& spec, const std::string& text, int channels = 1) {
    const auto parsed = AddressMapping::parse(text, spec, channels);
    return parsed.ok() ? "" : parsed.error().message();
}

TEST(AddressMapping, the_string_lists_fields_from_the_top_bit_down) {
    // GDDR6: bursts of 32 B, 64 columns, 4 banks in each of 4 groups.
    const Spec spec = shipped("gddr6-14000");
    const AddressMapping rows_on_top = mapping(spec, "RoBaRaCoCh");
    const std::uint64_t row = 3, bank = 2, group = 1, column = 5;
    const std::uint64_t address = (((row * 4 + bank) * 4 + group) * 64 + column) * 32 + 7;
    const Location location = rows_on_top.locate(address);
    EXPECT_EQ(location.row, 3);
    EXPECT_EQ(location.bank, 4 * 1 + 2);  // the flat index has the group on top
    EXPECT_EQ(location.column, 5);
    EXPECT_EQ(location.channel, 0);
}

TEST(AddressMapping, a_number_splits_a_field) {
    const Spec spec = shipped("gddr6-14000");
    const AddressMapping split = mapping(spec, "RoBaCoBgCo3");
    EXPECT_EQ(split.locate(7 * 32).column, 7);
    EXPECT_EQ(split.locate(7 * 32).bank, 0);
    EXPECT_EQ(split.locate(8 * 32).column, 0);
    EXPECT_EQ(split.locate(8 * 32).bank, 4);        // the next group
    EXPECT_EQ(split.locate(4 * 8 * 32).column, 8);  // the column's fourth bit
}

TEST(AddressMapping, channels_interleave_where_the_string_puts_them) {
    const Spec spec = shipped("lpddr5x-8533");
    const AddressMapping bursts = mapping(spec, "RoRaBaCoBgCh", 64);
    EXPECT_EQ(bursts.interleave_bytes(), 32U);
    EXPECT_EQ(bursts.locate(63 * 32).channel, 63);
    const AddressMapping rows = mapping(spec, "RoRaChBaBgCo", 64);
    EXPECT_EQ(rows.interleave_bytes(), 32U * 1024);
    EXPECT_EQ(rows.capacity_bytes(), std::uint64_t{512} << 30);  // the CXL-PNM device
}

TEST(AddressMapping, hashing_spreads_the_rows_of_a_bank_over_all_banks) {
    const Spec spec = shipped("gddr6-14000");
    const AddressMapping hashed = mapping(spec, "RoBaCo^");
    std::set<int> banks;
    for (std::uint64_t row = 0; row < 16; ++row) {
        banks.insert(hashed.locate(row * 16 * 64 * 32).bank);
    }
    EXPECT_EQ(banks.size(), 16U);
}

TEST(AddressMapping, a_missing_field_is_named) {
    const Spec hbm = shipped("hbm3-6400");
    EXPECT_EQ(error_of(hbm, "RoBaCoPc"),
              "mapping: 'RoBaCoPc' lacks 'Ra', which has 1 bits in HBM3-6400");
    EXPECT_EQ(error_of(hbm, "RoBaCoPcSi"), "");
    EXPECT_EQ(error_of(hbm, "RoRaBaCo"), "");
    EXPECT_EQ(error_of(hbm, "RoRaBaCo", 2),
              "mapping: 'RoRaBaCo' lacks 'Ch', which has 1 bits in HBM3-6400");
    EXPECT_THAT(error_of(hbm, "RoXyBaCo"), testing::HasSubstr("unknown field 'Xy'; allowed: Ro"));
    EXPECT_THAT(error_of(hbm, "RoRaBaCoCo3Co"), testing::HasSubstr("'Co' has"));
    EXPECT_THAT(error_of(hbm, "RoRaBaCo9"), testing::HasSubstr("'Co' has 9 bits here but 5"));
    EXPECT_THAT(error_of(hbm, "RoRaBaCo", 3), testing::HasSubstr("allowed: a power of two"));
}

RC_GTEST_PROP(AddressMapping, every_burst_has_one_address, ()) {
    const Spec spec = shipped(*rc::gen::elementOf(
        std::vector<std::string>(std::begin(shipped_names), std::end(shipped_names))));
    const int channels = *rc::gen::element(1, 2, 64);
    std::string text = *rc::gen::element<std::string>("RoBaRaCoCh", "RoRaBaCoBgCh", "ChRoCoRaBa",
                                                      "RoRaCoBgChCo2Ba", "RoRaBaCoBg1ChBg1Co3");
    if (spec.level_count("bank_group") == 8 && text.ends_with("Bg1Co3")) text = "RoRaBaCoBgCh";
    if (*rc::gen::arbitrary<bool>()) text += "^";
    const AddressMapping map = mapping(spec, text, channels);
    const std::uint64_t address = *rc::gen::inRange<std::uint64_t>(0, map.capacity_bytes()) /
                                  static_cast<std::uint64_t>(spec.burst_bytes) *
                                  static_cast<std::uint64_t>(spec.burst_bytes);
    const Location location = map.locate(address);
    RC_ASSERT(map.address(location) == address);
    RC_ASSERT(location.bank >= 0 && location.bank < spec.banks());
    RC_ASSERT(location.row >= 0 && location.row < spec.rows);
    RC_ASSERT(location.column >= 0 && location.column < spec.bursts_per_row);
    RC_ASSERT(location.channel >= 0 && location.channel < channels);
}

}  // namespace
}  // namespace memside::dram
