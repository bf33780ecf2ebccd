// The host's side of the in-order scheduler: when each instruction is decoded. Between decodes
// every channel is on its own, so an instruction is worked out completely as soon as it is decoded:
// there is no queue of events and no clock.
#include "pim/in_order.h"

#include "pim/channel_groups.h"

namespace memside::pim {
namespace {

class InOrderRun {
  public:
    InOrderRun(const Timing& timing, const SimulationOptions& options)
        : context_(timing, options), groups_(context_) {
        if (options.record_trace) context_.trace = &result_.trace;
    }

    SimulationResult run(const Program& program) {
        if (program.loops.empty()) {
            for (const Instruction& instruction : program.instructions) {
                if (!execute(instruction)) return finish();
            }
        } else {
            for (Cursor cursor(program); !cursor.done(); cursor.next()) {
                if (!execute(*cursor)) return finish();
            }
        }
        execute({.opcode = Opcode::eoc});
        return finish();
    }

  private:
    // False after EOC.
    bool execute(const Instruction& instruction) {
        const RequestKind& kind = request_kind(instruction.opcode);
        switch (kind.queue) {
            case RequestKind::Queue::aim:
                aim(kind, instruction);
                return true;
            case RequestKind::Queue::host:
                host(kind, instruction);
                return true;
            case RequestKind::Queue::barrier:
                barrier();
                if (instruction.opcode == Opcode::eoc) return false;
                result_.sync_cycles.push_back(static_cast<std::uint64_t>(decode_ - 1));
                groups_.merge_alike(all_channels, decode_);
                return true;
            case RequestKind::Queue::none:
                break;
        }
        if (instruction.opcode == Opcode::write_cfr && instruction.gpr == 2) {
            activation_ = instruction.gpr2;
        }
        ++decode_;
        return true;
    }

    void aim(const RequestKind& kind, const Instruction& instruction) {
        addressed_ |= instruction.mask;
        const std::uint32_t row =
            instruction.opcode == Opcode::af ? activation_row(activation_) : instruction.row;
        Handed last{decode_, 0};
        unsigned groups = 0;
        groups_.for_each(instruction.mask, [&](InOrderChannel& group) {
            const Handed handed = group.run_aim(context_, kind, instruction, row, decode_);
            last.entered = std::max(last.entered, handed.entered);
            last.answered = std::max(last.answered, handed.answered);
            ++groups;
        });
        decode_ = (kind.blocking ? std::max(last.entered, last.answered) : last.entered) + 1;
        if (kind.blocking && groups > 1) groups_.merge_alike(instruction.mask, decode_);
    }

    void host(const RequestKind& kind, const Instruction& instruction) {
        const std::uint32_t channels = channels_of(instruction);
        addressed_ |= channels;
        Time entered = decode_;
        groups_.for_each(channels, [&](InOrderChannel& group) {
            entered =
                std::max(entered, group.run_host(context_, kind, instruction, decode_).entered);
        });
        decode_ = entered + 1;
    }

    void barrier() {
        Time answered = decode_;
        groups_.for_each(all_channels, [&](InOrderChannel& group) {
            answered = std::max(answered, group.run_barrier(context_, decode_));
        });
        decode_ = answered + 1;
    }

    SimulationResult finish() {
        for (unsigned bit = 0; bit < channel_count; ++bit) {
            result_.channels[31 - bit].addressed = (addressed_ >> bit & 1u) != 0;
        }
        groups_.finish(decode_ - 1, result_);
        std::stable_sort(result_.trace.begin(), result_.trace.end(),
                         [](const TraceEvent& a, const TraceEvent& b) {
                             return std::pair(a.start, a.channel) < std::pair(b.start, b.channel);
                         });
        return std::move(result_);
    }

    static constexpr std::uint32_t all_channels = 0xffffffff;

    RunContext context_;
    ChannelGroups groups_;
    SimulationResult result_;
    Time decode_ = 1;               // cycle in which the next instruction is decoded
    std::uint32_t activation_ = 0;  // configuration register 2
    std::uint32_t addressed_ = 0;   // bit i: channel 31 - i
};

}  // namespace

Result<SimulationResult> run_in_order(const Program& program, const Timing& timing,
                                      const SimulationOptions& options) {
    return InOrderRun(timing, options).run(program);
}

}  // namespace memside::pim
