// A dynamic program on data: AiM instructions on a Machine, hub instructions on a HubUnit.
#pragma once

#include "pim/dynamic/dispatcher.h"
#include "pim/dynamic/hub_unit.h"

namespace memside::pim {

class DynamicMachine : public Sink {
  public:
    Status instruction(const Instruction& instruction) override {
        return machine_.execute(instruction);
    }
    Status hub(const HubCall& call) override { return hub_.execute(call, machine_.memory()); }

    Memory& memory() { return machine_.memory(); }
    const Memory& memory() const { return machine_.memory(); }
    const Machine& machine() const { return machine_; }
    const HubUnit& hub_unit() const { return hub_; }

    // The host's part of a new chunk of a program of `channels` channels. The machine outlives it.
    Dispatcher::NewChunk zeroing(unsigned channels) {
        return [this, channels](std::uint32_t first_row, std::uint32_t rows) {
            zero_rows(channels, first_row, rows, memory());
        };
    }

  private:
    Machine machine_;
    HubUnit hub_;
};

}  // namespace memside::pim
