#include "pim/schedule_drawing.h"

#include <fmt/format.h>
#include <array>

#include "pim/command_traits.h"

namespace memside::pim {
namespace {

constexpr std::size_t width = 80;

struct Mark {
    std::size_t lane;
    char letter;
};

constexpr std::array<std::string_view, 4> lane_names = {"transfer", "compute", "rows", "mode"};

Mark mark_of(Command command) {
    using enum Command;
    switch (command) {
        case wrgb:
            return {0, 'W'};
        case wrmac16:
            return {0, 'B'};
        case rdmac16:
            return {0, 'R'};
        case rdaf16:
            return {0, 'F'};
        case mac16:
        case mac:
            return {1, 'M'};
        case af16:
            return {1, 'A'};
        case act16:
        case act:
            return {2, 'O'};
        case prea:
        case pre:
            return {2, 'C'};
        case tmod:
            return {3, 'T'};
        default:
            return {1, '?'};
    }
}

Instruction transfer(Opcode opcode, std::uint32_t gpr, std::uint32_t out) {
    return {.opcode = opcode, .out = out, .mask = 1, .gpr = gpr};
}

Instruction mac_of(std::uint32_t row, std::uint32_t count, std::uint16_t gbuf, std::uint32_t out) {
    return {.opcode = Opcode::mac_abk,
            .gbuf = gbuf,
            .out = out,
            .opsize = count,
            .mask = 1,
            .row = row};
}

// The worked example of the paper: three inputs, two outputs of three MACs each.
Program gemv() {
    return {.instructions = {{.opcode = Opcode::wr_gb, .opsize = 3, .mask = 1},
                             transfer(Opcode::wr_bias, 3, 0),
                             mac_of(0, 3, 0, 0),
                             transfer(Opcode::rd_mac, 8, 0),
                             transfer(Opcode::wr_bias, 3, 1),
                             mac_of(0, 3, 0, 1),
                             transfer(Opcode::rd_mac, 9, 1)},
            .loops = {},
            .strides = {}};
}

// Two rows, the second's inputs and sums in the other half of each buffer.
Program two_rows() {
    return {.instructions = {{.opcode = Opcode::wr_gb, .opsize = 8, .mask = 1},
                             transfer(Opcode::wr_bias, 16, 0),
                             mac_of(0, 8, 0, 0),
                             {.opcode = Opcode::wr_gb, .gbuf = 32, .opsize = 8, .mask = 1},
                             transfer(Opcode::wr_bias, 16, 1),
                             mac_of(1, 8, 32, 1),
                             transfer(Opcode::rd_mac, 17, 0),
                             transfer(Opcode::rd_mac, 18, 1)},
            .loops = {},
            .strides = {}};
}

}  // namespace

std::string draw_schedule(const Program& program, const Timing& timing, Scheduler scheduler) {
    SimulationOptions options;
    options.scheduler = scheduler;
    options.refresh = RefreshMode::off;
    options.record_trace = true;
    const auto run = simulate(program, timing, options);
    if (!run.ok()) return run.error().message();
    const std::size_t lines = (run->cycles + width - 1) / width;
    std::array<std::string, lane_names.size()> drawn;
    drawn.fill(std::string(lines * width, '.'));
    for (const TraceEvent& event : run->trace) {
        if (event.channel != 31) continue;
        const Mark mark = mark_of(event.command);
        for (std::uint32_t k = 0; k < event.repeats; ++k) {
            drawn[mark.lane][event.start - 1 + k * static_cast<std::size_t>(timing.nCCDS)] =
                mark.letter;
        }
    }
    std::string text =
        fmt::format("{} cycles. W WRGB, B WRMAC16, R RDMAC16, M MAC16, O ACT16, C PREA, T TMOD.\n",
                    run->cycles);
    for (std::size_t line = 0; line < lines; ++line) {
        const std::size_t first = line * width;
        text += fmt::format("\n{:<9}", fmt::format("{}", first + 1));
        for (std::size_t c = 1; c <= width; ++c) text += c % 10 == 0 ? '|' : ' ';
        text += '\n';
        for (std::size_t lane = 0; lane < drawn.size(); ++lane) {
            text += fmt::format("{:<9}{}\n", lane_names[lane], drawn[lane].substr(first, width));
        }
    }
    return text;
}

std::vector<Drawing> schedule_drawings() {
    std::vector<Drawing> drawings;
    const std::array<std::pair<std::string_view, Scheduler>, 3> schedulers = {
        {{"in-order", Scheduler::in_order},
         {"ping-pong", Scheduler::ping_pong},
         {"dcs", Scheduler::dcs}}};
    for (const auto& [name, scheduler] : schedulers) {
        drawings.push_back({fmt::format("gemv-{}", name), gemv(), scheduler});
        drawings.push_back({fmt::format("two-rows-{}", name), two_rows(), scheduler});
    }
    return drawings;
}

}  // namespace memside::pim
