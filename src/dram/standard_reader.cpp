#include "dram/standard_reader.h"

#include <algorithm>
#include <bit>

#include "base/number.h"
#include "base/text.h"
#include "dram/expression.h"

namespace memside::dram {
namespace {

constexpr int max_banks = 64;  // the controller keeps sets of banks in one word

// Which key of `organisation` counts the nodes of a level.
constexpr std::pair<std::string_view, std::string_view> level_keys[] = {
    {"pseudo_channel", "pseudo_channels"}, {"stack_id", "stack_ids"}, {"rank", "ranks"},
    {"bank_group", "bank_groups"},         {"bank", "banks"},
};

Result<std::vector<std::string>> text_list(const ConfigNode& map, std::string_view key) {
    const ConfigNode* list = map.find(key);
    std::vector<std::string> texts;
    if (list == nullptr || !list->is_list()) {
        return bad_input(map.where(), fmt::format("'{}' is missing or not a list", key));
    }
    for (const ConfigNode& item : list->items) {
        if (!item.is_scalar()) return bad_input(item.where(), "not a name");
        texts.push_back(item.scalar);
    }
    return texts;
}

Result<Command> parse_command(const std::string& text, const std::string& where) {
    for (std::size_t i = 0; i < timed_commands; ++i) {
        if (command_names[i] == text) return static_cast<Command>(i);
    }
    const std::vector<std::string> names(command_names.begin(),
                                         command_names.begin() + timed_commands);
    return bad_input(where,
                     fmt::format("unknown command {}{}", in_quotes(text), hint(text, names)));
}

Result<std::vector<Command>> command_list(const ConfigNode& map, std::string_view key) {
    MEMSIDE_TRY(const auto names, text_list(map, key));
    std::vector<Command> commands;
    for (const std::string& text : names) {
        MEMSIDE_TRY(const Command command, parse_command(text, map.where()));
        commands.push_back(command);
    }
    if (commands.empty()) return bad_input(map.where(), fmt::format("'{}' is empty", key));
    return commands;
}

Result<int> level_index(const Spec& spec, const std::string& text, const std::string& where) {
    const int found = spec.find_level(text);
    if (found <= spec.bank_level()) return found;
    std::vector<std::string> names;
    for (const Level& level : spec.levels) names.push_back(level.name);
    return bad_input(where, fmt::format("unknown level {}{}", in_quotes(text), hint(text, names)));
}

Result<TimingRule> read_rule(const ConfigNode& node, const Spec& spec) {
    if (!node.is_map()) return bad_input(node.where(), "a rule is a map");
    MEMSIDE_CHECK(
        expect_keys(node, {"rule", "at", "from", "to", "cycles", "window", "other_nodes"}));
    TimingRule rule;
    MEMSIDE_TRY(rule.name, required_text(node, "rule"));
    MEMSIDE_TRY(const std::string level, required_text(node, "at"));
    MEMSIDE_TRY(rule.level, level_index(spec, level, node.where()));
    MEMSIDE_TRY(rule.from, command_list(node, "from"));
    MEMSIDE_TRY(rule.to, command_list(node, "to"));
    MEMSIDE_TRY(rule.expression, required_text(node, "cycles"));
    MEMSIDE_TRY(rule.cycles,
                evaluate(rule.expression, spec.timing, spec.ticks_per_clock, node.where()));
    if (node.find("window") != nullptr) {
        MEMSIDE_TRY(const std::string text, required_text(node, "window"));
        MEMSIDE_TRY(const std::int64_t window, parse_integer(text, 1, 64, node.where()));
        rule.window = static_cast<int>(window);
    }
    if (node.find("other_nodes") != nullptr) {
        MEMSIDE_TRY(const std::string text, required_text(node, "other_nodes"));
        MEMSIDE_TRY(const double flag, parse_quantity(text, Dimension::flag, node.where()));
        rule.other_nodes = flag != 0;
    }
    if (rule.other_nodes && (rule.level == 0 || rule.window != 1)) {
        return bad_input(node.where(), "other_nodes needs a level below the channel and window 1");
    }
    for (const Command from : rule.from) {
        if (rule.window > 1 &&
            spec.bus_ticks[index(from)] != spec.bus_ticks[index(rule.from.front())]) {
            return bad_input(node.where(),
                             "the commands of a window must take equally long on the bus");
        }
    }
    // An all-bank command has no bank: its rules cannot be finer than its scope.
    for (const auto& commands : {rule.from, rule.to}) {
        for (const Command command : commands) {
            if (all_bank(command) && (rule.level > spec.refresh_level || rule.other_nodes)) {
                return bad_input(
                    node.where(),
                    fmt::format("a rule of {} is at '{}' or above it", name(command),
                                spec.levels[static_cast<std::size_t>(spec.refresh_level)].name));
            }
        }
    }
    return rule;
}

// `key` of the standard as an expression, 0 when it is absent.
Result<Cycle> optional_cycles(const ConfigNode& standard, std::string_view key, const Spec& spec) {
    if (standard.find(key) == nullptr) return Cycle{0};
    MEMSIDE_TRY(const std::string text, required_text(standard, key));
    return evaluate(text, spec.timing, spec.ticks_per_clock, standard.find(key)->where());
}

// A timing that nothing uses is a mistake in its name.
Status check_timing_names(const ConfigNode& document, const ConfigNode& standard,
                          const Spec& spec) {
    std::vector<std::string> used = {"clock", "nREFI", "nREFIpb"};
    const auto add = [&](std::string_view text) {
        for (std::string& name : names_in(text)) used.push_back(std::move(name));
    };
    for (const char* key : {"read_latency", "write_latency", "act2_within", "sync_lasts"}) {
        if (const ConfigNode* node = standard.find(key)) add(node->scalar);
    }
    for (const TimingRule& rule : spec.rules) add(rule.expression);
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    return expect_keys(*document.find("timing"), used);
}

// What the controller relies on.
Status check_standard(const ConfigNode& standard, const Spec& spec) {
    if (spec.separate_column_bus && (spec.act2_within > 0 || spec.sync_lasts > 0)) {
        return bad_input(standard.where(),
                         "act2_within and sync_lasts are modelled on a shared bus only");
    }
    const Level& scope = spec.levels[static_cast<std::size_t>(spec.refresh_level)];
    if (spec.banks() / scope.nodes < 2) {
        return bad_input(standard.where(), "refresh_scope must hold at least two banks");
    }
    Cycle longest = 0;
    for (const TimingRule& rule : spec.rules) longest = std::max(longest, rule.cycles);
    if (spec.refresh_interval <= 2 * longest) {
        return bad_input(standard.where(),
                         fmt::format("nREFI must be more than twice the longest rule, which takes "
                                     "{} ticks: refresh would leave no time for anything else",
                                     longest));
    }
    return {};
}

}  // namespace

std::vector<std::string> organisation_keys(const Spec& spec) {
    std::vector<std::string> keys;
    for (const auto& [level, key] : level_keys) {
        if (spec.find_level(level) <= spec.bank_level()) keys.emplace_back(key);
    }
    return keys;
}

Status read_bus(const ConfigNode& standard, Spec& spec) {
    MEMSIDE_TRY(const std::string column_bus, required_text(standard, "column_bus"));
    if (column_bus != "shared" && column_bus != "separate") {
        return bad_input(standard.where(), fmt::format("column_bus {}; allowed: shared, separate",
                                                       in_quotes(column_bus)));
    }
    spec.separate_column_bus = column_bus == "separate";
    if (standard.find("ticks_per_clock") != nullptr) {
        MEMSIDE_TRY(const std::string text, required_text(standard, "ticks_per_clock"));
        MEMSIDE_TRY(const auto ticks, parse_integer(text, 1, 2, standard.where()));
        spec.ticks_per_clock = static_cast<int>(ticks);
    }
    spec.bus_ticks.fill(spec.ticks_per_clock);
    spec.half_clock.fill(spec.ticks_per_clock == 1);
    if (const ConfigNode* ticks = standard.find("bus_ticks")) {
        if (!ticks->is_map()) return bad_input(ticks->where(), "'bus_ticks' is not a map");
        for (const auto& [key, value] : ticks->fields) {
            MEMSIDE_TRY(const Command command, parse_command(key, value.where()));
            MEMSIDE_TRY(const auto count, parse_integer(value.scalar, 1, 8, value.where()));
            spec.bus_ticks[index(command)] = static_cast<int>(count);
        }
    }
    if (standard.find("half_clock") != nullptr) {
        MEMSIDE_TRY(const auto commands, command_list(standard, "half_clock"));
        for (const Command command : commands) spec.half_clock[index(command)] = true;
    }
    return {};
}

Status read_levels(const ConfigNode& standard, ConstantSection& organisation, Spec& spec) {
    MEMSIDE_TRY(const auto names, text_list(standard, "levels"));
    spec.levels = {{"channel", 1, 0, 1}};
    for (const std::string& text : names) {
        const auto* known = std::find_if(std::begin(level_keys), std::end(level_keys),
                                         [&](const auto& entry) { return entry.first == text; });
        if (known == std::end(level_keys)) {
            std::vector<std::string> allowed;
            for (const auto& [level, key] : level_keys) allowed.emplace_back(level);
            return bad_input(standard.where(), fmt::format("unknown level {}{}", in_quotes(text),
                                                           hint(text, allowed)));
        }
        MEMSIDE_TRY(const int count, organisation.whole(known->second, 1, max_banks));
        if (!std::has_single_bit(static_cast<unsigned>(count))) {
            return bad_input(
                organisation.node().where(),
                fmt::format("'{}' is {}; allowed: a power of two", known->second, count));
        }
        spec.levels.push_back({text, count, 0, spec.levels.back().nodes * count});
    }
    if (spec.levels.back().name != "bank" || spec.banks() > max_banks) {
        return bad_input(standard.where(),
                         fmt::format("the last level must be bank, and at most {} "
                                     "banks in a channel; there are {}",
                                     max_banks, spec.banks()));
    }
    for (Level& level : spec.levels) {
        level.shift = std::countr_zero(static_cast<unsigned>(spec.banks() / level.nodes));
    }
    return {};
}

Status read_standard(const ConfigNode& document, const ConfigNode& standard, Spec& spec) {
    MEMSIDE_TRY(const std::string scope, required_text(standard, "refresh_scope"));
    MEMSIDE_TRY(spec.refresh_level, level_index(spec, scope, standard.where()));
    MEMSIDE_TRY(spec.read_latency, optional_cycles(standard, "read_latency", spec));
    MEMSIDE_TRY(spec.write_latency, optional_cycles(standard, "write_latency", spec));
    MEMSIDE_TRY(spec.act2_within, optional_cycles(standard, "act2_within", spec));
    MEMSIDE_TRY(spec.sync_lasts, optional_cycles(standard, "sync_lasts", spec));
    if (standard.find("banks_per_refpb") != nullptr) {
        MEMSIDE_TRY(const std::string text, required_text(standard, "banks_per_refpb"));
        MEMSIDE_TRY(const auto count, parse_integer(text, 1, 2, standard.where()));
        spec.banks_per_refpb = static_cast<int>(count);
    }
    const auto refi = spec.timing.find("nREFI");
    if (refi == spec.timing.end() || refi->second == 0 || spec.read_latency <= 0) {
        return bad_input(standard.where(), "nREFI and read_latency must be given and positive");
    }
    spec.refresh_interval = refi->second;
    const auto refi_bank = spec.timing.find("nREFIpb");
    if (refi_bank != spec.timing.end()) spec.refresh_bank_interval = refi_bank->second;
    const ConfigNode* rules = standard.find("rules");
    if (rules == nullptr || !rules->is_list()) {
        return bad_input(standard.where(), "'rules' is missing or not a list");
    }
    for (const ConfigNode& node : rules->items) {
        MEMSIDE_TRY(TimingRule rule, read_rule(node, spec));
        spec.rules.push_back(std::move(rule));
    }
    MEMSIDE_CHECK(check_timing_names(document, standard, spec));
    return check_standard(standard, spec);
}

}  // namespace memside::dram
