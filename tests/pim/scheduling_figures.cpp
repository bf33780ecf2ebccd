#include "pim/scheduling_figures.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "pim/golden_files.h"
#include "pim/kernels/qk.h"
#include "pim/kernels/sv.h"
#include "pim/overlap_programs.h"
#include "pim/random_program.h"
#include "pim/score_programs.h"
#include "pim/simulation.h"
#include "pim/worked_example.h"

namespace memside::pim {
namespace {

constexpr std::array<Scheduler, 3> all_schedulers = {Scheduler::in_order, Scheduler::ping_pong,
                                                     Scheduler::dcs};

SimulationResult run(const Program& program, Scheduler scheduler, RefreshMode refresh,
                     bool handover = false) {
    SimulationOptions options;
    options.scheduler = scheduler;
    options.refresh = refresh;
    options.dcs_handover = handover;
    return *simulate(program, shipped_timing(), options);
}

std::string utilization(const ScoreShape& shape, Scheduler scheduler, RefreshMode refresh,
                        bool handover = false) {
    const auto result = run(score_program(shape), scheduler, refresh, handover);
    return fmt::format("{:.1f}", 100 * result.mac_utilization(shipped_timing()));
}

}  // namespace

std::string score_table() {
    std::string text =
        "| order | tokens | refresh | in-order % | ping-pong % | dcs % | dcs, handover % |\n"
        "|---|---|---|---|---|---|---|\n";
    for (const std::uint32_t tokens : {8192u, 131072u}) {
        for (const RefreshMode refresh : {RefreshMode::off, RefreshMode::all_bank}) {
            for (std::size_t order = 0; order < score_order_count; ++order) {
                ScoreShape shape;
                shape.tokens = tokens;
                shape.order = static_cast<ScoreOrder>(order);
                text += fmt::format("| {} | {} | {} |", name_of(shape.order), tokens,
                                    refresh == RefreshMode::off ? "off" : "on");
                for (const Scheduler scheduler : all_schedulers) {
                    text += fmt::format(" {} |", utilization(shape, scheduler, refresh));
                }
                text += fmt::format(" {} |\n", utilization(shape, Scheduler::dcs, refresh, true));
            }
        }
    }
    return text;
}

std::string gqa_table() {
    std::string text =
        "| order | g | row reuse | in-order % | ping-pong % | dcs % | ACT16 per channel |\n"
        "|---|---|---|---|---|---|---|\n";
    for (const ScoreOrder order : {ScoreOrder::artifact, ScoreOrder::halves, ScoreOrder::whole}) {
        for (const std::uint32_t queries : {1u, 2u, 4u, 8u}) {
            for (const bool reuse : {false, true}) {
                const ScoreShape shape{8192, queries, reuse, order};
                text +=
                    fmt::format("| {} | {} | {} |", name_of(order), queries, reuse ? "yes" : "no");
                SimulationResult last;
                for (const Scheduler scheduler : all_schedulers) {
                    last = run(score_program(shape), scheduler, RefreshMode::off);
                    text += fmt::format(" {:.1f} |", 100 * last.mac_utilization(shipped_timing()));
                }
                const auto act16 = static_cast<std::size_t>(Command::act16);
                text += fmt::format(" {} |\n", last.channels[0].commands[act16]);
            }
        }
    }
    return text;
}

std::string activity_table() {
    std::string text =
        "| order | scheduler | MAC | row | GBuf transfer | output transfer | mode switch | waiting "
        "|\n|---|---|---|---|---|---|---|---|\n";
    for (const ScoreOrder order : {ScoreOrder::artifact, ScoreOrder::halves, ScoreOrder::whole}) {
        for (const Scheduler scheduler : all_schedulers) {
            const ScoreShape shape{8192, 1, false, order};
            const auto result = run(score_program(shape), scheduler, RefreshMode::off);
            constexpr std::array<std::string_view, 3> names = {"in-order", "ping-pong", "dcs"};
            text += fmt::format("| {} | {} |", name_of(order),
                                names[static_cast<std::size_t>(scheduler)]);
            for (const Activity activity :
                 {Activity::mac, Activity::row, Activity::gbuf_transfer, Activity::output_transfer,
                  Activity::mode_switch, Activity::waiting}) {
                const auto cycles =
                    result.channels[0].activity_cycles[static_cast<std::size_t>(activity)];
                text += fmt::format(" {:.1f} |", 100.0 * static_cast<double>(cycles) /
                                                     static_cast<double>(result.cycles));
            }
            text += '\n';
        }
    }
    return text;
}

std::string kernel_table() {
    std::string text =
        "| kernel | head dim | g | row reuse | in-order % | ping-pong % | dcs % | in-order / dcs "
        "|\n"
        "|---|---|---|---|---|---|---|---|\n";
    for (const bool scores : {true, false}) {
        for (const std::uint32_t head_dim : {64u, 128u, 256u}) {
            for (const auto& [queries, reuse] :
                 std::vector<std::pair<std::uint32_t, bool>>{{1, false}, {8, false}, {8, true}}) {
                Program program;
                if (scores) {
                    QkOptions options;
                    options.registers = Registers::reused;
                    options.row_reuse = reuse;
                    program = make_qk({head_dim, 32768, queries}, options)->program;
                } else {
                    SvOptions options;
                    options.registers = Registers::reused;
                    options.row_reuse = reuse;
                    program = make_sv({head_dim, 32768, queries}, options)->program;
                }
                text += fmt::format("| {} | {} | {} | {} |", scores ? "QK^T" : "SV", head_dim,
                                    queries, reuse ? "yes" : "no");
                std::array<double, 3> cycles{};
                for (const Scheduler scheduler : all_schedulers) {
                    const auto result = run(program, scheduler, RefreshMode::off);
                    cycles[static_cast<std::size_t>(scheduler)] =
                        static_cast<double>(result.cycles);
                    text +=
                        fmt::format(" {:.1f} |", 100 * result.mac_utilization(shipped_timing()));
                }
                text += fmt::format(" {:.2f} |\n", cycles[0] / cycles[2]);
            }
        }
    }
    return text;
}

std::string comparison_table() {
    std::string text =
        "| channels | host accesses % | against in-order | programs | slower | longest, of "
        "in-order | "
        "mean speed-up |\n|---|---|---|---|---|---|---|\n";
    constexpr std::uint64_t programs = 300;
    for (const auto& [channels, host] :
         std::vector<std::pair<unsigned, double>>{{1, 0.0}, {4, 0.0}, {1, 0.3}, {1, 0.9}}) {
        std::array<std::uint64_t, 3> slower{};
        std::array<double, 3> worst{}, sum{};
        for (std::uint64_t seed = 1; seed <= programs; ++seed) {
            RandomProgramOptions shape;
            shape.seed = seed;
            shape.instructions = 100;
            shape.channels = channels;
            shape.host = host;
            Program program;
            program.instructions = random_program(shape);
            std::array<double, 3> cycles{};
            for (const Scheduler scheduler : all_schedulers) {
                const auto result = run(program, scheduler, RefreshMode::off);
                cycles[static_cast<std::size_t>(scheduler)] = static_cast<double>(result.cycles);
            }
            for (std::size_t i = 1; i < 3; ++i) {
                slower[i] += cycles[i] > cycles[0];
                worst[i] = std::max(worst[i], cycles[i] / cycles[0]);
                sum[i] += cycles[0] / cycles[i];
            }
        }
        for (std::size_t i = 1; i < 3; ++i) {
            text += fmt::format("| {} | {:.0f} | {} | {} | {} | {:.3f} | {:.2f} |\n", channels,
                                100 * host, i == 1 ? "ping-pong" : "dcs", programs, slower[i],
                                worst[i], sum[i] / programs);
        }
    }
    return text;
}

std::string golden_table() {
    std::string text =
        "| trace | in-order cycles | ping-pong | dcs | longer |\n|---|---|---|---|---|\n";
    std::size_t traces = 0, longer = 0;
    for (const GoldenTrace& trace : read_golden_traces()) {
        Program program;
        program.instructions = trace.instructions;
        std::array<std::uint64_t, 3> cycles{};
        for (const Scheduler scheduler : all_schedulers) {
            cycles[static_cast<std::size_t>(scheduler)] =
                run(program, scheduler, RefreshMode::off).cycles;
        }
        ++traces;
        const bool ping_pong = cycles[1] > cycles[0], dcs = cycles[2] > cycles[0];
        if (!ping_pong && !dcs) continue;
        ++longer;
        text +=
            fmt::format("| {} | {} | {} | {} | {} |\n", trace.name, cycles[0], cycles[1], cycles[2],
                        ping_pong && dcs ? "both"
                        : dcs            ? "dcs"
                                         : "ping-pong");
    }
    return text + fmt::format("\n{} of {} traces.\n", longer, traces);
}

std::vector<std::pair<std::string, std::string>> scheduling_figures() {
    return {{"worked example", worked_example_table()},
            {"scores", score_table()},
            {"gqa", gqa_table()},
            {"activity", activity_table()},
            {"kernels", kernel_table()},
            {"comparison", comparison_table()},
            {"golden", golden_table()}};
}

}  // namespace memside::pim
