#include "pim/worked_example.h"

#include <fmt/format.h>
#include <algorithm>

namespace memside::pim {
namespace {

int latency(char kind, const ExampleLatencies& l) {
    return kind == 'W' ? l.write : kind == 'M' ? l.mac : l.read;
}

std::string set_text(const ExampleLatencies& l) {
    return fmt::format("{}/{}/{}", l.write, l.mac, l.read);
}

}  // namespace

// In order: nCCDS after a command of the same kind, else when the one before has completed.
int static_cycles(const std::string& sequence, const ExampleLatencies& l) {
    int issue = 0;
    for (std::size_t i = 1; i < sequence.size(); ++i) {
        const bool same = sequence[i] == sequence[i - 1];
        issue += same ? l.ccds : latency(sequence[i - 1], l);
    }
    return issue + latency(sequence.back(), l);
}

// Cycle by cycle: two queues (W and R; M), a completion per input and per output.
std::vector<int> dcs_schedule(const std::string& sequence, const ExampleLatencies& l) {
    std::vector<std::size_t> transfers, computes;
    std::vector<int> input(sequence.size(), -1), output(sequence.size(), -1);
    int inputs = 0, first_input = 0, next_input = 0, outputs = 0;
    for (std::size_t i = 0; i < sequence.size(); ++i) {
        (sequence[i] == 'M' ? computes : transfers).push_back(i);
        const bool new_inputs = sequence[i] == 'W' && i > 0 && sequence[i - 1] != 'W';
        if (new_inputs) first_input = next_input = inputs;
        if (sequence[i] == 'W') input[i] = inputs++;
        if (sequence[i] == 'M') input[i] = next_input++;
        if (sequence[i] != 'W') output[i] = outputs;
        if (sequence[i] == 'R') ++outputs, next_input = first_input;
    }
    std::vector<int> issued(sequence.size(), -1);
    // An earlier command of the other queue that touches the same entry must have completed.
    const auto ready = [&](std::size_t i, int now) {
        for (std::size_t k = 0; k < i; ++k) {
            const bool other_queue = (sequence[k] == 'M') != (sequence[i] == 'M');
            const bool touches = (input[k] >= 0 && input[k] == input[i]) ||
                                 (output[k] >= 0 && output[k] == output[i]);
            if (!other_queue || !touches) continue;
            if (issued[k] < 0 || issued[k] + latency(sequence[k], l) > now) return false;
        }
        return true;
    };
    std::size_t next_transfer = 0, next_compute = 0;
    int transfer_free = 0, compute_free = 0;
    char last_transfer = ' ';
    for (int now = 0; next_transfer < transfers.size() || next_compute < computes.size(); ++now) {
        if (next_compute < computes.size() && now >= compute_free &&
            ready(computes[next_compute], now)) {
            issued[computes[next_compute++]] = now;
            compute_free = now + l.ccds;
            continue;  // the command bus is taken
        }
        if (next_transfer == transfers.size()) continue;
        const std::size_t i = transfers[next_transfer];
        // The data bus turns only when the transfer before has completed.
        const bool turns = last_transfer != ' ' && last_transfer != sequence[i];
        const int free = turns ? issued[transfers[next_transfer - 1]] + latency(last_transfer, l)
                               : transfer_free;
        if (now < free || !ready(i, now)) continue;
        issued[i] = now;
        last_transfer = sequence[i];
        transfer_free = now + l.ccds;
        ++next_transfer;
    }
    return issued;
}

int dcs_cycles(const std::string& sequence, const ExampleLatencies& l) {
    const std::vector<int> issued = dcs_schedule(sequence, l);
    int end = 0;
    for (std::size_t i = 0; i < sequence.size(); ++i) {
        end = std::max(end, issued[i] + latency(sequence[i], l));
    }
    return end;
}

std::vector<std::string> example_sequences() {
    return {
        "WWWMMMRM",
        "WWWMMMRMM",
        "WWWMMMRMMM",
        "WWWMMMRMMMR",
        "WWWMMMRMMMRMMMR",
        "WWWMMMRMMMRMMMRMMMR",
        // Three inputs more, after the first are used up.
        "WWWMMMRMMMRWWWMMMR",
    };
}

std::string worked_example_table() {
    std::string text =
        "| sequence | nCCDS | static 34 | DCS 22 | both | WR-INP/MAC/RD-OUT with both |\n"
        "|---|---|---|---|---|---|\n";
    int all = 0;
    int rows = 0;
    for (const std::string& sequence : example_sequences()) {
        for (int ccds = 1; ccds <= 4; ++ccds) {
            int statics = 0, dynamics = 0;
            std::vector<std::string> sets;
            for (int write = 1; write <= 12; ++write) {
                for (int mac = 1; mac <= 12; ++mac) {
                    for (int read = 1; read <= 12; ++read) {
                        const ExampleLatencies l{write, mac, read, ccds};
                        const bool is_static = static_cycles(sequence, l) == 34;
                        const bool is_dynamic = dcs_cycles(sequence, l) == 22;
                        statics += is_static;
                        dynamics += is_dynamic;
                        if (is_static && is_dynamic) sets.push_back(set_text(l));
                    }
                }
            }
            all += static_cast<int>(sets.size());
            ++rows;
            if (statics + dynamics == 0) continue;
            std::string list;
            for (std::size_t i = 0; i < std::min<std::size_t>(sets.size(), 6); ++i) {
                list += (i == 0 ? "" : ", ") + sets[i];
            }
            if (sets.size() > 6) list += ", ...";
            text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", sequence, ccds, statics,
                                dynamics, sets.size(), list.empty() ? "none" : list);
        }
    }
    return text + fmt::format("\nSets with both, of {} tried: {}.\n", rows * 12 * 12 * 12, all);
}

}  // namespace memside::pim
