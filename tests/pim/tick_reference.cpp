#include "pim/tick_reference.h"

#include <algorithm>
#include <deque>

namespace memside::pim::ticking {
namespace {

using enum Command;

// The request of one column, entry or host access; AF's row comes from the configuration.
TickRequest request_of(const Instruction& i, std::uint32_t activation) {
    TickRequest r{.command = mac16, .bank = i.bank, .row = i.row, .column = i.column};
    switch (i.opcode) {
        case Opcode::wr_sbk:
        case Opcode::write_mem:
            r.command = wr;
            r.host = r.needs_row = true;
            break;
        case Opcode::rd_sbk:
        case Opcode::read_mem:
            r.command = rd;
            r.host = r.needs_row = true;
            break;
        case Opcode::wr_abk:
            r.command = wra16;
            r.needs_row = true;
            break;
        case Opcode::wr_gb:
            r.command = wrgb;
            r.register_mode = true;
            break;
        case Opcode::wr_bias:
            r.command = wrmac16;
            r.register_mode = true;
            break;
        case Opcode::rd_mac:
            r.command = rdmac16;
            r.register_mode = r.blocking = true;
            break;
        case Opcode::rd_af:
            r.command = rdaf16;
            r.register_mode = r.blocking = true;
            break;
        case Opcode::copy_bkgb:
            r.command = rdcp;
            r.needs_row = true;
            break;
        case Opcode::copy_gbbk:
            r.command = wrcp;
            r.needs_row = true;
            break;
        case Opcode::mac_sbk:
            r.command = mac;
            r.needs_row = true;
            break;
        case Opcode::mac_abk:
            r.command = mac16;
            r.needs_row = true;
            break;
        case Opcode::ewmul:
            r.command = ewmul16;
            r.needs_row = true;
            break;
        case Opcode::af:
            r.command = af16;
            r.needs_row = true;
            r.row = (1u << 29) + activation;
            break;
        default:  // SYNC and EOC
            r.barrier = r.blocking = true;
            break;
    }
    return r;
}

class TickSystem {
  public:
    TickSystem(RefreshMode mode, const TickRefresh& refresh)
        : spacings_(refresh),
          channels_(channel_count, TickChannel(mode, refresh, spacings_)),
          left_(channel_count) {}

    SimulationResult run(std::vector<Instruction> instructions) {
        instructions.push_back({.opcode = Opcode::eoc});
        std::size_t next = 0;
        bool ended = false;
        std::int64_t now = 0;
        while (!ended) {
            ++now;
            const bool stalled = !all_entered();
            enter_what_fits();
            if (!stalled && unanswered_ == 0) {
                ending_ = instructions[next].opcode == Opcode::eoc;
                decode(instructions[next++]);
                enter_what_fits();
            }
            for (TickChannel& channel : channels_) unanswered_ -= channel.tick(now);
            ended = ending_ && unanswered_ == 0;
        }
        SimulationResult result;
        result.cycles = static_cast<std::uint64_t>(now);
        for (unsigned c = 0; c < channel_count; ++c) {
            channels_[c].finish();
            result.channels[c] = channels_[c].result();
        }
        return result;
    }

  private:
    void decode(const Instruction& i) {
        if (i.opcode == Opcode::write_cfr && i.gpr == 2) activation_ = i.gpr2;
        if (i.opcode == Opcode::write_cfr || i.opcode == Opcode::write_gpr ||
            i.opcode == Opcode::read_gpr || i.opcode == Opcode::ewadd) {
            return;
        }
        const TickRequest request = request_of(i, activation_);
        const bool memory = i.opcode == Opcode::write_mem || i.opcode == Opcode::read_mem;
        for (unsigned c = 0; c < channel_count; ++c) {
            const bool addressed =
                request.barrier || (memory ? i.channel == c : (i.mask >> (31 - c) & 1u) != 0);
            if (!addressed) continue;
            for (std::uint32_t k = 0; k < i.opsize; ++k) left_[c].push_back(request);
            if (request.blocking) ++unanswered_;
        }
    }

    bool all_entered() const {
        return std::all_of(left_.begin(), left_.end(), [](const auto& l) { return l.empty(); });
    }

    void enter_what_fits() {
        for (unsigned c = 0; c < channel_count; ++c) {
            while (!left_[c].empty() && channels_[c].accepts(left_[c].front())) {
                channels_[c].enter(left_[c].front());
                left_[c].pop_front();
            }
        }
    }

    SpacingTable spacings_;
    std::vector<TickChannel> channels_;
    std::vector<std::deque<TickRequest>> left_;  // decoded, not in their queue yet
    int unanswered_ = 0;
    bool ending_ = false;
    std::uint32_t activation_ = 0;
};

}  // namespace

SimulationResult tick(const std::vector<Instruction>& instructions, RefreshMode mode,
                      const TickRefresh& refresh) {
    return TickSystem(mode, refresh).run(instructions);
}

}  // namespace memside::pim::ticking
