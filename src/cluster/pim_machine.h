// A system of DRAM-PIM modules, from its constants: what a module holds and how modules talk.
#pragma once

#include <cstdint>

#include "system/system_spec.h"

namespace memside {

// Lanes of a switch that all modules share evenly (CENT: CXL 3 over PCIe 6).
struct SharedLink {
    double lanes = 0;                  // of one module
    double lane_bytes_per_s = 0;       // point to point
    double multicast_bytes_per_s = 0;  // of a lane, when one message goes to many
    double flit_bytes = 0;
    double payload_bytes = 0;  // of a full flit
    double latency_s = 0;      // one way
    double energy_j_per_byte = 0;

    // Bytes that cross the link for a payload: whole flits.
    double wire_bytes(double payload) const;
    double send_s(double payload) const;       // from one module to another
    double broadcast_s(double payload) const;  // from one module to all others of its stage
    // A payload of which each of `modules` has an equal part comes together in one of them.
    double gather_s(double payload, std::int64_t modules) const;
};

// One module as the models see it.
struct PimModule {
    double capacity_bytes = 0;
    int channel_groups = 1;  // of 32 channels
    bool fc_in_banks = true;
    // The processor beside the banks; of modules whose banks multiply weights it does no FC.
    double matrix_flop_per_s = 0;
    double weight_bytes_per_s = 0;  // from the banks over the pins of all channels
    double kernel_latency_s = 0;
    double matrix_j_per_flop = 0;
    double processor_power_w = 0;

    // Time of y = x W for `batch` vectors, W read once: the roofline of the processor.
    double matrix_s(double batch, double parameters, double weight_bytes) const;
};

struct PimMachine {
    std::int64_t modules = 0;
    PimModule module;
    SharedLink link;
};

// The role pim must be filled.
PimModule read_pim_module(ConstantReader& constants);
// The roles pim and pim_link must be filled.
PimMachine read_pim_machine(ConstantReader& constants);

}  // namespace memside
