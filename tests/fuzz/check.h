// What every fuzzer demands of the code under test.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/result.h"

namespace memside::fuzz {

// An assert that stays in every build type.
inline void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

// A message is one line that says where; only the user can have caused it.
inline void require_one_line(const Error& error) {
    require(!error.where.empty() && !error.what.empty(), "an error says where and what");
    require(error.message().find('\n') == std::string::npos, "a message is one line");
    require(error.kind == Error::Kind::bad_input, "the input is to blame");
}

}  // namespace memside::fuzz
