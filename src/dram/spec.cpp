#include "dram/spec.h"

#include <algorithm>

namespace memside::dram {

int Spec::find_level(std::string_view level_name) const {
    const auto found = std::find_if(levels.begin(), levels.end(),
                                    [&](const Level& level) { return level.name == level_name; });
    return static_cast<int>(found - levels.begin());
}

int Spec::level_count(std::string_view level_name) const {
    const int found = find_level(level_name);
    return found <= bank_level() ? levels[static_cast<std::size_t>(found)].count : 1;
}

}  // namespace memside::dram
