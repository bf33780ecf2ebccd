#include "base/checksum.h"

namespace memside {
namespace {

// The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
TEST(Checksum, crc32_of_the_nine_digits_is_the_published_check_value) {
    EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
    EXPECT_EQ(crc32(""), 0U);
}

}  // namespace
}  // namespace memside
