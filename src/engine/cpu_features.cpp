#include "engine/cpu_features.h"

namespace memside::engine {

const CpuFeatures& cpu_features() {
    static const CpuFeatures found = [] {
        CpuFeatures features;
#if defined(__x86_64__)
        __builtin_cpu_init();
        features.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                        __builtin_cpu_supports("f16c") != 0;
        features.avx512 = features.avx2 && __builtin_cpu_supports("avx512f") != 0 &&
                          __builtin_cpu_supports("avx512bw") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 &&
                          __builtin_cpu_supports("avx512vl") != 0;
        features.avx512_vnni = features.avx512 && __builtin_cpu_supports("avx512vnni") != 0;
#endif
        return features;
    }();
    return found;
}

}  // namespace memside::engine
