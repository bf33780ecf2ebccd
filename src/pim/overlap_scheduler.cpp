#include "pim/overlap_scheduler.h"

#include <bit>

#include "pim/gpr_scoreboard.h"
#include "pim/request_kind.h"

namespace memside::pim {
namespace {

// Channels that have had the same commands at the same cycles, computed once.
struct ChannelClass {
    std::uint32_t mask = 0;
    OverlapChannel channel;
};

class Hub {
  public:
    explicit Hub(const OverlapContext& shared) {
        classes_.push_back({~std::uint32_t{0}, OverlapChannel(shared)});
    }

    Status run(const Program& program, OverlapLog* log);
    SimulationResult result(OverlapLog* log);

  private:
    Status execute(const Instruction& i, OverlapLog* log);
    void execute_in_hub(const Instruction& i);
    void split(std::uint32_t mask);
    void wait_for_registers(const GprAccess& access);
    void forget_completed();
    void barrier();
    ColumnWork first_work(const Instruction& i) const;

    std::vector<ChannelClass> classes_;
    std::vector<GprAccess> in_flight_;
    std::size_t in_flight_limit_ = 64;
    std::array<std::uint32_t, 3> cfr_{};
    std::uint32_t addressed_ = 0;
    std::uint64_t number_ = 0;  // of the instruction, in program order
    Cycle decode_ = 1;          // of the instruction, then of the next
    Cycle end_ = 0;             // of the run
    std::vector<std::uint64_t> sync_cycles_;
};

// Makes every class lie inside `mask` or outside of it.
void Hub::split(std::uint32_t mask) {
    const std::size_t count = classes_.size();
    for (std::size_t c = 0; c < count; ++c) {
        const std::uint32_t outside = classes_[c].mask & ~mask;
        if (outside == 0 || outside == classes_[c].mask) continue;
        ChannelClass rest = classes_[c];
        rest.mask = outside;
        classes_[c].mask &= mask;
        classes_.push_back(std::move(rest));
    }
}

void Hub::wait_for_registers(const GprAccess& access) {
    if (access.count == 0) return;
    for (const GprAccess& earlier : in_flight_) {
        if (!must_wait(earlier, access)) continue;
        for (ChannelClass& c : classes_) {
            if ((c.mask & earlier.mask) == 0) continue;
            c.channel.run_past(earlier.side, earlier.instruction);
            decode_ = std::max(decode_, c.channel.completed_at(earlier.instruction) + 1);
        }
    }
}

void Hub::forget_completed() {
    const auto completed = [this](const GprAccess& access) {
        for (const ChannelClass& c : classes_) {
            if ((c.mask & access.mask) == 0) continue;
            if (!c.channel.left(access.side, access.instruction)) return false;
            if (c.channel.completed_at(access.instruction) >= decode_) return false;
        }
        return true;
    };
    std::erase_if(in_flight_, completed);
    in_flight_limit_ = std::max<std::size_t>(64, 2 * in_flight_.size());
    const std::uint64_t oldest = in_flight_.empty() ? number_ : in_flight_.front().instruction;
    for (ChannelClass& c : classes_) c.channel.forget_before(oldest);
}

// Waits until every channel is idle; the next decode comes after the answer.
void Hub::barrier() {
    Cycle answer = decode_ + 1;
    for (ChannelClass& c : classes_) answer = std::max(answer, c.channel.drain() + 1);
    end_ = answer;
    decode_ = answer + 1;
}

// The first column command of an instruction.
ColumnWork Hub::first_work(const Instruction& i) const {
    ColumnWork work;
    work.command = request_kind(i.opcode).command;
    work.bank = i.bank;
    work.row = i.opcode == Opcode::af ? activation_row(cfr_[2]) : i.row;
    work.instruction = number_;
    work.arrival = decode_;
    switch (i.opcode) {
        case Opcode::wr_gb:
        case Opcode::copy_bkgb:
        case Opcode::copy_gbbk:
            work.entries[0] = gbuf_entry(i.gbuf);
            break;
        case Opcode::mac_abk:
        case Opcode::mac_sbk:
            // CFR 0: the other factor comes from the next bank.
            work.entries = {cfr_[0] == 0 ? gbuf_entry(i.gbuf) : no_entry, obuf_entry(i.out)};
            break;
        case Opcode::wr_bias:
        case Opcode::rd_mac:
            work.entries[0] = obuf_entry(i.out);
            break;
        case Opcode::rd_af:
            work.entries[0] = activation_entry(i.out);
            break;
        case Opcode::af:
            work.entries = {activation_entry(i.out), obuf_entry(i.out)};
            break;
        default:
            break;
    }
    return work;
}

// The instructions that use no channel.
void Hub::execute_in_hub(const Instruction& i) {
    if (i.opcode == Opcode::write_cfr) {
        // The HUB sends the registers along with each command, so nothing waits.
        if (i.gpr < cfr_.size()) cfr_[i.gpr] = i.gpr2;
    } else {
        wait_for_registers(gpr_access(i, number_));
        if (i.opcode == Opcode::ewadd) {
            Instruction second = i;
            second.gpr = i.gpr2;
            wait_for_registers(gpr_access(second, number_));
        }
    }
}

Status Hub::execute(const Instruction& i, OverlapLog* log) {
    if (i.out >= obuf_entries) {
        return bad_input(fmt::format("instruction {}", number_ + 1),
                         fmt::format("accumulator entry {} is beyond the output buffer; allowed: "
                                     "0 to {}",
                                     i.out, obuf_entries - 1));
    }
    const std::uint32_t mask = channels_of(i);
    addressed_ |= mask;
    const GprAccess access = gpr_access(i, number_);
    wait_for_registers(access);
    if (log != nullptr) log->decoded.push_back(decode_);
    const RequestKind& kind = request_kind(i.opcode);
    const Side side = kind.register_mode ? Side::transfer : Side::compute;
    ColumnWork work = first_work(i);
    const bool walks_gbuf = work.entries[0] < obuf_entry(0);
    split(mask);
    Cycle fits = decode_;
    for (ChannelClass& c : classes_) {
        if ((c.mask & mask) == 0) continue;
        for (std::uint32_t k = 0; k < i.opsize; ++k) {
            work.offset = k;
            work.last = k + 1 == i.opsize;
            if (walks_gbuf) work.entries[0] = gbuf_entry((i.gbuf + k) % gbuf_entries);
            c.channel.push(side, work);
        }
        fits = std::max(fits, c.channel.run_until_fits(side, queue_capacity));
    }
    if (access.count != 0 && mask != 0) {
        in_flight_.push_back(access);
        if (in_flight_.size() >= in_flight_limit_) forget_completed();
    }
    decode_ = fits + 1;
    return {};
}

Status Hub::run(const Program& program, OverlapLog* log) {
    for (Cursor cursor(program); !cursor.done(); cursor.next(), ++number_) {
        const Instruction& i = *cursor;
        if (i.opcode == Opcode::eoc) break;
        if (i.opcode == Opcode::sync) {
            if (log != nullptr) log->decoded.push_back(decode_);
            barrier();
            sync_cycles_.push_back(end_);
            continue;
        }
        if (request_kind(i.opcode).queue == RequestKind::Queue::none) {
            execute_in_hub(i);
            if (log != nullptr) log->decoded.push_back(decode_);
            ++decode_;
            continue;
        }
        MEMSIDE_CHECK(execute(i, log));
    }
    if (log != nullptr) log->decoded.push_back(decode_);
    barrier();
    return {};
}

SimulationResult Hub::result(OverlapLog* log) {
    SimulationResult result;
    result.cycles = end_;
    result.sync_cycles = std::move(sync_cycles_);
    for (ChannelClass& c : classes_) {
        const ChannelResult of_class = c.channel.finish(end_);
        for (unsigned channel = 0; channel < channel_count; ++channel) {
            const unsigned bit = channel_count - 1 - channel;
            if ((c.mask >> bit & 1) == 0) continue;
            result.channels[channel] = of_class;
            result.channels[channel].addressed = (addressed_ >> bit & 1) != 0;
            if (log != nullptr) log->channels[channel] = c.channel.log();
        }
    }
    return result;
}

// Runs of one command at one distance become one event.
void add_trace(const OverlapLog& log, int spacing, std::vector<TraceEvent>& trace) {
    for (unsigned channel = 0; channel < channel_count; ++channel) {
        const std::size_t first = trace.size();
        for (const IssuedCommand& issued : log.channels[channel]) {
            if (trace.size() > first && issued.column) {
                TraceEvent& run = trace.back();
                const Cycle next = run.start + Cycle(run.repeats) * Cycle(spacing);
                if (run.command == issued.command && next == issued.cycle) {
                    ++run.repeats;
                    continue;
                }
            }
            trace.push_back({.start = issued.cycle,
                             .cycles = static_cast<std::uint32_t>(issued.busy_cycles),
                             .repeats = 1,
                             .channel = static_cast<std::uint8_t>(channel),
                             .command = issued.command});
        }
    }
}

}  // namespace

GprAccess gpr_access(const Instruction& i, std::uint64_t number) {
    GprAccess access;
    access.first = i.gpr;
    access.instruction = number;
    access.mask = i.mask;
    switch (i.opcode) {
        case Opcode::wr_gb:
            access.count = i.opsize;
            break;
        case Opcode::wr_sbk:
        case Opcode::wr_abk:
            access.side = Side::compute;
            access.count = 1;
            break;
        case Opcode::wr_bias:
            access.count = 1;
            break;
        case Opcode::rd_sbk:
            access.side = Side::compute;
            [[fallthrough]];
        case Opcode::rd_mac:
        case Opcode::rd_af:
            access.count = static_cast<std::uint32_t>(std::popcount(i.mask));
            access.write = true;
            break;
        case Opcode::ewadd:
            access.count = i.opsize;
            access.write = true;
            break;
        case Opcode::write_gpr:
        case Opcode::read_gpr:
            access.count = 1;
            access.write = i.opcode == Opcode::write_gpr;
            break;
        default:
            break;
    }
    return access;
}

Result<SimulationResult> run_overlapped(const Program& program, const Timing& timing,
                                        const SimulationOptions& options, OverlapLog* log) {
    OverlapContext shared(timing, options);
    OverlapLog own;
    if (log == nullptr && options.record_trace) log = &own;
    shared.record = log != nullptr;
    Hub hub(shared);
    MEMSIDE_CHECK(hub.run(program, log));
    SimulationResult result = hub.result(log);
    if (options.record_trace) add_trace(*log, timing.nCCDS, result.trace);
    return result;
}

Result<SimulationResult> run_ping_pong(const Program& program, const Timing& timing,
                                       const SimulationOptions& options) {
    SimulationOptions halves = options;
    halves.scheduler = Scheduler::ping_pong;
    return run_overlapped(program, timing, halves, nullptr);
}

Result<SimulationResult> run_dcs(const Program& program, const Timing& timing,
                                 const SimulationOptions& options) {
    SimulationOptions entries = options;
    entries.scheduler = Scheduler::dcs;
    return run_overlapped(program, timing, entries, nullptr);
}

}  // namespace memside::pim
