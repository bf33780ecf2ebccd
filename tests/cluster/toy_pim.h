// A model and modules whose shapes fill rows, banks and channels exactly under every split over
// eight modules, so that commands can be counted by hand.
#pragma once

#include "cluster/pim_step.h"

namespace memside {

// Eight layers; KV heads in groups of two query heads of 128.
inline ModelSpec toy_decoder() {
    ModelSpec model;
    model.name = "toy";
    model.layers = 8;
    model.hidden = 4096;
    model.heads = 16;
    model.kv_heads = 8;
    model.head_dim = 128;
    model.ffn = 8192;
    model.vocab = 4096;
    model.window_tokens = 8192;
    model.weight_type = "bf16";
    derive_weights(model, 2, {});
    return model;
}

// Weights that every token meets: those of the layers and the output head.
inline double toy_parameters() {
    return 8.0 * (4096.0 * (16 + 2 * 8) * 128 + 2048.0 * 4096 + 3 * 4096.0 * 8192) + 4096.0 * 4096;
}

// 16 GiB modules of 32 channels; lanes of 1 GB/s, flits of 256 bytes with 192 of payload, 100 ns.
inline PimMachine toy_modules(std::int64_t modules, bool fc_in_banks) {
    PimMachine machine;
    machine.modules = modules;
    machine.module.capacity_bytes = 16.0 * 1024 * 1024 * 1024;
    machine.module.channel_groups = fc_in_banks ? 1 : 2;
    machine.module.fc_in_banks = fc_in_banks;
    machine.module.matrix_flop_per_s = 1e14;
    machine.module.weight_bytes_per_s = 1e12;
    machine.module.matrix_j_per_flop = 1e-12;
    machine.link = {.lanes = 10,
                    .lane_bytes_per_s = 1e9,
                    .multicast_bytes_per_s = 5e8,
                    .flit_bytes = 256,
                    .payload_bytes = 192,
                    .latency_s = 1e-7,
                    .energy_j_per_byte = 1e-11};
    return machine;
}

}  // namespace memside
