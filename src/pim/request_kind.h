// What a host instruction becomes in the queues of the channels.
#pragma once

#include <array>

#include "pim/instruction_table.h"

namespace memside::pim {

struct RequestKind {
    enum class Queue : std::uint8_t {
        none,     // costs the host a cycle, nothing else
        aim,      // opsize requests in the queue of AiM requests, in order
        host,     // one request in the read or the write queue
        barrier,  // waits until everything before it is done, in all channels
    };
    Queue queue = Queue::none;
    Command command = Command::mac16;  // column command that each request ends with
    bool register_mode = false;        // the mode that the command needs
    bool needs_row = false;
    bool blocking = false;  // the host goes on after the answer
};

constexpr RequestKind request_kind_of(const InstructionInfo& info) {
    using Queue = RequestKind::Queue;
    if (!info.command) return {.queue = info.blocks_host ? Queue::barrier : Queue::none};
    const bool host = *info.command == Command::rd || *info.command == Command::wr;
    return {.queue = host ? Queue::host : Queue::aim,
            .command = *info.command,
            .register_mode = info.mode == Mode::registers,
            .needs_row = info.mode == Mode::rows,
            .blocking = info.blocks_host};
}

// By Opcode.
inline constexpr std::array<RequestKind, opcode_count> request_kinds = [] {
    std::array<RequestKind, opcode_count> kinds{};
    for (std::size_t i = 0; i < opcode_count; ++i) kinds[i] = request_kind_of(instruction_table[i]);
    return kinds;
}();

constexpr const RequestKind& request_kind(Opcode opcode) {
    return request_kinds[static_cast<std::size_t>(opcode)];
}

// The row that AF opens for activation function `function`, outside the rows of data. Source: the
// public AiM simulator.
constexpr std::uint32_t activation_row(std::uint32_t function) {
    return (1u << 29) + function;
}

// The channels that an instruction addresses: bit i is channel 31 - i.
constexpr std::uint32_t channels_of(const Instruction& instruction) {
    const bool memory =
        instruction.opcode == Opcode::write_mem || instruction.opcode == Opcode::read_mem;
    return memory ? 1u << (31 - instruction.channel) : instruction.mask;
}

}  // namespace memside::pim
