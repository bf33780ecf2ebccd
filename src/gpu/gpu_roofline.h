// A GPU as a roofline over its datasheet rates, less what the shape of an operation leaves idle.
// Every operation of a decode step is one kernel of a captured graph.
#pragma once

#include <memory>

#include "system/device.h"
#include "system/system_spec.h"

namespace memside::gpu {

// Reads the constants of the role "gpu".
std::unique_ptr<Device> make_gpu_roofline(ConstantReader& constants);

// HBM bytes of one GPU that weights and KV may fill: capacity less the reserved share.
double usable_bytes(ConstantReader& constants);

}  // namespace memside::gpu
