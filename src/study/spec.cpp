#include "study/spec.h"

#include <set>

#include "base/parallel.h"
#include "base/text.h"
#include "study/simulation_options.h"
#include "system/catalog.h"

namespace memside {
namespace {

// Names that a spec may give.
std::vector<std::string> option_names() {
    std::vector<std::string> names;
    for (const SimulationOptionGroup& group : simulation_options()) {
        for (const SimulationOption& option : group.options) {
            if (!option.repeated) names.emplace_back(option.name);
        }
    }
    return names;
}

Result<std::string> setting_name(const std::string& key, const std::string& where) {
    if (key.find('.') != std::string::npos) return key;
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == "threads") return bad_input(where, "'threads' is not a point's; --jobs sets it");
    const std::vector<std::string> names = option_names();
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
    const std::string near = nearest(name, names);
    return bad_input(where,
                     fmt::format("unknown setting {}{}", in_quotes(key),
                                 near.empty() ? "; allowed: the options of simulate without their "
                                                "dashes, and --set names such as gpu.price"
                                              : fmt::format("; did you mean '{}'?", near)));
}

Status must_be(const ConfigNode& node, ConfigNode::Kind kind, std::string_view what,
               std::string_view shown) {
    if (node.kind == kind) return {};
    return bad_input(node.where(), fmt::format("'{}' must be {}", what, shown));
}

Status put_scalar(const std::string& key, const ConfigNode& value, std::vector<Setting>& out) {
    MEMSIDE_TRY(std::string name, setting_name(key, value.where()));
    if (!value.is_scalar()) {
        return bad_input(value.where(), fmt::format("{} must have one value here; 'grid' and "
                                                    "'list' take several",
                                                    in_quotes(key)));
    }
    out.push_back({std::move(name), value.scalar, value.where()});
    return {};
}

// `base`, and `set` as a map.
Status read_fixed(const ConfigNode& map, std::string_view what, std::vector<Setting>& out) {
    MEMSIDE_CHECK(must_be(map, ConfigNode::Kind::map, what, "a map of names and values"));
    for (const auto& [key, value] : map.fields) MEMSIDE_CHECK(put_scalar(key, value, out));
    return {};
}

// `set`: a map, or texts as --set takes them.
Status read_set(const ConfigNode& node, std::vector<Setting>& out) {
    std::vector<Setting> read;
    if (!node.is_list()) {
        MEMSIDE_CHECK(read_fixed(node, "set", read));
    }
    for (const ConfigNode& item : node.items) {
        const std::size_t equals = item.scalar.find('=');
        if (!item.is_scalar() || equals == std::string::npos || equals == 0) {
            return bad_input(item.where(), "an entry of 'set' must be of the form key=value");
        }
        read.push_back(
            {item.scalar.substr(0, equals), item.scalar.substr(equals + 1), item.where()});
    }
    for (Setting& setting : read) {
        if (!setting.is_set()) {
            return bad_input(setting.where,
                             fmt::format("{} is no --set name; expected role.key, such as "
                                         "gpu.price",
                                         in_quotes(setting.name)));
        }
        out.push_back(std::move(setting));
    }
    return {};
}

// A swept key and its values; one value counts as a list of one.
struct Axis {
    std::string name;
    std::vector<Setting> values;
};

Result<std::vector<Axis>> read_axes(const ConfigNode& map) {
    std::vector<Axis> axes;
    for (const auto& [key, node] : map.fields) {
        MEMSIDE_TRY(std::string name, setting_name(key, node.where()));
        Axis axis{std::move(name), {}};
        const auto same = [&](const Axis& other) { return other.name == axis.name; };
        if (std::any_of(axes.begin(), axes.end(), same)) {
            return bad_input(node.where(), fmt::format("'{}' is given twice", axis.name));
        }
        const std::vector<ConfigNode> one{node};
        const std::vector<ConfigNode>& items = node.is_list() ? node.items : one;
        if (items.empty()) {
            return bad_input(node.where(), fmt::format("'{}' has no value", axis.name));
        }
        for (const ConfigNode& item : items) {
            if (!item.is_scalar()) {
                return bad_input(item.where(),
                                 fmt::format("a value of '{}' must be a plain text", axis.name));
            }
            axis.values.push_back({axis.name, item.scalar, item.where()});
        }
        axes.push_back(std::move(axis));
    }
    return axes;
}

// Every combination, the last axis running fastest.
Result<std::vector<std::vector<Setting>>> combinations(const std::vector<Axis>& axes,
                                                       const std::string& where) {
    std::vector<std::vector<Setting>> all{{}};
    for (const Axis& axis : axes) {
        if (all.size() * axis.values.size() > max_points) {
            return bad_input(where, fmt::format("more than {} points", max_points));
        }
        std::vector<std::vector<Setting>> longer;
        for (const std::vector<Setting>& some : all) {
            for (const Setting& value : axis.values) {
                longer.push_back(some);
                longer.back().push_back(value);
            }
        }
        all = std::move(longer);
    }
    return all;
}

void add_keys(const std::vector<Axis>& axes, std::vector<std::string>& keys) {
    for (const Axis& axis : axes) {
        if (std::find(keys.begin(), keys.end(), axis.name) == keys.end()) {
            keys.push_back(axis.name);
        }
    }
}

// Whether the point's policy or system has a use for a setting. What cannot be decided, because the
// policy or the system is not known, is for read_request to refuse.
bool is_used(const Setting& setting, const Policy* policy, const SystemSpec* system) {
    if (!setting.is_set()) {
        const SimulationOptionGroup* group = option_group(setting.name);
        return policy == nullptr || group->read_by == nullptr || group->read_by(*policy);
    }
    const std::string role = setting.name.substr(0, setting.name.find('.'));
    if (role == "scores") return policy == nullptr || policy->may_select_pages();
    return system == nullptr || find_role(role) == nullptr || system->has(role);
}

class Expansion {
  public:
    Result<PointSet> expand(const ConfigNode& map) {
        std::vector<Setting> fixed;
        if (const ConfigNode* base = map.find("base")) {
            MEMSIDE_CHECK(read_fixed(*base, "base", fixed));
        }
        if (const ConfigNode* set = map.find("set")) MEMSIDE_CHECK(read_set(*set, fixed));
        std::vector<std::vector<Setting>> entries;
        if (const ConfigNode* list = map.find("list")) {
            MEMSIDE_TRY(entries, read_list(*list));
        } else {
            entries.emplace_back();
        }
        std::vector<Axis> grid;
        if (const ConfigNode* node = map.find("grid")) {
            MEMSIDE_CHECK(must_be(*node, ConfigNode::Kind::map, "grid", "a map of lists"));
            MEMSIDE_TRY(grid, read_axes(*node));
        }
        add_keys(grid, set_.keys);
        MEMSIDE_TRY(const auto combined, combinations(grid, map.where()));
        if (entries.size() * combined.size() > max_points) {
            return bad_input(map.where(), fmt::format("more than {} points", max_points));
        }
        for (const std::vector<Setting>& entry : entries) {
            for (const std::vector<Setting>& some : combined) {
                add_point(map.file, {fixed, entry, some});
            }
        }
        MEMSIDE_CHECK(drop_unused_settings(set_));
        MEMSIDE_CHECK(check_points(set_));
        return std::move(set_);
    }

