// Sums, norms, rotation and gates.
#include <cmath>

#include "pim/dynamic/hub_unit.h"
#include "pim/kernels/kernel.h"

namespace memside::pim {
namespace {

float silu(float x) {
    return x / (1.0F + std::exp(-x));
}

// The approximation with tanh, as Gemma's and GPT-2's models are trained with.
float gelu_tanh(float x) {
    constexpr float root = 0.797884560802865F;  // of 2 / pi
    constexpr float cubic = 0.044715F;
    return 0.5F * x * (1.0F + std::tanh(root * (x + cubic * x * x * x)));
}

}  // namespace

float HubUnit::load(Memory& memory, std::uint32_t gpr, std::uint32_t lane) {
    const Tile& tile = memory.gpr(gpr);
    if ((unsigned{tile.written} >> lane & 1U) == 0) {
        uninitialised_.add({0, Opcode::eoc, {.space = Space::gpr, .entry = gpr}});
    }
    return to_float(tile.values[lane]);
}

std::vector<float> HubUnit::load_values(Memory& memory, std::uint32_t gpr, std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = load(memory, gpr + static_cast<std::uint32_t>(i / lanes),
                         static_cast<std::uint32_t>(i % lanes));
    }
    return values;
}

void HubUnit::store_values(Memory& memory, std::uint32_t gpr, const std::vector<float>& values) {
    const std::size_t padded = std::size_t{units(values.size(), lanes)} * lanes;
    for (std::size_t i = 0; i < padded; ++i) {
        memory.gpr(gpr + static_cast<std::uint32_t>(i / lanes))
            .set(static_cast<unsigned>(i % lanes), to_bf16(i < values.size() ? values[i] : 0.0F));
    }
}

void HubUnit::reduce(const HubInstruction& hub, Memory& memory) {
    const std::size_t count = std::size_t{hub.tiles} * lanes;
    std::vector<float> sums(count, 0.0F);
    for (std::uint32_t part = 0; part < hub.parts; ++part) {
        const std::vector<float> values =
            load_values(memory, hub.gpr + part * hub.part_stride, count);
        for (std::size_t i = 0; i < count; ++i) sums[i] += values[i];
    }
    if (hub.choice == 1) {
        const std::vector<float> bias = load_values(memory, hub.gpr2, count);
        for (std::size_t i = 0; i < count; ++i) sums[i] += bias[i];
    }
    store_values(memory, hub.gpr_out, sums);
}

void HubUnit::rms_norm(const HubInstruction& hub, Memory& memory) {
    const std::vector<float> weight = load_values(memory, hub.gpr2, hub.values);
    const std::uint32_t stride = units(hub.values, lanes);
    for (std::uint32_t row = 0; row < hub.rows; ++row) {
        std::vector<float> values = load_values(memory, hub.gpr + row * stride, hub.values);
        float sum = 0;
        for (const float x : values) sum += x * x;
        const float norm = 1.0F / std::sqrt(sum / static_cast<float>(hub.values) + hub.scale);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] *= norm * weight[i];
        store_values(memory, hub.gpr_out + row * stride, values);
    }
}

void HubUnit::rope(const HubCall& call, Memory& memory) {
    const HubInstruction& hub = call.hub;
    const std::uint32_t half = hub.head_dim / 2;
    const std::uint32_t stride = units(hub.head_dim, lanes);
    const bool neox = static_cast<RopeStyle>(hub.choice) == RopeStyle::neox;
    // Angles in double: in FP32 the position 1,000,000 would be off by hundredths of a radian.
    const auto at = call.position ? *call.position : call.request_tokens - 1;
    const double position = static_cast<double>(at) * double{hub.scale};
    for (std::uint32_t head = 0; head < hub.heads; ++head) {
        std::vector<float> values = load_values(memory, hub.gpr + head * stride, hub.head_dim);
        for (std::uint32_t i = 0; i < half; ++i) {
            const double divisor = call.table == nullptr ? 1.0 : double{(*call.table)[i]};
            const double angle =
                position / divisor *
                std::pow(double{hub.theta}, -2.0 * i / static_cast<double>(hub.head_dim));
            const auto cosine = static_cast<float>(std::cos(angle));
            const auto sine = static_cast<float>(std::sin(angle));
            float& a = values[neox ? i : 2 * i];
            float& b = values[neox ? i + half : 2 * i + 1];
            const float turned = a * cosine - b * sine;
            b = a * sine + b * cosine;
            a = turned;
        }
        store_values(memory, hub.gpr + head * stride, values);
    }
}

void HubUnit::combine(const HubInstruction& hub, Memory& memory) {
    const std::size_t count = std::size_t{hub.tiles} * lanes;
    std::vector<float> a = load_values(memory, hub.gpr, count);
    const std::vector<float> b = load_values(memory, hub.gpr2, count);
    const bool is_silu = static_cast<GateFunction>(hub.choice) == GateFunction::silu;
    for (std::size_t i = 0; i < count; ++i) {
        if (hub.op == HubOp::add) {
            a[i] += b[i];
        } else {
            a[i] = (is_silu ? silu(a[i]) : gelu_tanh(a[i])) * b[i];
        }
    }
    store_values(memory, hub.gpr_out, a);
}

void HubUnit::fill(const HubInstruction& hub, Memory& memory) {
    store_values(memory, hub.gpr_out,
                 std::vector<float>(std::size_t{hub.tiles} * lanes, hub.scale));
}

void HubUnit::copy(const HubInstruction& hub, Memory& memory) {
    store_values(memory, hub.gpr_out, load_values(memory, hub.gpr, std::size_t{hub.tiles} * lanes));
}

void HubUnit::merge(const HubInstruction& hub, Memory& memory) {
    const std::vector<float> values = load_values(memory, hub.gpr, hub.values);
    for (std::uint32_t i = 0; i < hub.values; ++i) {
        memory.gpr(hub.gpr2 + i * hub.tile_stride).set(hub.choice, to_bf16(values[i]));
    }
}

Status HubUnit::execute(const HubCall& call, Memory& memory) {
    const HubInstruction& hub = call.hub;
    switch (hub.op) {
        case HubOp::softmax_start:
            softmax_start(hub);
            break;
        case HubOp::softmax_block:
            MEMSIDE_CHECK(check_started(hub));
            softmax_block(call, memory);
            break;
        case HubOp::accumulate:
            MEMSIDE_CHECK(check_started(hub));
            accumulate(hub, memory);
            break;
        case HubOp::softmax_finish:
            MEMSIDE_CHECK(check_started(hub));
            softmax_finish(hub, memory);
            break;
        case HubOp::reduce:
            reduce(hub, memory);
            break;
        case HubOp::rms_norm:
            rms_norm(hub, memory);
            break;
        case HubOp::rope:
            rope(call, memory);
            break;
        case HubOp::gate:
        case HubOp::add:
            combine(hub, memory);
            break;
        case HubOp::fill:
            fill(hub, memory);
            break;
        case HubOp::copy:
            copy(hub, memory);
            break;
        case HubOp::combine:
            combine_parts(hub, memory);
            break;
        case HubOp::merge:
            merge(hub, memory);
            break;
        case HubOp::append_key:
        case HubOp::append_value:
            break;  // expansion has turned them into instructions
    }
    return {};
}

}  // namespace memside::pim
