// memside bench decode: decode steps of a model at a depth.
#pragma once

#include <string>
#include <vector>

namespace memside::cli {

// `arguments` after the word "decode". The exit status.
int run_bench_decode(const std::vector<std::string>& arguments);

}  // namespace memside::cli
