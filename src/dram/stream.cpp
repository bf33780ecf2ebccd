#include "dram/stream.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "dram/address_mapping.h"
#include "dram/traffic.h"

namespace memside::dram {
namespace {

// What lies beyond this many interleaved units of a stream is taken as evenly spread.
constexpr std::int64_t max_walked = 1 << 18;

Status check(const Spec& spec, const StreamRequest& request) {
    const auto burst = static_cast<std::uint64_t>(spec.burst_bytes);
    if (request.bytes == 0 || request.bytes > std::uint64_t{1} << 50) {
        return bad_input("stream.bytes",
                         fmt::format("{} bytes; allowed: 1 B to 1 PiB", request.bytes));
    }
    if (request.pattern == Pattern::pages &&
        (!std::has_single_bit(request.page_bytes) || request.page_bytes < burst ||
         request.page_bytes > std::uint64_t{1} << 30)) {
        return bad_input("stream.page_bytes",
                         fmt::format("{} bytes; allowed: a power of two from {} B to 1 GiB",
                                     request.page_bytes, burst));
    }
    if (request.simulated_bursts < 1000) {
        return bad_input("stream.simulated_bursts", "allowed: 1,000 or more");
    }
    return {};
}

AddressPieces::Shape shape_of(const Spec& spec, const StreamRequest& request) {
    const auto burst = static_cast<std::uint64_t>(spec.burst_bytes);
    AddressPieces::Shape shape;
    shape.random = request.pattern != Pattern::sequential;
    shape.write = request.write;
    shape.seed = request.seed;
    shape.piece_bytes = request.pattern == Pattern::pages ? request.page_bytes
                        : request.pattern == Pattern::random
                            ? burst
                            : (request.bytes + burst - 1) / burst * burst;
    shape.pieces =
        static_cast<std::int64_t>((request.bytes + shape.piece_bytes - 1) / shape.piece_bytes);
    return shape;
}

struct Load {
    int channel = 0;    // the busiest
    double bursts = 0;  // of it
    double mean = 0;    // of all channels
};

// Bursts per channel, counted by walking over the pieces.
Load channel_load(const AddressMapping& mapping, const AddressPieces::Shape& shape,
                  int burst_bytes) {
    std::vector<double> bursts(static_cast<std::size_t>(mapping.channels()), 0.0);
    const std::uint64_t step = std::min(mapping.interleave_bytes(), shape.piece_bytes);
    const std::uint64_t places = mapping.capacity_bytes() / shape.piece_bytes;
    const double total =
        static_cast<double>(shape.pieces) * static_cast<double>(shape.piece_bytes) / burst_bytes;
    double counted = 0;
    std::int64_t walked = 0;
    SplitMix random(shape.seed);
    for (std::int64_t piece = 0; piece < shape.pieces && walked < max_walked; ++piece) {
        const std::uint64_t start = shape.random ? random.below(places) * shape.piece_bytes : 0;
        for (std::uint64_t offset = 0; offset < shape.piece_bytes && walked < max_walked;
             offset += step, ++walked) {
            const double part =
                static_cast<double>(std::min(step, shape.piece_bytes - offset)) / burst_bytes;
            bursts[static_cast<std::size_t>(mapping.locate(start + offset).channel)] += part;
            counted += part;
        }
    }
    const auto fullest = std::max_element(bursts.begin(), bursts.end());
    return {static_cast<int>(fullest - bursts.begin()),
            *fullest + (total - counted) / mapping.channels(), total / mapping.channels()};
}

// The first `limit` requests of another source.
class Limited final : public RequestSource {
  public:
    Limited(RequestSource& source, std::int64_t limit) : source_(source), left_(limit) {}
    bool next(Request& request) override { return left_-- > 0 && source_.next(request); }

  private:
    RequestSource& source_;
    std::int64_t left_;
};

}  // namespace

std::string default_mapping(const Spec& spec) {
    const auto bank_groups = static_cast<unsigned>(spec.level_count("bank_group"));
    const int group_bits = std::countr_zero(bank_groups);
    const std::string groups =
        group_bits > 1 ? fmt::format("Bg{}ChBg1", group_bits - 1) : std::string("ChBg");
    return fmt::format("RoRaBaCo{}{}", groups,
                       spec.level_count("pseudo_channel") > 1 ? "Co2Pc" : "Co3");
}

Result<StreamResult> simulate_stream(const Spec& spec, const StreamRequest& request) {
    MEMSIDE_CHECK(check(spec, request));
    const std::string text = request.mapping.empty() ? default_mapping(spec) : request.mapping;
    MEMSIDE_TRY(const AddressMapping mapping,
                AddressMapping::parse(text, spec, request.channels, "stream.mapping"));
    const AddressPieces::Shape shape = shape_of(spec, request);
    if (shape.random && shape.piece_bytes > mapping.capacity_bytes()) {
        return bad_input("stream.page_bytes",
                         fmt::format("{} bytes are more than the {} of all channels",
                                     shape.piece_bytes, mapping.capacity_bytes()));
    }
    const Load load = channel_load(mapping, shape, spec.burst_bytes);

    StreamResult result;
    result.extrapolated = load.bursts > static_cast<double>(request.simulated_bursts);
    ControllerOptions options;
    options.read_queue =
        request.queue != 0 ? request.queue : 32 * spec.level_count("pseudo_channel");
    options.write_queue = options.read_queue;
    options.refresh = request.refresh;
    if (result.extrapolated) options.warmup_requests = request.simulated_bursts / 2;
    AddressPieces pieces(mapping, shape, spec.burst_bytes, load.channel);
    Limited source(pieces, request.simulated_bursts);
    MEMSIDE_TRY(const ControllerStats stats, simulate(spec, options, source));

    const auto measured =
        static_cast<double>(stats.reads + stats.writes + stats.forwarded + stats.merged);
    const double simulated = measured + static_cast<double>(options.warmup_requests);
    const double rest = result.extrapolated ? load.bursts - simulated : 0.0;
    const double cycles =
        static_cast<double>(stats.end) + rest * static_cast<double>(stats.cycles) / measured;
    result.time_s = cycles * spec.tick_ns * 1e-9;
    const double all_bursts = load.mean * request.channels;
    result.bandwidth_bytes_per_s = all_bursts * spec.burst_bytes / result.time_s;
    result.efficiency = result.bandwidth_bytes_per_s / (spec.peak_bytes_per_s() * request.channels);
    result.mean_read_latency_s = stats.mean_read_latency() * spec.tick_ns * 1e-9;
    const auto served = static_cast<double>(stats.reads + stats.writes);
    result.row_hit_ratio = served > 0 ? static_cast<double>(stats.row_hits) / served : 0.0;
    result.imbalance = load.bursts / load.mean;

    // Commands per burst are those of the simulated channel; standby and refresh go by time.
    const double share = all_bursts / measured;
    const EnergyBreakdown one = channel_energy(spec, stats.commands, cycles);
    result.energy.activate_j = one.activate_j * share;
    result.energy.read_j = one.read_j * share;
    result.energy.write_j = one.write_j * share;
    const double measured_cycles =
        result.extrapolated ? static_cast<double>(stats.cycles) : static_cast<double>(stats.end);
    result.energy.refresh_j = one.refresh_j * cycles / measured_cycles * request.channels;
    result.energy.background_j = one.background_j * request.channels;
    return result;
}

}  // namespace memside::dram
