// A system and a model with round numbers, so that a test can compute every figure by hand.
#pragma once

#include <string>
#include <utility>

#include "model/model_spec.h"
#include "system/system_spec.h"

namespace memside {

inline void set(Component& component, const std::string& key, double value) {
    Constant constant;
    constant.path = component.role + "." + key;
    constant.text = std::to_string(value);
    constant.value = value;
    constant.source = "assumed: a round number for the test";
    component.constants[key] = constant;
}

inline Component component(const std::string& role, ComponentKind kind, int count,
                           const std::vector<std::pair<std::string, double>>& constants) {
    Component part;
    part.role = role;
    part.name = "toy-" + role;
    part.kind = kind;
    part.count = count;
    for (const auto& [key, value] : constants) set(part, key, value);
    return part;
}

// GPU: 100 GB, nothing reserved, 1 TB/s, 100 TFLOP/s, tiles of one, no launch cost, 300 / 200 /
// 100 W at most, busy and idle, 50 pJ/B and 0.5 pJ/FLOP; prompts attend at half the peak.
// PNM: 50 GB, 500 GB/s, 1,000 multipliers at 1 GHz = 2 TFLOP/s, no launch cost, 100 W / 20 W.
// Links: GPU 100 GB/s; host 10 GB/s per GPU; uplink 20 GB/s; device 5 GB/s; no latency.
inline SystemSpec toy_system(int gpus, int devices) {
    SystemSpec system;
    system.name = "toy";
    const auto add = [&](Component part) {
        const std::string role = part.role;
        system.components[role] = std::move(part);
    };
    add(component("gpu", ComponentKind::gpu, gpus,
                  {{"memory_capacity", 100e9},
                   {"memory_reserved", 0.0},
                   {"memory_bandwidth", 1e12},
                   {"memory_efficiency", 1.0},
                   {"peak_fp16", 1e14},
                   {"compute_efficiency", 1.0},
                   {"multiprocessors", 1.0},
                   {"gemm_tile", 1.0},
                   {"mma_columns", 1.0},
                   {"kv_chunk", 1.0},
                   {"kernel_latency", 0.0},
                   {"prefill_efficiency", 0.5},
                   {"active_power", 300.0},
                   {"busy_power", 200.0},
                   {"idle_power", 100.0},
                   {"memory_energy", 5e-11},
                   {"compute_energy", 5e-13},
                   {"price", 1.0}}));
    add(component("gpu_link", ComponentKind::collective_link, 1,
                  {{"bandwidth", 1e11},
                   {"efficiency", 1.0},
                   {"ring_share", 1.0},
                   {"tree_share", 1.0},
                   {"ring_base_latency", 0.0},
                   {"tree_base_latency", 0.0},
                   {"ring_step_latency", 0.0},
                   {"tree_step_latency", 0.0},
                   {"energy", 1e-11}}));
    add(component("cost", ComponentKind::prices, 1,
                  {{"electricity", 0.36 / 3.6e6},
                   {"include_host", 0.0},
                   {"host_power", 50.0},
                   {"host_price", 0.25},
                   {"switch_power", 30.0},
                   {"switch_price", 0.125},
                   {"cooling", 0.5}}));
    if (devices > 0) {
        add(component("pnm", ComponentKind::pnm, devices,
                      {{"memory_capacity", 50e9},
                       {"memory_bandwidth", 5e11},
                       {"memory_efficiency", 1.0},
                       {"multipliers", 1000.0},
                       {"clock", 1e9},
                       {"compute_efficiency", 1.0},
                       {"sort_width", 1.0},
                       {"kernel_latency", 0.0},
                       {"dram_channels", 64.0},
                       {"tiles", 32.0},
                       {"sfu_width", 32.0},
                       {"vector_buffers", 1e6},
                       {"dma_buffers", 1e6},
                       {"sram_bits", 16384.0},
                       {"cycle_level", 0.0},
                       {"controller_power", 70.0},
                       {"dram_power", 30.0},
                       {"platform_power", 150.0},
                       {"idle_power", 20.0},
                       {"digest_in_capacity", 1.0},
                       {"price", 0.5}}));
        const auto link = [&](const std::string& role, double bytes_per_s) {
            add(component(role, ComponentKind::link, 1,
                          {{"bandwidth", bytes_per_s},
                           {"efficiency", 1.0},
                           {"latency", 0.0},
                           {"energy", 1e-11}}));
        };
        link("host_link", 1e10);
        link("uplink", 2e10);
        link("device_link", 5e9);
    }
    return system;
}

// Plain CXL memory on the same links: 50 GB and 500 GB/s a module, 60 W / 20 W.
inline void add_toy_cxl(SystemSpec& system, int modules) {
    const SystemSpec with_links = toy_system(1, 1);
    for (const char* role : {"host_link", "uplink", "device_link"}) {
        system.components[role] = with_links.components.at(role);
    }
    system.components["cxl"] = component("cxl", ComponentKind::cxl_memory, modules,
                                         {{"memory_capacity", 50e9},
                                          {"memory_bandwidth", 5e11},
                                          {"memory_efficiency", 1.0},
                                          {"active_power", 60.0},
                                          {"idle_power", 20.0},
                                          {"price", 0.2}});
}

// One layer, hidden 1,000, 8 query and 2 KV heads of 100, FFN 4,000, vocabulary 10,000, FP16.
inline ModelSpec toy_model() {
    ModelSpec model;
    model.name = "toy";
    model.layers = 1;
    model.hidden = 1000;
    model.heads = 8;
    model.kv_heads = 2;
    model.head_dim = 100;
    model.ffn = 4000;
    model.vocab = 10000;
    model.window_tokens = 1 << 20;
    derive_weights(model, 2, {});
    return model;
}

}  // namespace memside
