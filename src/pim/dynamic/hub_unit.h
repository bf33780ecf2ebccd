// The extra processing unit on data: hub instructions on the GPRs of a module. Tiles are bf16;
// every step inside is rounded to FP32, sums in the order of tokens, parts and values.
#pragma once

#include <array>
#include <vector>

#include "pim/dynamic/expansion.h"
#include "pim/functional_machine.h"

namespace memside::pim {

class HubUnit {
  public:
    // Carries out a call of an expansion. bad_input when a query goes on that nobody has started.
    // What it reads and nobody wrote is reported and taken as +0.
    Status execute(const HubCall& call, Memory& memory);

    const UninitialisedReads& uninitialised() const { return uninitialised_; }

  private:
    // The softmax of one query head so far.
    struct Query {
        bool started = false;
        float maximum = 0;  // of scale x score; -infinity while no token counted
        float sum = 0;      // of weights
        std::vector<float> output;
    };

    Status check_started(const HubInstruction& hub) const;
    Query& query(const HubInstruction& hub, std::uint32_t q) {
        return states_[hub.state][hub.first_query + q];
    }

    // hub_softmax.cpp
    void softmax_start(const HubInstruction& hub);
    void softmax_block(const HubCall& call, Memory& memory);
    void accumulate(const HubInstruction& hub, Memory& memory);
    void softmax_finish(const HubInstruction& hub, Memory& memory);
    void combine_parts(const HubInstruction& hub, Memory& memory);
    // hub_vectors.cpp
    void reduce(const HubInstruction& hub, Memory& memory);
    void rms_norm(const HubInstruction& hub, Memory& memory);
    void rope(const HubCall& call, Memory& memory);
    void combine(const HubInstruction& hub, Memory& memory);  // gate and add
    void fill(const HubInstruction& hub, Memory& memory);
    void copy(const HubInstruction& hub, Memory& memory);
    void merge(const HubInstruction& hub, Memory& memory);

    float load(Memory& memory, std::uint32_t gpr, std::uint32_t lane);
    std::vector<float> load_values(Memory& memory, std::uint32_t gpr, std::size_t count);
    // Zeros after the last value up to the tile's end.
    static void store_values(Memory& memory, std::uint32_t gpr, const std::vector<float>& values);

    std::array<std::array<Query, hub_queries>, hub_states> states_;
    UninitialisedReads uninitialised_;
};

}  // namespace memside::pim
