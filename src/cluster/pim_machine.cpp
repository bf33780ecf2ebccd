#include "cluster/pim_machine.h"

#include <algorithm>
#include <cmath>

#include "pim/instruction.h"

namespace memside {

double SharedLink::wire_bytes(double payload) const {
    return std::ceil(payload / payload_bytes) * flit_bytes;
}

double SharedLink::send_s(double payload) const {
    return wire_bytes(payload) / (lanes * lane_bytes_per_s) + latency_s;
}

double SharedLink::broadcast_s(double payload) const {
    return wire_bytes(payload) / (lanes * multicast_bytes_per_s) + latency_s;
}

double SharedLink::gather_s(double payload, std::int64_t modules) const {
    // The receiver's lanes are the bottleneck: it has its own part already.
    const auto senders = static_cast<double>(modules - 1);
    const double part = payload / static_cast<double>(modules);
    return senders * wire_bytes(part) / (lanes * lane_bytes_per_s) + latency_s;
}

double PimModule::matrix_s(double batch, double parameters, double weight_bytes) const {
    const double compute_s = 2 * batch * parameters / matrix_flop_per_s;
    return std::max(compute_s, weight_bytes / weight_bytes_per_s) + kernel_latency_s;
}

PimModule read_pim_module(ConstantReader& constants) {
    const auto pim = [&](std::string_view key) { return constants.value("pim", key); };
    PimModule module;
    module.capacity_bytes = pim("memory_capacity");
    module.channel_groups = static_cast<int>(pim("channel_groups"));
    module.fc_in_banks = constants.flag("pim", "fc_in_banks");
    module.kernel_latency_s = pim("kernel_latency");
    module.processor_power_w = pim("processor_power");
    if (!module.fc_in_banks) {
        module.matrix_flop_per_s = pim("matrix_peak") * pim("matrix_efficiency");
        module.weight_bytes_per_s = double{1} * module.channel_groups * pim::channel_count *
                                    pim("channel_bandwidth") * pim("memory_efficiency");
        module.matrix_j_per_flop = pim("matrix_energy");
    }
    return module;
}

PimMachine read_pim_machine(ConstantReader& constants) {
    PimMachine machine;
    machine.modules = constants.count("pim");
    machine.module = read_pim_module(constants);
    const auto link = [&](std::string_view key) { return constants.value("pim_link", key); };
    // Whole lanes, as in the CENT artifact.
    machine.link.lanes = std::floor(link("lanes") / static_cast<double>(machine.modules));
    machine.link.lane_bytes_per_s = link("lane_bandwidth");
    machine.link.multicast_bytes_per_s = link("multicast_bandwidth");
    machine.link.flit_bytes = link("flit");
    machine.link.payload_bytes = link("message") * link("flit_messages");
    machine.link.latency_s = link("port_latency") + 2 * link("end_latency") +
                             link("transit_latency") + link("switch_latency");
    machine.link.energy_j_per_byte = link("energy");
    return machine;
}

}  // namespace memside
