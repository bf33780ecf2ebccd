#include "pnm/pnm_tables.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "dram/stream.h"
#include "pnm/attention_reference.h"
#include "pnm/devices.h"
#include "pnm/operation_table.h"

namespace memside::pnm {
namespace {

constexpr double us = 1e6;

std::string operations_table(const Devices& devices) {
    static constexpr const char* accesses[] = {"read in sequence", "read by pieces",
                                               "written in sequence", "written by pieces"};
    std::string table =
        "| kernel | stage | unit | elements | per cycle | DRAM access "
        "|\n|---|---|---|---|---|---|\n";
    for (const OperationRow& row : operation_table()) {
        std::string work;
        for (const Extent extent : row.work) {
            work += fmt::format("{}{}", work.empty() ? "" : " x ", extent_name(extent));
        }
        table += fmt::format(
            "| {} | {} | {} | {} | {:.0f} | {} |\n",
            kernel_names[static_cast<std::size_t>(row.kernel)], row.stage,
            unit_names[index(row.unit)], work, elements_per_cycle(row.rate, devices.spec),
            row.unit == Unit::dram ? accesses[static_cast<std::size_t>(row.access)] : "");
    }
    return table;
}

std::string balance_table(const Devices& devices) {
    const Devices peak(peak_rates);
    std::string table =
        "| model | heads per KV head | arithmetic / memory time at peak rates | multipliers (us) | "
        "DRAM (us) | ratio | kernel (us) | bound | roofline with efficiencies (us) | deviation | "
        "power (W) |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (const StudiedModel& model : studied_models) {
        const Operation op = attention_of(model, 1, 32768);
        const OperationCost at_peak = *peak.roofline->cost(op);
        const double ratio = at_peak.flops /
                             (2 * devices.spec.lanes * devices.spec.tiles * devices.spec.clock_hz) /
                             (at_peak.bytes / devices.spec.dram_bytes_per_s);
        const KernelTime time = devices.time(op);
        const OperationCost cost = *devices.simulated->cost(op);
        const double roofline_s = devices.roofline->cost(op)->time_s;
        const double multipliers_s = time.busy_s[index(Unit::multipliers)];
        const double dram_s = time.busy_s[index(Unit::dram)];
        table += fmt::format(
            "| {} | {:.0f} | {:.2f} | {:.1f} | {:.1f} | {:.2f} | {:.1f} | {} | {:.1f} | {:+.1f} % "
            "| "
            "{:.0f} |\n",
            model.name, model.query_heads / studied_kv_heads, ratio, multipliers_s * us,
            dram_s * us, multipliers_s / dram_s, cost.time_s * us, unit_names[index(time.busiest)],
            roofline_s * us, 100 * (cost.time_s / roofline_s - 1),
            devices.simulated->idle_power_w() + cost.energy_j / cost.time_s);
    }
    return table;
}

std::string layer_table(const Devices& devices) {
    std::string table =
        "| model | kernel | time (us) | start and fill (us) | DRAM (us) | SRAM port (us) | "
        "multipliers (us) | comparators (us) | SFU (us) | sorter (us) |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n";
    const double requests = 12;
    const double context = 131072;
    for (const StudiedModel& model : studied_models) {
        const std::pair<const char*, Operation> kernels[] = {
            {"append", append_of(requests)},
            {"score", scan_of(model, requests, context)},
            {"top-k, one request", TopK{context / studied_page, context / 4 / studied_page}},
            {"attention", attention_of(model, requests, context / 4)}};
        for (const auto& [name, op] : kernels) {
            const KernelTime time = devices.time(op);
            table += fmt::format("| {} | {} | {:.2f} | {:.2f} |", model.name, name,
                                 time.time_s * us, (time.start_s + time.fill_s) * us);
            for (const double busy_s : time.busy_s) table += fmt::format(" {:.2f} |", busy_s * us);
            table += "\n";
        }
    }
    return table;
}

std::string mapping_table(const Devices& devices) {
    static constexpr std::uint64_t kib = 1024;
    std::string table =
        "| mapping | refresh | sweep | pieces of 8 KiB | 32 KiB | 64 KiB | 128 KiB | 512 KiB |\n"
        "|---|---|---|---|---|---|---|---|\n";
    const auto add = [&](const std::string& mapping, dram::RefreshMode refresh) {
        table += fmt::format("| {} | {} |", mapping,
                             refresh == dram::RefreshMode::per_bank ? "per-bank" : "all-bank");
        for (const std::uint64_t piece :
             {0 * kib, 8 * kib, 32 * kib, 64 * kib, 128 * kib, 512 * kib}) {
            dram::StreamRequest request;
            request.pattern = piece == 0 ? dram::Pattern::sequential : dram::Pattern::pages;
            request.page_bytes = piece;
            request.bytes = 128 * kib * kib;
            request.channels = devices.spec.dram_channels;
            request.mapping = mapping;
            request.refresh = refresh;
            const auto result = dram::simulate_stream(devices.dram->spec(), request);
            table += fmt::format(" {:.1f} % |", 100 * result.value().efficiency);
        }
        table += "\n";
    };
    add(pnm_mapping, dram::RefreshMode::per_bank);
    add(pnm_mapping, dram::RefreshMode::all_bank);
    for (const char* mapping : {"RoRaBaCoBg1ChBg1Co3", "RoRaBaCoBgChCo3", "RoRaBaCoChBgCo1",
                                "RoRaBaBgCoChCo3", "RoRaBaChBgCo"}) {
        add(mapping, dram::RefreshMode::per_bank);
    }
    return table;
}

std::string error_table() {
    std::string table =
        "| head dim | page (tokens) | tokens | largest score, its products all positive | largest "
        "error of 4 heads | bound |\n"
        "|---|---|---|---|---|---|\n";
    for (const std::size_t dim : {64U, 128U, 256U}) {
        for (const std::size_t tokens : {100U, 1000U, 8000U}) {
            RandomValues random(tokens + dim);
            const KvShape shape{4, 1, dim, 32};
            const KvPages pages = random.pages(shape, tokens, 2.0, 1.0);
            const std::vector<Half> queries = random.halves(4 * dim, 2.0);
            std::vector<std::int32_t> all(pages.pages());
            std::iota(all.begin(), all.end(), 0);
            const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
            const auto heads = attend(pages, queries, all, scale);
            double error = 0;
            double bound = 0;
            double score = 0;
            for (std::size_t head = 0; head < heads.size(); ++head) {
                const Reference exact =
                    reference(pages, std::span(queries).subspan(head * dim, dim), 0, all,
                              static_cast<double>(scale));
                error = std::max(error, largest_error(finish(heads[head]), exact));
                bound = std::max(bound, bound_of(exact, blocks_of(tokens)));
                score = std::max(score, exact.score_magnitude);
            }
            table += fmt::format("| {} | {} | {} | {:.0f} | {:.1e} | {:.1e} |\n", dim,
                                 shape.page_tokens, tokens, score, error, bound);
        }
    }
    return table;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> generated_tables() {
    const Devices devices;
    return {{"operations", operations_table(devices)},
            {"balance", balance_table(devices)},
            {"layer", layer_table(devices)},
            {"mapping", mapping_table(devices)},
            {"error", error_table()}};
}

std::string with_tables(const std::string& document) {
    std::string result = document;
    for (const auto& [name, table] : generated_tables()) {
        const std::string begin = fmt::format("<!-- {}: begin -->\n", name);
        const std::string end = fmt::format("<!-- {}: end -->", name);
        const std::size_t from = result.find(begin);
        const std::size_t to = result.find(end);
        if (from == std::string::npos || to == std::string::npos) return "";
        result = result.substr(0, from + begin.size()) + table + result.substr(to);
    }
    return result;
}

}  // namespace memside::pnm
