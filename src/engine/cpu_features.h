// What this processor can do, asked at run time.
#pragma once

namespace memside::engine {

struct CpuFeatures {
    bool avx2 = false;         // AVX2, FMA and F16C
    bool avx512 = false;       // AVX-512 F, BW, DQ, VL
    bool avx512_vnni = false;  // and VNNI
};

// Of the processor and the operating system together, both of which must save the registers.
const CpuFeatures& cpu_features();

}  // namespace memside::engine
