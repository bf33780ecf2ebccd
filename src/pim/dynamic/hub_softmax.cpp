// Softmax over blocks: a running maximum, the sum of weights, and outputs that follow both.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "pim/dynamic/hub_unit.h"
#include "pim/kernels/kernel.h"

namespace memside::pim {
namespace {

constexpr float nothing_seen = -std::numeric_limits<float>::infinity();

bool counts(const HubCall& call, std::uint64_t token) {
    const std::uint64_t window = call.hub.window;
    return token < call.request_tokens && (window == 0 || token + window >= call.request_tokens);
}

// Three bf16 whose sum is an FP32 value: 8 bits of its 24 each.
std::vector<float> in_three(float value) {
    if (std::isinf(value)) return {value, 0, 0};
    std::vector<float> parts;
    for (int i = 0; i < 3; ++i) {
        parts.push_back(to_float(to_bf16(value)));
        value -= parts.back();
    }
    return parts;
}

}  // namespace

Status HubUnit::check_started(const HubInstruction& hub) const {
    for (std::uint32_t q = hub.first_query; q < hub.first_query + hub.queries; ++q) {
        const Query& of = states_[hub.state][q];
        const std::string where(info(hub.op).name);
        if (!of.started) {
            return bad_input(where,
                             fmt::format("query {} of state {} was not started", q, hub.state));
        }
        if (hub.op != HubOp::softmax_block && of.output.size() != hub.head_dim) {
            return bad_input(where, fmt::format("query {} of state {} was started with head_dim {}",
                                                q, hub.state, of.output.size()));
        }
    }
    return {};
}

void HubUnit::softmax_start(const HubInstruction& hub) {
    for (std::uint32_t q = 0; q < hub.queries; ++q) {
        query(hub, q) = {true, nothing_seen, 0, std::vector<float>(hub.head_dim, 0.0F)};
    }
}

void HubUnit::softmax_block(const HubCall& call, Memory& memory) {
    const HubInstruction& hub = call.hub;
    // Scores of all queries first: weights may take their place.
    std::vector<std::vector<float>> scaled(hub.queries);
    for (std::uint32_t q = 0; q < hub.queries; ++q) {
        scaled[q].assign(call.tokens, nothing_seen);
        for (std::uint64_t i = 0; i < call.tokens; ++i) {
            if (!counts(call, call.first_token + i)) continue;
            const auto tile = static_cast<std::uint32_t>(i / lanes);
            const std::uint32_t gpr = hub.gpr + q * hub.query_stride + tile * hub.tile_stride;
            scaled[q][i] = hub.scale * load(memory, gpr, i % lanes);
        }
    }
    const std::uint32_t padded = units(call.tokens, hub.granule) * hub.granule;
    for (std::uint32_t q = 0; q < hub.queries; ++q) {
        Query& of = query(hub, q);
        float maximum = of.maximum;
        for (const float x : scaled[q]) maximum = std::fmax(maximum, x);
        if (of.maximum != nothing_seen) {
            const float factor = std::exp(of.maximum - maximum);
            of.sum *= factor;
            for (float& value : of.output) value *= factor;
        }
        of.maximum = maximum;
        for (std::uint32_t i = 0; i < padded; ++i) {
            const bool seen = i < call.tokens && scaled[q][i] != nothing_seen;
            const Bf16 weight = to_bf16(seen ? std::exp(scaled[q][i] - maximum) : 0.0F);
            of.sum += to_float(weight);
            const std::uint32_t tile = i / lanes;
            const std::uint32_t gpr = hub.gpr_out + q * hub.out_query_stride +
                                      tile % hub.classes * hub.class_stride + tile / hub.classes;
            memory.gpr(gpr).set(i % lanes, weight);
        }
    }
}

void HubUnit::accumulate(const HubInstruction& hub, Memory& memory) {
    for (std::uint32_t q = 0; q < hub.queries; ++q) {
        std::vector<float>& output = query(hub, q).output;
        for (std::uint32_t part = 0; part < hub.parts; ++part) {
            for (std::uint32_t i = 0; i < hub.head_dim; ++i) {
                const std::uint32_t gpr = hub.gpr + q * hub.query_stride + part * hub.part_stride +
                                          i / lanes * hub.tile_stride;
                output[i] += load(memory, gpr, i % lanes);
            }
        }
    }
}

void HubUnit::softmax_finish(const HubInstruction& hub, Memory& memory) {
    for (std::uint32_t q = 0; q < hub.queries; ++q) {
        Query& of = query(hub, q);
        std::vector<float> result = of.output;
        const std::uint32_t gpr = hub.gpr_out + q * hub.out_query_stride;
        // A part without tokens is no error: other modules have some.
        if (hub.choice == 0 || of.sum > 0) {
            for (float& value : result) value /= of.sum;
        }
        store_values(memory, gpr, result);
        if (hub.choice == 1) {
            const float total = of.sum > 0 ? of.maximum + std::log(of.sum) : nothing_seen;
            store_values(memory, gpr + units(hub.head_dim, lanes), in_three(total));
        }
        of.started = false;
    }
}

void HubUnit::combine_parts(const HubInstruction& hub, Memory& memory) {
    for (std::uint32_t q = 0; q < hub.queries; ++q) {
        const auto part_gpr = [&](std::uint32_t part) {
            return hub.gpr + q * hub.query_stride + part * hub.part_stride;
        };
        std::vector<float> totals;
        for (std::uint32_t part = 0; part < hub.parts; ++part) {
            const auto lanes_of =
                load_values(memory, part_gpr(part) + units(hub.head_dim, lanes), 3);
            totals.push_back(lanes_of[0] + lanes_of[1] + lanes_of[2]);
        }
        const float maximum = *std::max_element(totals.begin(), totals.end());
        std::vector<float> result(hub.head_dim, 0.0F);
        float sum = 0;
        for (std::uint32_t part = 0; part < hub.parts; ++part) {
            if (totals[part] == nothing_seen) continue;
            const float weight = std::exp(totals[part] - maximum);
            const std::vector<float> values = load_values(memory, part_gpr(part), hub.head_dim);
            sum += weight;
            for (std::size_t i = 0; i < values.size(); ++i) result[i] += weight * values[i];
        }
        for (float& value : result) value /= sum;
        store_values(memory, hub.gpr_out + q * hub.out_query_stride, result);
    }
}

}  // namespace memside::pim
