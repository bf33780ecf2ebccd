#include "tune/task.h"

#include <sched.h>

#include <fstream>

#include "base/text.h"

namespace memside::tune {
std::string this_machine() {
    std::string name = "unknown processor";
    std::ifstream stream("/proc/cpuinfo");
    for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with("model name") || colon == std::string::npos) continue;
        name = std::string(trim(std::string_view(line).substr(colon + 1)));
        break;
    }
    cpu_set_t set;
    const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
    return known ? fmt::format("{}, {} threads", name, CPU_COUNT(&set)) : name;
}

}  // namespace memside::tune
