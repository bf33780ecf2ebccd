// Points for the tests of study/, from a spec's text.
#pragma once

#include "study/spec.h"

namespace memside {

inline PointSet points_of(const std::string& text) {
    const Result<PointSet> set = parse_sweep(text, "s.yaml");
    EXPECT_TRUE(set.ok()) << (set.ok() ? "" : set.error().message());
    return set.ok() ? *set : PointSet{};
}

inline std::string refusal_of(const std::string& text) {
    const Result<PointSet> set = parse_sweep(text, "s.yaml");
    if (set.ok()) return "accepted";
    EXPECT_EQ(set.error().exit_status(), 2);
    EXPECT_EQ(set.error().message().find('\n'), std::string::npos);
    return set.error().message();
}

}  // namespace memside
