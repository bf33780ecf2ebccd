#include "engine/attention_products.h"
#include "engine/simd_avx2.h"

namespace memside::engine {

void attend_page_avx2(const AttendPage& job) {
    attend_in_floats<SimdAvx2>(job);
}

}  // namespace memside::engine
