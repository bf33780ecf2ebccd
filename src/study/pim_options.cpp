#include "study/pim_options.h"

#include "base/number.h"
#include "base/text.h"
#include "cluster/pim_program.h"
#include "system/system_spec.h"

namespace memside {
namespace {

// The index of the value among `allowed`, whose first is the default.
Result<std::size_t> choice(const Settings& settings, std::string_view name,
                           const std::vector<std::string>& allowed) {
    const Setting* setting = settings.find(name);
    if (setting == nullptr) return std::size_t{0};
    return parse_choice(setting->value, allowed, setting->shown());
}

Result<std::int64_t> modules(const Setting& setting) {
    return parse_integer(setting.value, 1, max_count, setting.shown());
}

Status read_parallelism(const Settings& settings, PimOptions& options) {
    const Setting* tp = settings.find("tp");
    const Setting* pp = settings.find("pp");
    const Setting* parallel = settings.find("parallel");
    if (parallel != nullptr) {
        MEMSIDE_CHECK(parse_choice(parallel->value, {"best"}, parallel->shown()));
        if (tp != nullptr || pp != nullptr) {
            return bad_input(parallel->shown(), "searches tp and pp; leave out --tp and --pp");
        }
    }
    if ((tp == nullptr) != (pp == nullptr)) {
        return bad_input((tp == nullptr ? pp : tp)->shown(),
                         "tp and pp come together: their product is the number of modules");
    }
    if (tp == nullptr) return {};
    MEMSIDE_TRY(options.tp, modules(*tp));
    MEMSIDE_TRY(options.pp, modules(*pp));
    return {};
}

Status read_program(const Settings& settings, PimOptions& options) {
    const Setting* program = settings.find("program");
    if (program == nullptr) return {};
    if (options.tp == 0) {
        return bad_input(program->shown(),
                         "is of the heads of one module: give --tp and --pp as well");
    }
    if (const Setting* reuse = settings.find("row-reuse")) {
        return bad_input(reuse->shown(), "is compiled into the program of --program");
    }
    MEMSIDE_TRY(pim::DynamicProgram read, read_attention_program(program->value));
    options.program.attention = std::make_shared<const pim::DynamicProgram>(std::move(read));
    options.program_file = program->value;
    return {};
}

}  // namespace

Result<PimOptions> read_pim_options(const Settings& settings) {
    PimOptions options;
    MEMSIDE_TRY(const std::size_t partition, choice(settings, "partition", {"tcp", "hfp"}));
    options.program.partition = partition == 0 ? PimPartition::tcp : PimPartition::hfp;
    MEMSIDE_TRY(const std::size_t scheduler,
                choice(settings, "scheduler", {"dcs", "ping-pong", "in-order"}));
    options.program.scheduler = std::array{pim::Scheduler::dcs, pim::Scheduler::ping_pong,
                                           pim::Scheduler::in_order}[scheduler];
    MEMSIDE_TRY(const std::size_t access, choice(settings, "access", {"dpa", "static"}));
    options.access = access == 0 ? PimAccess::chunks : PimAccess::reserved;
    MEMSIDE_TRY(const std::size_t hub, choice(settings, "hub", {"serial", "overlap"}));
    options.hub = hub == 0 ? PimHub::serial : PimHub::overlap;
    if (const Setting* reserve = settings.find("reserve")) {
        if (options.access != PimAccess::reserved) {
            return bad_input(reserve->shown(), "is for --access static; chunks reserve nothing");
        }
        MEMSIDE_TRY(options.reserve_tokens, parse_tokens(reserve->value, reserve->shown()));
    }
    MEMSIDE_TRY(const std::size_t reuse, choice(settings, "row-reuse", {"on", "off"}));
    options.program.row_reuse = reuse == 0;
    MEMSIDE_TRY(const std::size_t refresh, choice(settings, "refresh", {"on", "off"}));
    options.program.refresh = refresh == 0;
    MEMSIDE_CHECK(read_parallelism(settings, options));
    MEMSIDE_CHECK(read_program(settings, options));
    const std::string cache = settings.text("pim-cache").value_or("on");
    if (cache == "on") {
        options.cache_folder = default_pim_cache_folder();
    } else if (cache != "off") {
        options.cache_folder = cache;
    }
    return options;
}

}  // namespace memside
