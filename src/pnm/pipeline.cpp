#include "pnm/pipeline.h"

#include <algorithm>
#include <cmath>

namespace memside::pnm {

KernelTime run(const Program& program, const PnmSpec& spec, const DramStreams& dram) {
    const double dram_scale = dram.peak_bytes_per_s() / spec.dram_bytes_per_s;
    KernelTime time;
    for (const Stage& stage : program.stages) {
        double& busy_s = time.busy_s[index(stage.unit)];
        if (stage.unit == Unit::dram) {
            const StreamCost cost = dram.cost(stage.access, stage.elements, stage.piece_bytes);
            busy_s += cost.time_s * dram_scale;
            time.dram_command_energy_j += cost.command_energy_j;
        } else {
            busy_s += std::ceil(stage.elements / stage.elements_per_cycle) / spec.clock_hz;
        }
    }
    double sum_s = 0.0;
    for (std::size_t unit = 0; unit < unit_count; ++unit) {
        sum_s += time.busy_s[unit];
        if (time.busy_s[unit] > time.busy_s[index(time.busiest)]) {
            time.busiest = static_cast<Unit>(unit);
        }
    }
    const double longest_s = time.busy_s[index(time.busiest)];
    const double blocks = std::max(1.0, std::ceil(program.bytes / (spec.dma_buffer_bytes / 2.0)));
    time.start_s = spec.kernel_latency_s;
    time.fill_s = (sum_s - longest_s) / blocks;
    time.time_s = time.start_s + time.fill_s + longest_s;
    return time;
}

}  // namespace memside::pnm
