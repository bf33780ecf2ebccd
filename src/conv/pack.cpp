// Weights and tables in the order in which a kernel reads them.
#include <cassert>

#include "conv/conv_plan.h"

namespace memside::conv {
namespace {

using Over = ReductionLoop::Over;

struct Position {
    std::int64_t r = 0;
    std::int64_t s = 0;
    std::int64_t block = 0;
    std::int64_t channel = 0;  // within the block
};

// Visits the positions at which the runs of a nest start, in the order of its loops.
template <typename Visit>
void for_each_run(const ReductionNest& nest, std::size_t depth, const Position& at,
                  const Visit& visit) {
    if (depth == nest.loops.size()) {
        visit(at);
        return;
    }
    const ReductionLoop& loop = nest.loops[depth];
    Position next = at;
    for (std::int64_t trip = 0; trip < loop.trips; ++trip) {
        for_each_run(nest, depth + 1, next, visit);
        switch (loop.over) {
            case Over::kernel_row:
                next.r += loop.advance;
                break;
            case Over::kernel_column:
                next.s += loop.advance;
                break;
            case Over::channel_block:
                next.block += loop.advance;
                break;
            case Over::channel:
                next.channel += loop.advance;
                break;
        }
    }
}

class Packer {
  public:
    Packer(const ConvPlan& plan, std::span<const std::int8_t> weights)
        : plan_(plan), machine_(traits(plan.target)), weights_(weights) {
        packed_.reserve(static_cast<std::size_t>(plan.weight_bytes));
    }

    // The register tile whose first output channel is `k`.
    void block(std::int64_t k, std::int64_t vectors) {
        for (const ReductionNest& nest : plan_.nests) {
            Position start;
            start.channel = nest.first_channel;
            for_each_run(nest, 0, start, [&](const Position& at) { run(nest, at, k, vectors); });
        }
    }

    std::vector<std::uint8_t> take() { return std::move(packed_); }

  private:
    // One unrolled body after another.
    void run(const ReductionNest& nest, const Position& at, std::int64_t k, std::int64_t vectors) {
        for (std::int64_t first = 0; first < nest.steps; first += plan_.schedule.chunk) {
            const std::int64_t last =
                std::min<std::int64_t>(first + plan_.schedule.chunk, nest.steps);
            body_.clear();
            for (std::int64_t step = first; step < last; ++step) {
                for (std::int64_t v = 0; v < vectors; ++v) {
                    vector(nest, at, step * machine_.group, k + v * machine_.lanes);
                }
            }
            write_body();
        }
    }

    void vector(const ReductionNest& nest, const Position& at, std::int64_t element,
                std::int64_t k) {
        for (std::int64_t lane = 0; lane < machine_.lanes; ++lane) {
            for (std::int64_t i = 0; i < machine_.group; ++i) {
                body_.push_back(element + i < nest.run_elements
                                    ? weight(nest, at, element + i, k + lane)
                                    : std::int8_t{0});
            }
        }
    }

    // The weight `element` elements after the position, in buffer order.
    std::int8_t weight(const ReductionNest& nest, const Position& at, std::int64_t element,
                       std::int64_t k) const {
        const ConvShape& shape = plan_.problem.shape;
        if (!nest.crosses && at.channel + element >= plan_.block_channels) return 0;
        std::int64_t index =
            ((at.r * shape.s + at.s) * plan_.channel_blocks + at.block) * plan_.block_channels +
            at.channel + element;
        const std::int64_t channel = index % plan_.block_channels;
        index /= plan_.block_channels;
        const std::int64_t c = index % plan_.channel_blocks * plan_.block_channels + channel;
        const std::int64_t tap = index / plan_.channel_blocks;
        if (k >= shape.k || c >= shape.c) return 0;
        return weights_[static_cast<std::size_t>((k * shape.r * shape.s + tap) * shape.c + c)];
    }

    // Four-bit weights: vectors 2i and 2i + 1 are the low and the high halves of the same bytes.
    void write_body() {
        if (plan_.problem.weight != WeightType::s4) {
            packed_.insert(packed_.end(), body_.begin(), body_.end());
            return;
        }
        const auto bytes = static_cast<std::size_t>(machine_.lanes * machine_.group);
        if (body_.size() / bytes % 2 != 0) body_.resize(body_.size() + bytes);
        for (std::size_t first = 0; first < body_.size(); first += 2 * bytes) {
            for (std::size_t i = first; i < first + bytes; ++i) {
                const auto low = static_cast<std::uint32_t>(body_[i]) & 0xFU;
                const auto high = static_cast<std::uint32_t>(body_[i + bytes]) & 0xFU;
                packed_.push_back(static_cast<std::uint8_t>(high << 4U | low));
            }
        }
    }

    const ConvPlan& plan_;
    const TargetTraits& machine_;
    std::span<const std::int8_t> weights_;
    std::vector<std::int8_t> body_;
    std::vector<std::uint8_t> packed_;
};

}  // namespace

std::vector<std::uint8_t> pack_weights(const ConvPlan& plan, std::span<const std::int8_t> weights) {
    assert(std::ssize(weights) == plan.problem.shape.k * plan.problem.shape.reduction());
    const std::int64_t lanes = traits(plan.target).lanes;
    Packer packer(plan, weights);
    std::int64_t k = 0;
    for (std::int64_t block = 0; block < plan.full_blocks; ++block) {
        packer.block(k, plan.schedule.vectors);
        k += plan.schedule.vectors * lanes;
    }
    if (plan.rest_vectors > 0) packer.block(k, plan.rest_vectors);
    return packer.take();
}

std::vector<std::int32_t> pack_tables(const ConvPlan& plan, std::span<const std::int8_t> weights,
                                      const Requantisation& requantisation) {
    const ConvShape& shape = plan.problem.shape;
    const auto lanes = static_cast<std::size_t>(traits(plan.target).lanes);
    const auto reduction = static_cast<std::size_t>(shape.reduction());
    const std::int32_t zero_point = raised_zero_point(plan.problem, plan.target);
    std::vector<std::int32_t> tables(static_cast<std::size_t>(plan.table_values()));
    for (std::size_t k = 0; k < static_cast<std::size_t>(shape.k); ++k) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < reduction; ++i) sum += weights[k * reduction + i];
        // The high half of a 64-bit product is shifted by what is left of the shift; rounding and
        // the zero point of the output are added before that.
        const std::int32_t shift = requantisation.shift[k] - 32;
        const std::int32_t rounding = (std::int32_t{1} << (shift - 1)) +
                                      plan.problem.output_zero_point * (std::int32_t{1} << shift);
        std::int32_t* table = &tables[k / lanes * 4 * lanes + k % lanes];
        table[0] = static_cast<std::int32_t>(requantisation.bias[k] - zero_point * sum);
        table[lanes] = requantisation.multiplier[k];
        table[2 * lanes] = rounding;
        table[3 * lanes] = shift;
    }
    return tables;
}

}  // namespace memside::conv
