// How fast the in-order engine is, beside the public AiM simulator: its CPU seconds are column
// reference_cpu_s of tests/pim/golden/cycles.csv, for a whole process. Every repetition starts from
// nothing; refresh is off, as there.
// usage: bench_aim_speed
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/data_dir.h"
#include "base/file.h"
#include "median.h"
#include "pim/instruction_table.h"
#include "pim/simulation.h"
#include "pim/text_reader.h"

namespace {

using namespace memside;
using namespace memside::pim;

constexpr double reference_startup_s = 0.09;  // of each process of the reference

template <typename T>
T or_exit(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(2);
}

struct Trace {
    std::string name;
    std::string text;
    Program program;
    double reference_cpu_s = 0;
};

// The last column but one of the row; notes in quotes have commas, later columns do not.
double reference_cpu_s(const std::string& row) {
    const std::size_t last = row.rfind(',');
    const std::size_t before = row.rfind(',', last - 1);
    return std::strtod(row.c_str() + before + 1, nullptr);
}

std::vector<Trace> read_traces() {
    const std::string folder = std::string(MEMSIDE_SOURCE_DIR) + "/tests/pim/golden/";
    std::istringstream rows(or_exit(read_file(folder + "cycles.csv", max_program_bytes)));
    std::vector<Trace> traces;
    std::string row;
    std::getline(rows, row);
    while (std::getline(rows, row)) {
        Trace trace;
        trace.name = row.substr(0, row.find(','));
        trace.text = or_exit(read_file(folder + trace.name + ".aim", max_program_bytes));
        trace.program = or_exit(parse_text(trace.text, trace.name));
        trace.reference_cpu_s = reference_cpu_s(row);
        traces.push_back(std::move(trace));
    }
    return traces;
}

// The score kernel of qk_d128_t128k_ch32 for more tokens: 4,096 a row of 32 channels.
Program scores(std::uint32_t tokens) {
    constexpr std::uint32_t all = 0xffffffff;
    constexpr std::uint32_t groups_per_row = 8;
    Program program;
    auto& list = program.instructions;
    for (std::uint32_t i = 0; i < 8; ++i) list.push_back({.opcode = Opcode::write_gpr, .gpr = i});
    list.push_back({.opcode = Opcode::wr_gb, .opsize = 8, .mask = all});
    for (std::uint32_t group = 0; group < tokens / (bank_count * channel_count); ++group) {
        const std::uint32_t row = group / groups_per_row;
        list.push_back({.opcode = Opcode::wr_bias, .mask = all});
        list.push_back({.opcode = Opcode::mac_abk, .opsize = 8, .mask = all, .row = row});
        list.push_back({.opcode = Opcode::rd_mac, .mask = all, .gpr = 8});
    }
    list.push_back({.opcode = Opcode::eoc});
    return program;
}

// Deals rows, masks, banks and sizes anew among the instructions that have them.
Program shuffled(Program program, unsigned seed) {
    std::mt19937 random(seed);
    const auto deal = [&](auto has, auto operand) {
        std::vector<Instruction*> owners;
        for (Instruction& i : program.instructions) {
            if (has(i)) owners.push_back(&i);
        }
        for (std::size_t i = owners.size(); i > 1; --i) {
            std::swap(owners[i - 1]->*operand, owners[random() % i]->*operand);
        }
    };
    const auto has = [](Field field) {
        return [field](const Instruction& i) { return info(i.opcode).has(field); };
    };
    deal(has(Field::row), &Instruction::row);
    deal(has(Field::mask), &Instruction::mask);
    deal(has(Field::bank), &Instruction::bank);
    deal(
        [](const Instruction& i) {
            return info(i.opcode).has(Field::opsize) && i.opcode != Opcode::ewadd;
        },
        &Instruction::opsize);
    return program;
}

std::uint64_t run(const Program& program, const Timing& timing) {
    return or_exit(simulate(program, timing, {.refresh = RefreshMode::off})).cycles;
}

struct Measured {
    double median_s = 0;
    double least_s = 0;
};

template <typename Work>
Measured measure(const Work& work) {
    double least = 1e9;
    const double median = bench::median_s([&] { least = std::min(least, bench::once_s(work)); });
    return {median, least};
}

void print(const std::string& name, std::uint64_t cycles, const Measured& measured,
           double reference_s) {
    fmt::print("{:<34} {:>10} cycles  median {:>9.1f} us  least {:>9.1f} us  {:>7.1f} M cycles/s",
               name, cycles, measured.median_s * 1e6, measured.least_s * 1e6,
               static_cast<double>(cycles) / measured.median_s / 1e6);
    if (reference_s > 0) {
        fmt::print("  reference {:.3f} s, {:.2f} M cycles/s, {:.0f} times", reference_s,
                   static_cast<double>(cycles) / reference_s / 1e6,
                   reference_s / measured.median_s);
    }
    fmt::print("\n");
}

void measure_programs(const std::string& name, const std::vector<Program>& programs,
                      const Timing& timing, double reference_s) {
    std::uint64_t cycles = 0;
    const Measured measured = measure([&] {
        cycles = 0;
        for (const Program& program : programs) cycles += run(program, timing);
    });
    print(name, cycles, measured, reference_s);
}

}  // namespace

int main() {
    const Timing timing = or_exit(read_timing(or_exit(default_timing_path())));
    const std::vector<Trace> traces = read_traces();
    std::vector<Program> fuzz;
    std::vector<Program> fuzz_dealt;
    double fuzz_reference_s = 0;
    double all_reference_s = 0;
    for (const Trace& trace : traces) {
        all_reference_s += trace.reference_cpu_s;
        if (trace.name == "qk_d128_t128k_ch32") {
            measure_programs(trace.name, {trace.program}, timing,
                             trace.reference_cpu_s - reference_startup_s);
            measure_programs("  operands dealt anew", {shuffled(trace.program, 1)}, timing, 0);
        }
        if (!trace.name.starts_with("fuzz_aim")) continue;
        fuzz.push_back(trace.program);
        fuzz_dealt.push_back(shuffled(trace.program, 2));
        fuzz_reference_s += trace.reference_cpu_s - reference_startup_s;
    }
    measure_programs("the same for 1M tokens", {scores(1u << 20)}, timing, 0);
    measure_programs("  operands dealt anew", {shuffled(scores(1u << 20), 3)}, timing, 0);
    measure_programs("8 fuzz_aim traces", fuzz, timing, fuzz_reference_s);
    measure_programs("  operands dealt anew", fuzz_dealt, timing, 0);

    std::uint64_t cycles = 0;
    const Measured all = measure([&] {
        cycles = 0;
        for (const Trace& trace : traces) {
            cycles += run(or_exit(parse_text(trace.text, trace.name)), timing);
        }
    });
    print(fmt::format("all {} traces, with parsing", traces.size()), cycles, all, all_reference_s);
    return 0;
}
