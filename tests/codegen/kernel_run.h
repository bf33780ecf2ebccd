// A generated kernel run on random operands, between guards.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "codegen/conv_compiler.h"
#include "conv/conv_plan.h"
#include "conv/random_conv.h"

namespace memside::codegen {

// Bytes between two guards, aligned to 64 as kernels expect.
class Guarded {
  public:
    Guarded(std::size_t size, std::uint8_t filling) : size_(size) {
        const std::size_t whole = (size + 3 * guard - 1) / guard * guard;
        memory_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(guard, whole)));
        std::fill_n(memory_.get(), whole, mark);
        std::fill_n(data(), size, filling);
    }
    explicit Guarded(const std::vector<std::uint8_t>& bytes) : Guarded(bytes.size(), 0) {
        std::copy(bytes.begin(), bytes.end(), data());
    }

    std::uint8_t* data() { return memory_.get() + guard; }
    std::vector<std::uint8_t> bytes() { return {data(), data() + size_}; }
    bool intact() {
        for (std::size_t i = 0; i < guard; ++i) {
            if (memory_.get()[i] != mark || data()[size_ + i] != mark) return false;
        }
        return true;
    }

  private:
    static constexpr std::size_t guard = 64;
    static constexpr std::uint8_t mark = 0xA5;
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::size_t size_;
    std::unique_ptr<std::uint8_t, Free> memory_;
};

// The output of a kernel in plain layout. The tasks are run in the parts that `splits` cuts them
// into, last part first, each with scratch of its own.
inline std::vector<std::uint8_t> run_kernel(ConvKernel kernel, const conv::ConvPlan& plan,
                                            const conv::ConvOperands& operands,
                                            std::vector<std::int64_t> splits = {}) {
    const conv::ConvShape& shape = plan.problem.shape;
    const conv::Layout layout = plan.schedule.layout();
    Guarded input(conv::to_layout(operands.input, layout, shape.n, shape.h, shape.w, shape.c));
    Guarded weights(conv::pack_weights(plan, operands.weights));
    auto tables = conv::pack_tables(plan, operands.weights, operands.requantisation);
    Guarded output(static_cast<std::size_t>(conv::output_bytes(shape, layout)), 0x5B);
    splits.push_back(plan.tasks());
    std::sort(splits.begin(), splits.end());
    for (std::size_t part = splits.size(); part-- > 0;) {
        // Garbage in the scratch must not matter.
        Guarded scratch(static_cast<std::size_t>(plan.scratch_bytes()),
                        static_cast<std::uint8_t>(17 * part + 0xC3));
        kernel(input.data(), weights.data(), tables.data(), output.data(), scratch.data(),
               part == 0 ? 0 : splits[part - 1], splits[part]);
        RC_ASSERT(scratch.intact());
    }
    RC_ASSERT(output.intact());
    return conv::from_layout(output.bytes(), layout, shape.n, shape.out_h(), shape.out_w(),
                             shape.k);
}

}  // namespace memside::codegen
