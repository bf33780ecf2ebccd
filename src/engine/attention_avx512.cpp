#include "engine/attention_products.h"
#include "engine/simd_avx512.h"

namespace memside::engine {

void attend_page_avx512(const AttendPage& job) {
    attend_in_floats<SimdAvx512>(job);
}

}  // namespace memside::engine
