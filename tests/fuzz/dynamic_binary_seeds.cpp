// seeds_dynamic_binary FOLDER: writes dynamic programs for the dynamic_binary fuzzer to start from.
#include <cstdio>
#include <fstream>

#include "pim/dynamic/attention_program.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/dynamic/random_dynamic_program.h"

using namespace memside::pim;

namespace {

bool save(const std::string& path, const DynamicProgram& program) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << to_binary(program);
    return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: seeds_dynamic_binary FOLDER\n", stderr);
        return 2;
    }
    const std::string folder = argv[1];
    for (const bool hfp : {false, true}) {
        const AttentionShape shape{.channels = 8, .hfp = hfp, .heads = hfp ? 8U : 1U, .queries = 1};
        const std::string path = fmt::format("{}/attention-{}", folder, hfp ? "hfp" : "tcp");
        if (!save(path, attention_program(AttentionLayout(shape)))) return 1;
    }
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        if (!save(fmt::format("{}/random-{}", folder, seed),
                  RandomDynamicPrograms(seed).next(10))) {
            return 1;
        }
    }
    return 0;
}
