// Specs of many simulations: `base` and `set` hold for every point, `list` and `grid` make the
// points. Read from YAML with the line of every value, so that a message can name it.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "study/settings.h"

namespace memside {

// One simulation of a study.
struct Point {
    Settings settings;
    std::vector<std::string> swept;  // its value of every swept key; empty where it has none
};

struct PointSet {
    std::vector<std::string> keys;  // swept, in the order in which the spec first names them
    std::vector<Point> points;

    // The point's value of a swept key; the key must be one of them.
    const std::string& value(std::size_t point, std::string_view key) const;
};

inline constexpr std::size_t max_points = 100'000;

// The keys of a spec that points are made of.
const std::vector<std::string>& point_keys();

// Makes the points from `base`, `set`, `list` and `grid` of a map: every entry of the list (one
// empty entry without a list) by every combination of the grid, the last key running fastest. A
// value of a list's entry may itself be a list: the entry stands for every combination. Later ones
// win: base, set, list, grid. Names are those of simulate's options, with '-' or '_', and --set
// paths. A setting reaches the points that have a use for it: those whose policy reads it, or whose
// system has the part. bad_input for unknown names, for a setting that no point has a use for, and
// for a point that cannot be read.
Result<PointSet> expand_points(const ConfigNode& map);

// The same for points made otherwise, each with its settings: takes from them what they have no use
// for (bad_input for what no point uses), and reads each once.
Status drop_unused_settings(PointSet& set);
Status check_points(const PointSet& set);

// Reads the settings of a map with one value each, and those of `set` as expand_points does.
Result<std::vector<Setting>> read_settings(const ConfigNode& map, std::string_view what);

// A sweep's file: expand_points and nothing else in it.
Result<PointSet> parse_sweep(std::string_view text, const std::string& file);
Result<PointSet> read_sweep(const std::string& path);

// "page-size" as a column of a table: "page_size".
std::string column_name(std::string_view key);

}  // namespace memside
