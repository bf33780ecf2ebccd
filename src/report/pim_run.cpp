#include "report/pim_run.h"

namespace memside {

double PimRun::energy_pj() const {
    double sum = 0;
    for (const pim::EnergyEntry& entry : energy) sum += entry.pj;
    return sum;
}

std::array<std::uint64_t, pim::activity_count> PimRun::activity_cycles() const {
    std::array<std::uint64_t, pim::activity_count> sum{};
    for (const pim::ChannelResult& channel : result.channels) {
        if (!channel.addressed) continue;
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += channel.activity_cycles[i];
    }
    return sum;
}

std::uint64_t PimRun::addressed_channels() const {
    return static_cast<std::uint64_t>(
        std::count_if(result.channels.begin(), result.channels.end(),
                      [](const pim::ChannelResult& channel) { return channel.addressed; }));
}

std::vector<dram::SourcedConstant> PimRun::assumed() const {
    using Refresh = pim::RefreshMode;
    const Refresh refresh = options.refresh;
    std::vector<dram::SourcedConstant> found;
    for (const dram::SourcedConstant& constant : timing.constants) {
        const bool unused = (constant.path == "timing.nREFI" && refresh == Refresh::off) ||
                            (constant.path == "timing.nRFCab" && refresh != Refresh::all_bank) ||
                            (constant.path == "timing.nRFCpb" && refresh != Refresh::per_bank);
        if (constant.assumed() && !unused) found.push_back(constant);
    }
    for (const dram::SourcedConstant& constant : energy_model.constants) {
        if (constant.assumed()) found.push_back(constant);
    }
    if (!dynamic) return found;
    for (const dram::SourcedConstant& constant : dynamic->hub_timing.constants) {
        if (constant.assumed()) found.push_back(constant);
    }
    return found;
}

}  // namespace memside
