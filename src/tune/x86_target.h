// Convolutions on this processor: spaces from conv/, kernels from codegen/.
#pragma once

#include "tune/target.h"

namespace memside::tune {

std::unique_ptr<Target> make_x86_vnni();
std::unique_ptr<Target> make_x86_avx2();

}  // namespace memside::tune
