// Reads a description of systems/dram/ and the standard it names into a Spec.
#include <bit>
#include <cmath>
#include <filesystem>

#include "base/config.h"
#include "base/data_dir.h"
#include "base/number.h"
#include "base/text.h"
#include "dram/constant_reader.h"
#include "dram/spec.h"
#include "dram/standard_reader.h"

namespace memside::dram {
namespace {

constexpr int max_cycles = 1'000'000;  // of one timing

Status read_organisation(const ConfigNode& standard, ConstantSection& organisation, Spec& spec) {
    MEMSIDE_CHECK(read_levels(standard, organisation, spec));
    MEMSIDE_TRY(spec.rows, organisation.whole("rows", 1, 1 << 24));
    MEMSIDE_TRY(spec.channel_bits, organisation.whole("channel_bits", 1, 4096));
    MEMSIDE_TRY(spec.data_rate_mtps, organisation.plain("data_rate_mtps"));
    MEMSIDE_TRY(const int burst_length, organisation.whole("burst_length", 1, 64));
    MEMSIDE_TRY(const double row_bytes, organisation.quantity("row_bytes", Dimension::bytes));
    spec.burst_bytes = spec.channel_bits / spec.level_count("pseudo_channel") * burst_length / 8;
    const double bursts = spec.burst_bytes > 0 ? row_bytes / spec.burst_bytes : 0;
    if (bursts < 1 || bursts > 65536 || bursts != std::floor(bursts) || spec.data_rate_mtps <= 0 ||
        !std::has_single_bit(static_cast<unsigned>(bursts)) ||
        !std::has_single_bit(static_cast<unsigned>(spec.burst_bytes)) ||
        !std::has_single_bit(static_cast<unsigned>(spec.rows))) {
        return bad_input(organisation.node().where(),
                         "a burst (channel_bits of one pseudo-channel x burst_length / 8), the "
                         "bursts in row_bytes, and rows must be powers of two");
    }
    spec.bursts_per_row = static_cast<int>(bursts);
    return {};
}

Status read_timing(ConstantSection& timing, Spec& spec) {
    MEMSIDE_TRY(const double clock_s, timing.quantity("clock", Dimension::seconds));
    spec.tick_ns = clock_s * 1e9 / spec.ticks_per_clock;
    for (const std::string& key : timing.keys()) {
        if (key == "clock") continue;
        MEMSIDE_TRY(const int clocks, timing.whole(key, 0, max_cycles));
        spec.timing[key] = Cycle{clocks} * spec.ticks_per_clock;
    }
    return {};
}

Status read_energy(ConstantSection& energy, EnergyModel& model) {
    MEMSIDE_CHECK(
        expect_keys(energy.node(), {"activate_pj", "read_pj", "write_pj", "refresh_all_pj",
                                    "refresh_bank_pj", "background_mw"}));
    MEMSIDE_TRY(model.activate_pj, energy.plain("activate_pj"));
    MEMSIDE_TRY(model.read_pj, energy.plain("read_pj"));
    MEMSIDE_TRY(model.write_pj, energy.plain("write_pj"));
    MEMSIDE_TRY(model.refresh_all_pj, energy.plain("refresh_all_pj"));
    MEMSIDE_TRY(model.refresh_bank_pj, energy.plain("refresh_bank_pj"));
    MEMSIDE_TRY(model.background_mw, energy.plain("background_mw"));
    return {};
}

Result<Spec> read_spec(const ConfigNode& document, const ConfigNode& standard) {
    MEMSIDE_CHECK(
        expect_keys(standard, {"standard", "levels", "column_bus", "ticks_per_clock", "half_clock",
                               "bus_ticks", "refresh_scope", "read_latency", "write_latency",
                               "act2_within", "sync_lasts", "banks_per_refpb", "rules"}));
    Spec spec;
    MEMSIDE_TRY(spec.name, required_text(document, "name"));
    MEMSIDE_TRY(spec.standard, required_text(standard, "standard"));
    MEMSIDE_CHECK(read_bus(standard, spec));
    MEMSIDE_TRY(auto organisation, ConstantSection::open(document, "organisation", spec.constants));
    MEMSIDE_CHECK(read_organisation(standard, organisation, spec));
    std::vector<std::string> allowed = {"rows", "row_bytes", "channel_bits", "data_rate_mtps",
                                        "burst_length"};
    for (std::string& key : organisation_keys(spec)) allowed.push_back(std::move(key));
    MEMSIDE_CHECK(expect_keys(organisation.node(), allowed));
    MEMSIDE_TRY(auto timing, ConstantSection::open(document, "timing", spec.constants));
    MEMSIDE_CHECK(read_timing(timing, spec));
    MEMSIDE_CHECK(read_standard(document, standard, spec));
    MEMSIDE_TRY(auto energy, ConstantSection::open(document, "energy", spec.constants));
    MEMSIDE_CHECK(read_energy(energy, spec.energy));
    return spec;
}

Result<std::string> dram_folder() {
    MEMSIDE_TRY(const std::string data, data_dir());
    return data + "/systems/dram";
}

// The file of the document's standard: in standards/ beside the document, else the one shipped.
Result<std::string> find_standard(const ConfigNode& document, const std::string& path) {
    MEMSIDE_TRY(const std::string standard, required_text(document, "standard"));
    std::vector<std::string> folders = {
        (std::filesystem::path(path).parent_path() / "standards").string()};
    if (const auto shipped = dram_folder(); shipped.ok()) {
        folders.push_back(*shipped + "/standards");
    }
    std::vector<std::string> names;
    for (const std::string& folder : folders) {
        for (const std::string& entry : list_folder(folder)) {
            if (!entry.ends_with(".yaml")) continue;
            names.push_back(entry.substr(0, entry.size() - 5));
            if (names.back() == standard) return folder + "/" + entry;
        }
    }
    return bad_input(
        document.find("standard")->where(),
        fmt::format("unknown standard {}{}", in_quotes(standard), hint(standard, names)));
}

}  // namespace

std::vector<std::string> spec_names() {
    std::vector<std::string> names;
    const auto folder = dram_folder();
    if (!folder.ok()) return names;
    for (const std::string& entry : list_folder(*folder)) {
        if (entry.ends_with(".yaml")) names.push_back(entry.substr(0, entry.size() - 5));
    }
    return names;
}

Result<Spec> load_spec(const std::string& name_or_path) {
    std::string path = name_or_path;
    if (!path.ends_with(".yaml")) {
        const std::vector<std::string> names = spec_names();
        if (std::find(names.begin(), names.end(), name_or_path) == names.end()) {
            return bad_input("", fmt::format("unknown DRAM {}{}", in_quotes(name_or_path),
                                             hint(name_or_path, names)));
        }
        MEMSIDE_TRY(const std::string folder, dram_folder());
        path = fmt::format("{}/{}.yaml", folder, name_or_path);
    }
    MEMSIDE_TRY(const ConfigNode document, read_config(path));
    if (!document.is_map()) return bad_input(path, "not a map");
    MEMSIDE_CHECK(
        expect_keys(document, {"name", "standard", "sources", "organisation", "timing", "energy"}));
    MEMSIDE_TRY(const std::string standard_path, find_standard(document, path));
    MEMSIDE_TRY(const ConfigNode standard, read_config(standard_path));
    if (!standard.is_map()) return bad_input(standard.where(), "not a map");
    return read_spec(document, standard);
}

}  // namespace memside::dram
