// Reads systems/timing/*.yaml.
#include "base/config.h"
#include "base/data_dir.h"
#include "dram/constant_reader.h"
#include "pim/timing.h"

namespace memside::pim {
namespace {

struct NamedConstraint {
    const char* name;
    int Timing::* value;
};

constexpr NamedConstraint constraints[] = {
    {"nBL", &Timing::nBL},
    {"nCL", &Timing::nCL},
    {"nCWL", &Timing::nCWL},
    {"nRCDRD", &Timing::nRCDRD},
    {"nRCDRDMAC", &Timing::nRCDRDMAC},
    {"nRCDEWMUL", &Timing::nRCDEWMUL},
    {"nRCDRDAF", &Timing::nRCDRDAF},
    {"nRCDRDCP", &Timing::nRCDRDCP},
    {"nRCDWR", &Timing::nRCDWR},
    {"nRCDWRCP", &Timing::nRCDWRCP},
    {"nRP", &Timing::nRP},
    {"nRAS", &Timing::nRAS},
    {"nRC", &Timing::nRC},
    {"nWR", &Timing::nWR},
    {"nRTP", &Timing::nRTP},
    {"nRRDS", &Timing::nRRDS},
    {"nRRDL", &Timing::nRRDL},
    {"nCCDS", &Timing::nCCDS},
    {"nCCDL", &Timing::nCCDL},
    {"nWTRS", &Timing::nWTRS},
    {"nWTRL", &Timing::nWTRL},
    {"nMODCH", &Timing::nMODCH},
    {"nCLREG", &Timing::nCLREG},
    {"nCWLREG", &Timing::nCWLREG},
    {"nCLGB", &Timing::nCLGB},
    {"nCWLGB", &Timing::nCWLGB},
    {"nWPRE", &Timing::nWPRE},
    {"nRTW", &Timing::nRTW},
    {"nREFI", &Timing::nREFI},
    {"nRFCab", &Timing::nRFCab},
    {"nRFCpb", &Timing::nRFCpb},
};

constexpr int max_cycles = 1'000'000;  // of one constraint

}  // namespace

Result<Timing> read_timing(const std::string& path) {
    MEMSIDE_TRY(const ConfigNode document, read_config(path));
    if (!document.is_map()) return bad_input(path, "not a map");
    MEMSIDE_CHECK(expect_keys(document, {"name", "sources", "timing"}));
    Timing timing;
    MEMSIDE_TRY(timing.name, required_text(document, "name"));
    MEMSIDE_TRY(auto section, dram::ConstantSection::open(document, "timing", timing.constants));
    std::vector<std::string> allowed = {"clock"};
    for (const NamedConstraint& constraint : constraints) allowed.emplace_back(constraint.name);
    MEMSIDE_CHECK(expect_keys(section.node(), allowed));
    MEMSIDE_TRY(const double clock_s, section.quantity("clock", Dimension::seconds));
    timing.clock_ns = clock_s * 1e9;
    if (!(timing.clock_ns > 0)) {
        return bad_input(section.node().find("clock")->where(), "'clock' must be above 0");
    }
    for (const NamedConstraint& constraint : constraints) {
        MEMSIDE_TRY(timing.*constraint.value, section.whole(constraint.name, 0, max_cycles));
    }
    return timing;
}

Result<std::string> default_timing_path() {
    MEMSIDE_TRY(const std::string data, data_dir());
    return data + "/systems/timing/gddr6-aim.yaml";
}

}  // namespace memside::pim
