// What a host instruction becomes in the queues of the channels.
#pragma once

#include <array>

#include "pim/instruction.h"

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

// By Opcode; docs/pim.md has the table.
inline constexpr std::array<RequestKind, opcode_count> request_kinds = [] {
    std::array<RequestKind, opcode_count> kinds{};
    const auto set = [&kinds](Opcode opcode, RequestKind kind) {
        kinds[static_cast<std::size_t>(opcode)] = kind;
    };
    using Queue = RequestKind::Queue;
    set(Opcode::wr_sbk, {Queue::host, Command::wr, false, true, false});
    set(Opcode::wr_abk, {Queue::aim, Command::wra16, false, true, false});
    set(Opcode::wr_gb, {Queue::aim, Command::wrgb, true, false, false});
    set(Opcode::wr_bias, {Queue::aim, Command::wrmac16, true, false, false});
    set(Opcode::rd_mac, {Queue::aim, Command::rdmac16, true, false, true});
    set(Opcode::rd_af, {Queue::aim, Command::rdaf16, true, false, true});
    set(Opcode::rd_sbk, {Queue::host, Command::rd, false, true, false});
    set(Opcode::copy_bkgb, {Queue::aim, Command::rdcp, false, true, false});
    set(Opcode::copy_gbbk, {Queue::aim, Command::wrcp, false, true, false});
    set(Opcode::mac_sbk, {Queue::aim, Command::mac, false, true, false});
    set(Opcode::mac_abk, {Queue::aim, Command::mac16, false, true, false});
    set(Opcode::af, {Queue::aim, Command::af16, false, true, false});
    set(Opcode::ewmul, {Queue::aim, Command::ewmul16, false, true, false});
    set(Opcode::sync, {Queue::barrier, Command::mac16, false, false, true});
    set(Opcode::eoc, {Queue::barrier, Command::mac16, false, false, true});
    set(Opcode::write_mem, {Queue::host, Command::wr, false, true, false});
    set(Opcode::read_mem, {Queue::host, Command::rd, false, true, false});
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
