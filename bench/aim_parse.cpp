// How fast AiM programs are read, from a buffer: text and binary, MB/s of the form itself.
// usage: bench_aim_parse [TRACE.aim...]   (default: a score kernel and a mix of all instructions)
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "median.h"
#include "pim/binary_form.h"
#include "pim/instruction_table.h"
#include "pim/text_reader.h"
#include "pim/text_writer.h"

namespace {

using namespace memside;
using namespace memside::pim;

// As a trace of q.K^T at dimension 128 has them: per group the query, then bias, MAC, result.
Program scores(std::size_t groups) {
    Program program;
    for (std::size_t i = 0; i < groups; ++i) {
        const auto row = static_cast<std::uint32_t>(i / 8 % rows_per_bank);
        program.instructions.push_back({.opcode = Opcode::wr_gb, .opsize = 8, .mask = 0xffffffff});
        program.instructions.push_back({.opcode = Opcode::wr_bias, .mask = 0xffffffff});
        program.instructions.push_back(
            {.opcode = Opcode::mac_abk, .opsize = 8, .mask = 0xffffffff, .row = row});
        program.instructions.push_back({.opcode = Opcode::rd_mac, .mask = 0xffffffff, .gpr = 8});
    }
    return program;
}

// Every instruction, its operands anywhere in their ranges: nothing to predict.
Program mix(std::size_t count) {
    std::mt19937 random(1);
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random()) % n; };
    Program program;
    while (program.instructions.size() < count) {
        const Instruction made = canonical(
            {.opcode = static_cast<Opcode>(below(opcode_count)),
             .bank = static_cast<std::uint8_t>(below(bank_count)),
             .channel = static_cast<std::uint8_t>(below(channel_count)),
             .column = static_cast<std::uint16_t>(below(2) == 0 ? 0 : below(columns_per_row)),
             .out = below(4) == 0 ? below(16) : 0,
             .opsize = 1 + below(columns_per_row),
             .mask = static_cast<std::uint32_t>(random()),
             .row = below(rows_per_bank),
             .gpr = below(gpr_entries),
             .gpr2 = below(gpr_entries)});
        if (!find_fault(made)) program.instructions.push_back(made);
    }
    return program;
}

template <typename Parse>
void measure(const std::string& name, const char* form, const std::string& bytes,
             const Parse& parse) {
    const double seconds = bench::median_s([&] {
        const auto program = parse(bytes, name);
        if (!program.ok()) {
            std::fprintf(stderr, "%s\n", program.error().message().c_str());
            std::exit(2);
        }
    });
    std::printf("%-24s %-6s %10zu B %10.1f us %8.0f MB/s\n", name.c_str(), form, bytes.size(),
                seconds * 1e6, static_cast<double>(bytes.size()) / 1e6 / seconds);
}

void measure(const std::string& name, const std::string& text) {
    measure(name, "text", text, parse_text);
    const auto program = parse_text(text, name);
    measure(name, "binary", to_binary(*program), parse_binary);
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const auto text = read_file(argv[i], max_program_bytes);
        if (!text.ok()) {
            std::fprintf(stderr, "%s\n", text.error().message().c_str());
            return 2;
        }
        std::string name = argv[i];
        name.erase(0, name.rfind('/') + 1);
        measure(name, *text);
    }
    if (argc > 1) return 0;
    measure("scores, 1M tokens", to_text(scores(65536)));
    measure("mix of all", to_text(mix(262144)));
    return 0;
}
