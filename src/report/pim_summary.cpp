#include "base/number.h"
#include "base/text.h"
#include "pim/instruction_table.h"
#include "pim/run_names.h"
#include "report/format.h"
#include "report/pim_run.h"
#include "report/table.h"
#include "report/text_table.h"

namespace memside {
namespace {

constexpr int bar_width = 30;
constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t number) {
    const std::string digits = fmt::format("{}", number);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return text;
}

// 1234.5 pJ -> "1.23 nJ".
std::string energy_text(double pj) {
    static constexpr const char* units[] = {"pJ", "nJ", "uJ", "mJ", "J"};
    std::size_t unit = 0;
    while (pj >= 1000 && unit + 1 < std::size(units)) {
        pj /= 1000;
        ++unit;
    }
    return fmt::format("{} {}", figure(pj), units[unit]);
}

void heading(std::string& out, const std::string& text, const std::string& detail, bool colour) {
    TextTable table({left, left});
    table.add({{text, Tone::strong}, {detail, Tone::faint}});
    out += '\n';
    out += table.render(terminal_columns, 0, colour);
}

void title(std::string& out, const PimRun& run, bool colour) {
    const std::string name = run.program.substr(run.program.rfind('/') + 1);
    const std::string refresh =
        run.options.refresh == pim::RefreshMode::off
            ? "no refresh"
            : fmt::format("{} refresh", pim::refresh_name(run.options.refresh));
    const std::string text =
        printable(fmt::format("{} on {}, {}, {}", name, run.timing.name,
                              pim::scheduler_name(run.options.scheduler), refresh));
    constexpr std::string_view kind = "modelled, not measured";
    const auto lines = wrapped(text, terminal_columns - static_cast<int>(kind.size()) - 2);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out += painted(lines[i], Tone::strong, colour);
        if (i == 0) {
            const int blanks =
                terminal_columns - display_width(lines[i]) - static_cast<int>(kind.size());
            out.append(static_cast<std::size_t>(blanks), ' ');
            out += painted(kind, Tone::faint, colour);
        }
        out += '\n';
    }
    if (run.dynamic) {
        out += painted(fmt::format("  one step at {} tokens, from {} items in {} bytes\n",
                                   grouped(run.dynamic->tokens), grouped(run.dynamic->items),
                                   grouped(run.dynamic->program_bytes)),
                       Tone::faint, colour);
    }
    out += painted(
        fmt::format("  {} instructions, {} of {} channels addressed\n", grouped(run.instructions),
                    run.addressed_channels(), pim::channel_count),
        Tone::faint, colour);
    out +=
        '\n' + painted(fmt::format("  {} cycles   {}   MAC utilisation {}   {}\n",
                                   grouped(run.result.cycles), format_seconds(run.time_ns() * 1e-9),
                                   percent(run.result.mac_utilization(run.timing)),
                                   energy_text(run.energy_pj())),
                       Tone::strong, colour);
}

void activities(std::string& out, const PimRun& run, bool colour) {
    const std::uint64_t channels = run.addressed_channels();
    if (channels == 0) return;
    heading(out, "What the channels do", "cycles of all addressed ones", colour);
    const auto cycles = run.activity_cycles();
    const auto all = static_cast<double>(run.result.cycles * channels);
    TextTable table({left, right, right, left});
    for (std::size_t i = 0; i < cycles.size(); ++i) {
        if (cycles[i] == 0) continue;
        const double share = static_cast<double>(cycles[i]) / all;
        table.add({{std::string(pim::activity_names[i].phrase)},
                   {grouped(cycles[i])},
                   {percent(share)},
                   {share_bar(share, bar_width), Tone::accent}});
    }
    out += table.render(terminal_columns, 2, colour);
}

void hub(std::string& out, const DynamicRun& run, bool colour) {
    heading(out, "The hub's processing unit",
            fmt::format("{} of the cycles, the channels wait", grouped(run.time.hub_cycles)),
            colour);
    TextTable table({left, right, right});
    for (std::size_t i = 0; i < pim::hub_op_count; ++i) {
        if (run.time.hub_calls[i] == 0) continue;
        table.add({{std::string(pim::info(static_cast<pim::HubOp>(i)).name)},
                   {fmt::format("{} times", grouped(run.time.hub_calls[i]))},
                   {format_seconds(run.time.hub_ns[i] * 1e-9)}});
    }
    out += table.render(terminal_columns, 2, colour);
}

void commands(std::string& out, const PimRun& run, bool colour) {
    const auto counts = run.result.commands();
    const auto pj = run.energy_model.command_pj();
    TextTable table({left, right, right});
    bool any = false;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        any = true;
        table.add({{std::string(pim::command_name(static_cast<pim::Command>(i)))},
                   {grouped(counts[i])},
                   {pj[i] > 0 ? fmt::format("{} each", energy_text(pj[i])) : "", Tone::faint}});
    }
    if (!any) return;
    heading(out, "Commands", "summed over channels", colour);
    out += table.render(terminal_columns, 2, colour);
}

void energy(std::string& out, const PimRun& run, bool colour) {
    const double whole = run.energy_pj();
    if (whole <= 0) return;
    heading(out, "Energy", fmt::format("{}, the whole module", energy_text(whole)), colour);
    TextTable table({left, right, right, left});
    for (const pim::EnergyEntry& entry : run.energy) {
        const double share = entry.pj / whole;
        table.add({{entry.name},
                   {energy_text(entry.pj)},
                   {percent(share)},
                   {share_bar(share, bar_width), Tone::accent}});
    }
    out += table.render(terminal_columns, 2, colour);
}

// What the literature states; nothing of it is in the cycles.
void added_hardware(std::string& out, const PimRun& run, bool colour) {
    if (run.options.scheduler != pim::Scheduler::dcs) return;
    const pim::EnergyModel& model = run.energy_model;
    heading(out, "Added hardware", "as stated in the literature", colour);
    TextTable table({left, left});
    table.add({{"dynamic command scheduling"},
               {fmt::format("{} B per controller, {} more area and {} more power of its control",
                            model.dcs_bytes_per_controller, percent(model.dcs_control_area_ratio),
                            percent(model.dcs_power_ratio))}});
    table.add(
        {{"dynamic access"},
         {fmt::format("dispatcher {} of the area, buffers under {} KB",
                      percent(model.dpa_dispatcher_area_ratio), model.dpa_buffer_bytes / 1000)}});
    out += table.render(terminal_columns, 2, colour);
}

}  // namespace

std::string summary(const PimRun& run, bool colour) {
    std::string out;
    title(out, run, colour);
    activities(out, run, colour);
    if (run.dynamic) hub(out, *run.dynamic, colour);
    commands(out, run, colour);
    energy(out, run, colour);
    added_hardware(out, run, colour);
    if (!run.result.warnings.empty()) {
        heading(out, "Warnings", "", colour);
        for (const std::string& warning : run.result.warnings) {
            for (const std::string& line : wrapped(printable(warning), terminal_columns - 2)) {
                out += fmt::format("  {}\n", painted(line, Tone::warning, colour));
            }
        }
    }
    out += '\n';
    out += painted(
        fmt::format("  {} constants are assumed; --json lists them\n", run.assumed().size()),
        Tone::faint, colour);
    return out;
}

}  // namespace memside
