#include "tune/task.h"

namespace memside::tune {
namespace {

TEST(Task, a_shape_is_read_and_written) {
    const auto shape = parse_convolution("8,3,224,224,64,7,7,2,3", "--shape");
    ASSERT_TRUE(shape.ok());
    EXPECT_EQ(shape->out_h(), 112);
    EXPECT_EQ(shape->dilation, 1);
    EXPECT_EQ(convolution_text(*shape), "8,3,224,224,64,7,7,2,3,1");
    EXPECT_EQ(*parse_convolution(convolution_text(*shape), "again"), *shape);
    EXPECT_EQ(parse_convolution("1,4,9,9,4,3,3,1,0,2", "--shape")->out_w(), 5);
}

TEST(Task, operations_are_those_of_the_known_layers) {
    // ResNet-50's 3x3 layers at batch 8: 1.85 G each.
    for (const char* text : {"8,64,56,56,64,3,3,1,1", "8,512,7,7,512,3,3,1,1"}) {
        EXPECT_EQ(parse_convolution(text, "")->operations(), 1849688064.0);
    }
}

TEST(Task, says_what_is_wrong_with_a_shape) {
    const auto message = [](const char* text) {
        const auto shape = parse_convolution(text, "--shape");
        return shape.ok() ? "" : shape.error().message();
    };
    EXPECT_EQ(message("8,64,56,56,64,3,3,1"),
              "--shape: has 8 numbers; allowed: N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]");
    EXPECT_EQ(message("1,1,1,1,1,1,1,1,0,1,5"),
              "--shape: has more than 10 numbers; allowed: N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]");
    EXPECT_THAT(message("8,64,56,56,64,3,3,0,1"), testing::StartsWith("--shape: STRIDE: "));
    EXPECT_THAT(message("8,,56,56,64,3,3,1,1"), testing::StartsWith("--shape: C: "));
    EXPECT_EQ(message("1,1,4,4,1,7,7,1,1"),
              "--shape: a kernel of 7x7 does not fit into 4x4 with padding 1");
}

TEST(Task, the_machine_has_a_name) {
    EXPECT_NE(this_machine(), "");
    EXPECT_EQ(this_machine(), this_machine());
}

}  // namespace
}  // namespace memside::tune
