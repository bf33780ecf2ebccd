// Deterministic parallel loops: the result never depends on the number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace memside {

// Calls body(i) once for every i in [0, count) on up to `threads` threads (0: all cores). The body
// must write only to what index i owns; then the outcome is the same for any `threads`.
void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& body);

}  // namespace memside