  private:
    Result<std::vector<std::vector<Setting>>> read_list(const ConfigNode& list) {
        MEMSIDE_CHECK(must_be(list, ConfigNode::Kind::list, "list", "a list of maps"));
        std::vector<std::vector<Setting>> entries;
        if (list.items.empty()) return bad_input(list.where(), "'list' has no entry");
        for (const ConfigNode& item : list.items) {
            MEMSIDE_CHECK(must_be(item, ConfigNode::Kind::map, "an entry of list", "a map"));
            MEMSIDE_TRY(const std::vector<Axis> axes, read_axes(item));
            add_keys(axes, set_.keys);
            MEMSIDE_TRY(const auto some, combinations(axes, item.where()));
            entries.insert(entries.end(), some.begin(), some.end());
            if (entries.size() > max_points) {
                return bad_input(item.where(), fmt::format("more than {} points", max_points));
            }
        }
        return entries;
    }

    void add_point(const std::string& file, const std::vector<std::vector<Setting>>& layers) {
        Point point;
        point.settings.file = file;
        for (const std::vector<Setting>& layer : layers) {
            for (const Setting& setting : layer) point.settings.put(setting);
        }
        // A key of other points has no value here, even when `base` gives one: the cell is then
        // what the point runs with.
        for (const std::string& key : set_.keys) {
            point.swept.push_back(point.settings.text(key).value_or(""));
        }
        set_.points.push_back(std::move(point));
    }

