#include "cluster/facility.h"

namespace memside {

Facility read_facility(ConstantReader& constants) {
    Facility facility;
    facility.included = constants.flag("cost", "include_host");
    if (!facility.included) return facility;
    const auto read = [&](std::string_view key) { return constants.value("cost", key); };
    const int gpus = constants.count("gpu");
    facility.host_power_w = gpus * read("host_power");
    facility.usd_per_hour = gpus * read("host_price");
    facility.cooling = read("cooling");
    if (const int switches = constants.count("uplink"); switches > 0) {
        facility.switch_power_w = switches * read("switch_power");
        facility.usd_per_hour += switches * read("switch_price");
    }
    return facility;
}

}  // namespace memside
