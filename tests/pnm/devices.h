// The device of the paper, simulated and as a roofline, with --set overrides.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pnm/pnm_device.h"
#include "pnm/pnm_roofline.h"
#include "system/catalog.h"

namespace memside::pnm {

using Overrides = std::vector<std::pair<std::string, std::string>>;

inline const Overrides peak_rates{{"pnm.memory_efficiency", "1"}, {"pnm.compute_efficiency", "1"}};

struct Devices {
    explicit Devices(const Overrides& overrides = {})
        : system(load_system("a100x1-pnm1", overrides).value()), constants(system) {
        roofline = make_pnm_roofline(constants);
        simulated = make_pnm_device(constants).value();
        spec = read_pnm_spec(constants).value();
        dram = DramStreams::shared(pnm_dram, spec.dram_channels).value();
    }
    KernelTime time(const Operation& operation) const {
        return kernel_time(operation, spec, *dram).value();
    }

    SystemSpec system;
    ConstantReader constants;
    std::unique_ptr<Device> roofline;
    std::unique_ptr<Device> simulated;
    PnmSpec spec;
    std::shared_ptr<const DramStreams> dram;
};

// Llama-3.1: 8 KV heads of 128 each.
struct StudiedModel {
    const char* name;
    double query_heads;
};
inline constexpr StudiedModel studied_models[] = {{"8B", 32}, {"70B", 64}, {"405B", 128}};
inline constexpr double studied_kv_heads = 8;
inline constexpr double studied_head_dim = 128;
inline constexpr double studied_page = 32;

inline Attention attention_of(const StudiedModel& model, double requests, double tokens) {
    return {requests, model.query_heads, studied_kv_heads, studied_head_dim, tokens,
            16,       studied_page};
}
inline DigestScan scan_of(const StudiedModel& model, double requests, double context) {
    return {requests * context / studied_page, model.query_heads, studied_kv_heads,
            studied_head_dim, 16};
}
inline KvAppend append_of(double requests) {
    const double vector_bytes = studied_kv_heads * studied_head_dim * 2;
    return {requests * 2 * vector_bytes, requests * vector_bytes,
            requests * 2 * vector_bytes / studied_page, requests};
}

}  // namespace memside::pnm
