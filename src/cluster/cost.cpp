#include "cluster/cost.h"

#include "cluster/facility.h"

namespace memside {

Ownership ownership(ConstantReader& constants) {
    constexpr double seconds_per_hour = 3600.0;
    Ownership sum;
    const auto charge = [&](std::string_view role, std::string_view power) {
        if (!constants.system().has(role)) return;
        sum.power_w += constants.count(role) * constants.value(role, power);
        sum.hardware_usd_per_hour += constants.count(role) * constants.value(role, "price");
    };
    charge("gpu", "active_power");
    charge("pnm", "platform_power");
    charge("cxl", "active_power");
    charge("pim", "active_power");
    const Facility facility = read_facility(constants);
    sum.power_w += facility.host_power_w + facility.switch_power_w;
    sum.power_w *= 1.0 + facility.cooling;
    sum.hardware_usd_per_hour += facility.usd_per_hour;
    sum.electricity_usd_per_hour =
        sum.power_w * seconds_per_hour * constants.value("cost", "electricity");
    return sum;
}

}  // namespace memside
