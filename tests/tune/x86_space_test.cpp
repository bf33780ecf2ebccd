#include "tune/x86_space.h"

#include <set>

#include "tune/candidates.h"

namespace memside::tune {
namespace {

constexpr const char* shapes[] = {"1,64,56,56,64,3,3,1,1", "8,512,7,7,512,3,3,1,1",
                                  "1,3,224,224,64,7,7,2,3", "8,1024,14,14,256,1,1,1,0"};

TEST(X86Space, has_the_distinct_valid_schedules_and_no_other) {
    for (const char* text : shapes) {
        conv::ConvProblem problem;
        problem.shape = *conv::parse_shape(text, "");
        for (const conv::Target target : {conv::Target::x86_vnni, conv::Target::x86_avx2}) {
            const auto space = std::make_shared<X86Space>(problem, target, 1);
            const auto list = Candidates::of(space);
            ASSERT_TRUE(list.ok()) << list.error().message();
            std::set<std::string> expected;
            const conv::ScheduleSpace all(problem, target);
            for (const conv::Schedule& s : all.points()) expected.insert(conv::format_schedule(s));
            std::set<std::string> found;
            for (CandidateId id = 0; id < (*list)->size(); ++id) {
                found.insert((*list)->text(id));
                EXPECT_EQ((*list)->text(id),
                          conv::format_schedule(space->schedule((*list)->point(id))));
            }
            EXPECT_EQ(found, expected) << text;
            EXPECT_EQ(found.size(), (*list)->size());
        }
    }
}

}  // namespace
}  // namespace memside::tune
