#include "tune/task.h"

namespace memside::tune {
namespace {

TEST(Task, the_machine_has_a_name) {
    EXPECT_NE(this_machine(), "");
    EXPECT_EQ(this_machine(), this_machine());
}

}  // namespace
}  // namespace memside::tune
