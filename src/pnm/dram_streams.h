// What the DRAM of a device takes for the streams of a kernel, from the cycle-level simulation of
// dram/: per-bank refresh, FR-FCFS, one channel simulated for all that are alike.
//
// A stream is simulated at every power of two of its length up to 128 MiB, once per process and
// kind; between them time and energy are interpolated, beyond them they go on at the rate of the
// last 64 MiB. Everything depends on the stream alone, so it is the same in any order and on any
// number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "dram/spec.h"
#include "pnm/memo.h"

namespace memside::pnm {

enum class Access {
    read_sequential,
    read_pieces,  // each at a random multiple of its size
    write_sequential,
    write_pieces,
};

struct StreamCost {
    double time_s = 0;
    double command_energy_j = 0;  // of ACT, RD and WR; standby and refresh are idle power
};

// Eight bursts of a row, in each of four bank groups: 1 KiB of an address range per channel. With
// fewer bytes per row nothing of a page is left to hit; with more, or with one bank group per
// channel, small pages load few banks. Measured in docs/pnm.md.
inline constexpr const char* pnm_mapping = "RoRaBaCoChBgCo3";

class DramStreams {
  public:
    // One instance per process, DRAM (a name that dram::load_spec takes) and number of channels (a
    // power of two). bad_input when the DRAM cannot be read or has no per-bank refresh.
    static Result<std::shared_ptr<const DramStreams>> shared(const std::string& dram, int channels);

    // `piece_bytes` of the accesses by pieces: rounded down to a power of two from a burst to
    // 16 MiB. A stream shorter than its piece takes as long as one piece; no bytes take no time.
    StreamCost cost(Access access, double bytes, double piece_bytes = 0) const;

    double peak_bytes_per_s() const;
    double standby_power_w() const;  // clocks running and refresh, of all channels
    const dram::Spec& spec() const { return spec_; }

  private:
    DramStreams(dram::Spec spec, int channels) : spec_(std::move(spec)), channels_(channels) {}
    Result<StreamCost> simulate(Access access, int log2_bytes, int log2_piece) const;
    StreamCost at(Access access, int log2_bytes, int log2_piece) const;

    dram::Spec spec_;
    int channels_;
    Memo<std::uint32_t, StreamCost> points_;
};

}  // namespace memside::pnm