    PointSet set_;
};

}  // namespace

// Takes from every point what it has no use for, and refuses what no point uses.
Status drop_unused_settings(PointSet& set) {
    std::map<std::string, std::optional<SystemSpec>> systems;
    std::map<std::string, Setting> unused;  // by place
    std::set<std::string> used;
    for (Point& point : set.points) {
        const std::string policy_name = point.settings.text("policy").value_or("");
        const Result<const Policy*> policy = find_policy(policy_name);
        const std::string name = point.settings.text("system").value_or("");
        if (!systems.contains(name)) {
            Result<SystemSpec> system = load_system(name, {});
            systems[name] = system.ok() ? std::optional(std::move(*system)) : std::nullopt;
        }
        const std::optional<SystemSpec>& system = systems[name];
        std::erase_if(point.settings.list, [&](const Setting& setting) {
            const bool is =
                is_used(setting, policy.ok() ? *policy : nullptr, system ? &*system : nullptr);
            // By name as well: one line may hold several.
            const std::string key = setting.shown();
            if (is) {
                used.insert(key);
            } else {
                unused.emplace(key, setting);
            }
            return !is;
        });
    }
    for (const auto& [key, setting] : unused) {
        if (used.contains(key)) continue;
        return bad_input(setting.shown(),
                         setting.is_set()
                             ? "no point has a use for it: no system has the part, or no "
                               "policy selects pages"
                             : fmt::format("no point has a use for it; it is for policy {}",
                                           join(readers_of(*option_group(setting.name)), ", ")));
    }
    return {};
}

// Reads every point once: what is wrong is said before anything runs.
Status check_points(const PointSet& set) {
    std::vector<Status> read(set.points.size());
    parallel_for(set.points.size(), 0, [&](std::size_t i) {
        const auto request = read_request(set.points[i].settings);
        if (!request.ok()) read[i] = request.error();
    });
    for (const Status& status : read) MEMSIDE_CHECK(status);
    return {};
}

const std::string& PointSet::value(std::size_t point, std::string_view key) const {
    const auto found = std::find(keys.begin(), keys.end(), key);
    assert(found != keys.end());
    return points[point].swept[static_cast<std::size_t>(found - keys.begin())];
}

const std::vector<std::string>& point_keys() {
    static const std::vector<std::string> keys{"base", "set", "list", "grid"};
    return keys;
}

Result<std::vector<Setting>> read_settings(const ConfigNode& map, std::string_view what) {
    std::vector<Setting> settings;
    MEMSIDE_CHECK(read_fixed(map, what, settings));
    return settings;
}

Result<PointSet> expand_points(const ConfigNode& map) {
    return Expansion().expand(map);
}

Result<PointSet> parse_sweep(std::string_view text, const std::string& file) {
    MEMSIDE_TRY(const ConfigNode root, parse_config(text, file));
    if (!root.is_map()) {
        return bad_input(root.where(), "a sweep is a map of base, set, list and grid");
    }
    MEMSIDE_CHECK(expect_keys(root, point_keys()));
    return expand_points(root);
}

Result<PointSet> read_sweep(const std::string& path) {
    MEMSIDE_TRY(const ConfigNode root, read_config(path));
    if (!root.is_map()) {
        return bad_input(root.where(), "a sweep is a map of base, set, list and grid");
    }
    MEMSIDE_CHECK(expect_keys(root, point_keys()));
    return expand_points(root);
}

std::string column_name(std::string_view key) {
    std::string name(key);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

}  // namespace memside
