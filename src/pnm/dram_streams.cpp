#include "pnm/dram_streams.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <map>

#include "dram/stream.h"

namespace memside::pnm {
namespace {

constexpr int longest = 27;        // log2 of the bytes of the longest simulated stream
constexpr int longest_piece = 24;  // beyond that a piece is as good as a sweep

bool by_pieces(Access access) {
    return access == Access::read_pieces || access == Access::write_pieces;
}

int floor_log2(double value) {
    return std::ilogb(value);
}

StreamCost between(const StreamCost& a, const StreamCost& b, double share) {
    return {a.time_s + share * (b.time_s - a.time_s),
            a.command_energy_j + share * (b.command_energy_j - a.command_energy_j)};
}

}  // namespace

Result<std::shared_ptr<const DramStreams>> DramStreams::shared(const std::string& dram,
                                                               int channels) {
    static std::mutex mutex;
    static std::map<std::pair<std::string, int>, std::shared_ptr<const DramStreams>> instances;
    const std::lock_guard lock(mutex);
    std::shared_ptr<const DramStreams>& instance = instances[{dram, channels}];
    if (instance == nullptr) {
        MEMSIDE_TRY(dram::Spec spec, dram::load_spec(dram));
        const std::shared_ptr<const DramStreams> made(new DramStreams(std::move(spec), channels));
        // A stream of one burst meets every condition that a longer one does.
        const int burst = std::countr_zero(static_cast<unsigned>(made->spec_.burst_bytes));
        MEMSIDE_CHECK(made->simulate(Access::read_pieces, burst, burst));
        instance = made;
    }
    return instance;
}

StreamCost DramStreams::cost(Access access, double bytes, double piece_bytes) const {
    assert(bytes >= 0.0 && piece_bytes >= 0.0);
    if (bytes == 0.0) return {};
    const int burst = std::countr_zero(static_cast<unsigned>(spec_.burst_bytes));
    int piece = 0;
    if (by_pieces(access)) {
        piece = std::clamp(piece_bytes < 1.0 ? 0 : floor_log2(piece_bytes), burst, longest_piece);
    }
    const int shortest = std::max(burst, piece);
    const double length = std::max(bytes, std::ldexp(1.0, shortest));
    const int below = std::min(floor_log2(length), longest - 1);
    const double unit = std::ldexp(1.0, below);
    // At most 1 between two simulated lengths, more beyond the last.
    const double share = length / unit - 1.0;
    const StreamCost lower = at(access, below, piece);
    return share == 0.0 ? lower : between(lower, at(access, below + 1, piece), share);
}

double DramStreams::peak_bytes_per_s() const {
    return spec_.peak_bytes_per_s() * channels_;
}

double DramStreams::standby_power_w() const {
    const auto scopes =
        static_cast<double>(spec_.levels[static_cast<std::size_t>(spec_.refresh_level)].nodes);
    const double interval_s =
        static_cast<double>(spec_.refresh_bank_interval) * spec_.tick_ns * 1e-9;
    const double refresh_w = scopes * spec_.energy.refresh_bank_pj * 1e-12 / interval_s;
    return channels_ * (refresh_w + spec_.energy.background_mw * 1e-3);
}

Result<StreamCost> DramStreams::simulate(Access access, int log2_bytes, int log2_piece) const {
    dram::StreamRequest request;
    request.pattern = by_pieces(access) ? dram::Pattern::pages : dram::Pattern::sequential;
    request.bytes = std::uint64_t{1} << log2_bytes;
    request.page_bytes = std::uint64_t{1} << log2_piece;
    request.write = access == Access::write_sequential || access == Access::write_pieces;
    request.channels = channels_;
    request.mapping = pnm_mapping;
    request.refresh = dram::RefreshMode::per_bank;
    MEMSIDE_TRY(const dram::StreamResult result, dram::simulate_stream(spec_, request));
    return StreamCost{result.time_s,
                      result.energy.activate_j + result.energy.read_j + result.energy.write_j};
}

StreamCost DramStreams::at(Access access, int log2_bytes, int log2_piece) const {
    const auto key =
        static_cast<std::uint32_t>(static_cast<int>(access) << 16 | log2_piece << 8 | log2_bytes);
    return points_.get(key, [&] {
        const auto result = simulate(access, log2_bytes, log2_piece);
        assert(result.ok());  // shared() has tried it
        return *result;
    });
}

}  // namespace memside::pnm
