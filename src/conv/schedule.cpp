#include "conv/schedule.h"

#include "base/number.h"
#include "base/text.h"
#include "conv/conv_plan.h"

namespace memside::conv {
namespace {

// vpdpbusd: 16 sums of 4 products of bytes. vpmaddwd: 8 sums of 2 products of 16-bit numbers, since
// vpmaddubsw, which takes bytes, saturates. A product of vpmaddwd takes a register before it is
// added.
constexpr TargetTraits vnni{16, 4, 32, 1, 1};
constexpr TargetTraits avx2{8, 2, 16, 2, 2};

constexpr std::array<std::int32_t, 5> row_values{1, 2, 4, 8, 16};
constexpr std::array<std::int32_t, 5> block_values{1, 2, 4, 8, 16};
constexpr std::array<std::int32_t, 10> pixel_values{1, 2, 4, 6, 7, 8, 10, 12, 14, 28};
constexpr std::array<std::int32_t, 3> vector_values{1, 2, 4};
constexpr std::array<std::int32_t, 4> chunk_values{1, 2, 4, 8};
constexpr std::array<std::int32_t, 2> switch_values{0, 1};

constexpr std::array<Knob, knob_count> knobs{
    Knob{"tile_rows", row_values, "rows of output pixels per task"},
    Knob{"tile_blocks", block_values, "register tiles of output channels per task"},
    Knob{"pixels", pixel_values, "output pixels of a register tile"},
    Knob{"vectors", vector_values, "vectors of output channels of a register tile"},
    Knob{"chunk", chunk_values, "broadcasts per pixel in the unrolled body"},
    Knob{"channel_outer", switch_values, "input channels outside kernel rows and columns"},
    Knob{"packed", switch_values, "the epilogue packs several vectors into one store"},
    Knob{"tiled", switch_values, "activations in tiles of 64 channels"},
    Knob{"reuse", switch_values, "a pixel under several kernel columns is kept once"},
};

std::int32_t clamp32(std::int32_t value, std::int64_t high) {
    return static_cast<std::int32_t>(std::min<std::int64_t>(value, high));
}

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

}  // namespace

const TargetTraits& traits(Target target) {
    return target == Target::x86_vnni ? vnni : avx2;
}

std::span<const Knob, knob_count> schedule_knobs() {
    return std::span<const Knob, knob_count>(conv::knobs);
}

KnobVector Schedule::knobs() const {
    return {tile_rows, tile_blocks, pixels, vectors, chunk, channel_outer, packed, tiled, reuse};
}

Schedule Schedule::from(const KnobVector& v) {
    return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]};
}

std::string format_schedule(const Schedule& schedule) {
    const KnobVector values = schedule.knobs();
    std::string text;
    for (std::size_t i = 0; i < knob_count; ++i) {
        text += fmt::format("{}{}={}", i == 0 ? "" : " ", conv::knobs[i].name, values[i]);
    }
    return text;
}

Result<Schedule> parse_schedule(std::string_view text, const std::string& where) {
    constexpr std::int64_t max_value = 65536;
    std::vector<std::string> names;
    for (const Knob& knob : conv::knobs) names.emplace_back(knob.name);
    KnobVector values{};
    std::array<bool, knob_count> given{};
    std::string_view rest = trim(text);
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find(' '));
        rest = trim(rest.substr(word.size()));
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            return bad_input(where, fmt::format("{} is not KNOB=VALUE", in_quotes(word)));
        }
        MEMSIDE_TRY(const std::size_t knob, parse_choice(word.substr(0, equals), names, where));
        MEMSIDE_TRY(const std::int64_t value,
                    parse_integer(word.substr(equals + 1), 0, max_value,
                                  fmt::format("{}, {}", where, names[knob])));
        if (given[knob]) return bad_input(where, fmt::format("{} is given twice", names[knob]));
        given[knob] = true;
        values[knob] = static_cast<std::int32_t>(value);
    }
    for (std::size_t i = 0; i < knob_count; ++i) {
        if (!given[i]) return bad_input(where, fmt::format("{} is missing", names[i]));
    }
    return Schedule::from(values);
}

Schedule canonical(const ConvProblem& problem, Target target, const Schedule& schedule) {
    const ConvShape& shape = problem.shape;
    const TargetTraits& machine = traits(target);
    Schedule result = schedule;
    result.tile_rows = clamp32(result.tile_rows, shape.out_h());
    result.vectors = clamp32(result.vectors, divide_up(shape.k, machine.lanes));
    const std::int64_t block = std::max(result.vectors, 1) * machine.lanes;
    result.tile_blocks = clamp32(result.tile_blocks, divide_up(shape.k, block));
    if (channel_tile(shape.c) == shape.c && channel_tile(shape.k) == shape.k) result.tiled = 0;
    if (result.reuse == 0 || shape.r * shape.s == 1) result.channel_outer = 0;
    if (result.tile_rows > 0 && result.pixels > 0) {
        if (is_flat(problem, result)) {
            result.pixels = clamp32(result.pixels, result.tile_rows * shape.out_w());
        } else if (result.pixels > shape.out_w()) {
            // Whole rows of output pixels, as many as fit.
            const std::int64_t rows =
                std::min<std::int64_t>(result.pixels / shape.out_w(), result.tile_rows);
            result.pixels = static_cast<std::int32_t>(rows * shape.out_w());
        }
    }
    result.chunk = clamp32(result.chunk, longest_run(problem, target, result));
    return result;
}

Status valid(const ConvProblem& problem, Target target, const Schedule& schedule) {
    MEMSIDE_CHECK(check(problem, "convolution"));
    const std::string where = "schedule";
    const KnobVector given = schedule.knobs();
    for (std::size_t i = 0; i < knob_count; ++i) {
        const Knob& knob = conv::knobs[i];
        const std::int32_t low = knob.values.front();
        const std::int32_t high = low == 0 ? 1 : 65536;
        if (given[i] < low || given[i] > high) {
            return bad_input(
                where, fmt::format("{} is {}; allowed: {} to {}", knob.name, given[i], low, high));
        }
    }
    const TargetTraits& machine = traits(target);
    const Schedule point = canonical(problem, target, schedule);
    const std::int64_t sums = std::int64_t{point.pixels} * point.vectors;
    // Four-bit weights need one more, for the mask that parts them.
    const std::int64_t others =
        point.vectors + machine.spare_registers + (problem.weight == WeightType::s4 ? 1 : 0);
    if (sums + others > machine.registers) {
        return bad_input(
            where, fmt::format("{} pixels x {} vectors need {} sums and {} other registers; "
                               "{} has {}",
                               point.pixels, point.vectors, sums, others,
                               target_names[static_cast<std::size_t>(target)], machine.registers));
    }
    if (point.packed != 0 && point.vectors < 2) {
        return bad_input(where, "packed needs at least 2 vectors: there is nothing to pack");
    }
    const std::int64_t scratch = planned(problem, target, point).scratch_bytes();
    if (scratch > max_scratch_bytes) {
        return bad_input(where,
                         fmt::format("a task of {} rows would copy {} of input; allowed: {}",
                                     point.tile_rows, format_bytes(static_cast<double>(scratch)),
                                     format_bytes(static_cast<double>(max_scratch_bytes))));
    }
    return {};
}

}  // namespace memside::conv
