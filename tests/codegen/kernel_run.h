// A generated kernel run on random operands, between guards.
#pragma once

#include <rapidcheck.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "codegen/conv_compiler.h"
#include "conv/conv_plan.h"
#include "conv/random_conv.h"

namespace memside::codegen {

// Bytes between two pages that may not be touched, at the beginning or at the end of the room
// between them; what is left of the room is marked.
class Guarded {
  public:
    enum class At { begin, end };

    Guarded(std::size_t size, std::uint8_t filling, At at) : size_(size) {
        room_ = (size + page - 1) / page * page;
        memory_ = static_cast<std::uint8_t*>(
            mmap(nullptr, room_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        mprotect(memory_ + page, room_, PROT_READ | PROT_WRITE);
        data_ = memory_ + page + (at == At::end ? room_ - size : 0);
        std::fill_n(memory_ + page, room_, mark);
        std::fill_n(data_, size, filling);
    }
    Guarded(const std::vector<std::uint8_t>& bytes, At at) : Guarded(bytes.size(), 0, at) {
        std::copy(bytes.begin(), bytes.end(), data_);
    }
    ~Guarded() { munmap(memory_, room_ + 2 * page); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    std::uint8_t* data() { return data_; }
    std::vector<std::uint8_t> bytes() const { return {data_, data_ + size_}; }
    bool intact() const {
        const auto marked = [](const std::uint8_t* first, const std::uint8_t* last) {
            return std::all_of(first, last, [](std::uint8_t byte) { return byte == mark; });
        };
        return marked(memory_ + page, data_) && marked(data_ + size_, memory_ + page + room_);
    }

  private:
    static constexpr std::size_t page = 4096;
    static constexpr std::uint8_t mark = 0xA5;
    std::size_t size_;
    std::size_t room_;
    std::uint8_t* memory_;
    std::uint8_t* data_;
};

// The output of a kernel in plain layout. The tasks are run in the parts that `splits` cuts them
// into, last part first, each with scratch of its own.
inline std::vector<std::uint8_t> run_kernel(ConvKernel kernel, const conv::ConvPlan& plan,
                                            const conv::ConvOperands& operands,
                                            std::vector<std::int64_t> splits = {},
                                            Guarded::At at = Guarded::At::end) {
    const conv::ConvShape& shape = plan.problem.shape;
    const conv::Layout layout = plan.schedule.layout();
    Guarded input(conv::to_layout(operands.input, layout, shape.n, shape.h, shape.w, shape.c), at);
    Guarded weights(conv::pack_weights(plan, operands.weights), at);
    const auto values = conv::pack_tables(plan, operands.weights, operands.requantisation);
    Guarded tables(values.size() * sizeof(std::int32_t), 0, at);
    std::memcpy(tables.data(), values.data(), values.size() * sizeof(std::int32_t));
    Guarded output(static_cast<std::size_t>(conv::output_bytes(shape, layout)), 0x5B, at);
    splits.push_back(plan.tasks());
    std::sort(splits.begin(), splits.end());
    for (std::size_t part = splits.size(); part-- > 0;) {
        // Garbage in the scratch must not matter.
        Guarded scratch(static_cast<std::size_t>(plan.scratch_bytes()),
                        static_cast<std::uint8_t>(17 * part + 0xC3), at);
        kernel(input.data(), weights.data(), reinterpret_cast<const std::int32_t*>(tables.data()),
               output.data(), scratch.data(), part == 0 ? 0 : splits[part - 1], splits[part]);
        RC_ASSERT(scratch.intact());
    }
    RC_ASSERT(output.intact());
    return conv::from_layout(output.bytes(), layout, shape.n, shape.out_h(), shape.out_w(),
                             shape.k);
}

}  // namespace memside::codegen
