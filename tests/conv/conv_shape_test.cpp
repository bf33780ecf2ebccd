#include "conv/conv_shape.h"

#include <rapidcheck/gtest.h>

#include "conv/random_conv.h"

namespace memside::conv {
namespace {

using testing::HasSubstr;

std::string refusal(const char* text) {
    const auto shape = parse_shape(text, "--shape");
    return shape.ok() ? "" : shape.error().message();
}

TEST(ConvShape, sizes_and_operations_are_those_of_the_published_layer) {
    // The stem of ResNet-50: 112 x 112 outputs, 236 million operations per image.
    const auto stem = parse_shape("1,3,224,224,64,7,7,2,3", "--shape");
    ASSERT_TRUE(stem.ok());
    EXPECT_EQ(stem.value().out_h(), 112);
    EXPECT_EQ(stem.value().out_w(), 112);
    EXPECT_EQ(stem.value().operations(), 2.0 * 112 * 112 * 64 * 147);
}

TEST(ConvShape, the_3x3_layers_of_resnet_50_have_the_same_operations) {
    // 1.85 G each at batch 8.
    for (const char* text : {"8,64,56,56,64,3,3,1,1", "8,512,7,7,512,3,3,1,1"}) {
        EXPECT_EQ(parse_shape(text, "")->operations(), 1849688064.0);
    }
}

TEST(ConvShape, dilation_spreads_the_kernel) {
    const auto shape = parse_shape("1,8,9,12,8,3,2,1,0,4", "--shape");
    ASSERT_TRUE(shape.ok());
    EXPECT_EQ(shape.value().out_h(), 1);
    EXPECT_EQ(shape.value().out_w(), 8);
}

RC_GTEST_PROP(ConvShape, what_is_formatted_parses_to_the_same, ()) {
    const ConvShape shape = random_problem().shape;
    RC_PRE(check(shape, "").ok());
    RC_ASSERT(parse_shape(format_shape(shape), "").value() == shape);
}

TEST(ConvShape, a_wrong_count_of_numbers_is_refused_with_the_form) {
    EXPECT_THAT(refusal("1,2,3"), HasSubstr("3 numbers; expected N,C,H,W,K,R,S,STRIDE,PAD"));
    EXPECT_THAT(refusal("1,8,8,8,8,3,3,1,1,1,1"), HasSubstr("11 numbers"));
}

TEST(ConvShape, the_number_at_fault_is_named) {
    EXPECT_THAT(refusal("1,8,8,8,8,3,3,0,1"), HasSubstr("STRIDE"));
    EXPECT_THAT(refusal("1,8,x,8,8,3,3,1,1"), HasSubstr("H of"));
    EXPECT_THAT(refusal("1,8,8,8,8,3,3,1,-1"), HasSubstr("PAD"));
}

TEST(ConvShape, a_kernel_larger_than_the_padded_image_is_refused) {
    EXPECT_THAT(refusal("1,8,4,4,8,7,7,1,1"),
                HasSubstr("does not fit into the padded image of 6 x 6"));
    EXPECT_EQ(refusal("1,8,5,5,8,7,7,1,1"), "");
}

TEST(ConvShape, a_sum_that_may_leave_32_bits_is_refused) {
    EXPECT_EQ(refusal("1,7310,3,3,8,3,3,1,0"), "");  // 65,790 products
    EXPECT_THAT(refusal("1,7311,3,3,8,3,3,1,0"), HasSubstr("sums 65799 products; at most 65793"));
}

TEST(ConvShape, a_tensor_of_too_many_values_is_refused) {
    EXPECT_THAT(refusal("65536,64,56,56,64,1,1,1,0"), HasSubstr("the input would have more"));
    EXPECT_THAT(refusal("16,1,8192,8192,4,1,1,1,0"), HasSubstr("the output would have more"));
}

}  // namespace
}  // namespace memside::conv
