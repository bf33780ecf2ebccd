// Results for the tests of report/: shaped like those of a demo, with figures that are typed in to
// be drawn and are nobody's prediction.
#pragma once

#include <vector>

#include "cluster/result.h"

namespace memside::samples {

inline constexpr double gib = 1024.0 * 1024.0 * 1024.0;

inline std::vector<Constant> constants(bool with_pnm) {
    const auto flops = Dimension::flop_per_second;
    const auto rate = Dimension::bytes_per_second;
    std::vector<Constant> list{
        {"gpu.compute", "312 TFLOP/s", 312e12, flops, "A100 datasheet", "systems/a100.yaml:4"},
        {"gpu.memory_bandwidth", "2039 GB/s", 2039e9, rate, "A100 datasheet",
         "systems/a100.yaml:6"},
        {"gpu.memory_capacity", "80 GB", 80e9, Dimension::bytes, "A100 datasheet",
         "systems/a100.yaml:8"},
        {"gpu.memory_efficiency", "0.85", 0.85, Dimension::ratio,
         "assumed: streaming kernels reach 80 to 90 % of the peak", "systems/a100.yaml:10"},
        {"nvlink.bandwidth", "600 GB/s", 600e9, rate, "A100 datasheet", "systems/a100.yaml:20"}};
    if (with_pnm) {
        list.push_back({"pnm.memory_bandwidth", "1.1 TB/s", 1.1e12, rate, "arXiv 2511.00321",
                        "systems/cxl-pnm.yaml:5"});
        list.push_back({"pnm.compute", "8 TFLOP/s", 8e12, flops, "arXiv 2511.00321",
                        "systems/cxl-pnm.yaml:7"});
        list.push_back({"cxl.latency", "600 ns", 600e-9, Dimension::seconds,
                        "assumed: a switch hop, not stated by the paper",
                        "systems/cxl-pnm.yaml:19"});
    }
    return list;
}

// Nothing fits: two GPUs, all KV in HBM.
inline SimulationResult nothing_fits() {
    SimulationResult r;
    r.model = "llama-3.1-70b";
    r.system = "a100x2";
    r.policy = "dense";
    r.context_tokens = 131072;
    r.kv_bytes_per_request = std::int64_t{40} << 30;
    r.capacity = SimulationResult::Capacity{"gpu", 2, 71.53 * gib, 65.71 * gib, 20 * gib, 0, 0};
    r.reason =
        "one request of 128K tokens needs 20 GiB of KV on each of 2 GPUs, and 5.82 GiB are left "
        "of 71.53 GiB after 65.71 GiB of weights";
    r.constants = constants(false);
    r.assumptions = {{"batch", "max", "the default: the largest that fits"}};
    return r;
}

// Four GPUs, all KV in HBM: three requests.
inline SimulationResult dense_gpus() {
    SimulationResult r = nothing_fits();
    r.system = "a100x4";
    r.reason.clear();
    r.batch = 3;
    r.tpot_s = 0.045;
    r.throughput_tok_per_s = 3 / 0.045;
    r.energy_j_per_token = 19.2;
    r.energy_coarse_j_per_token = 24.0;
    r.usd_per_hour = 3.332;
    r.tokens_per_usd = *r.throughput_tok_per_s * 3600 / *r.usd_per_hour;
    r.kv_capacity_utilization = 0.78;
    r.kv_bytes_read_per_step = 0.5 * gib;
    r.gpu_utilization = 0.93;
    r.tp = 4;
    r.pp = 1;
    r.phases = {{"fc", 0.0220}, {"attention", 0.0182}, {"all-reduce", 0.0031}, {"other", 0.0017}};
    r.resources = {{"gpu", 0.0419}, {"nvlink", 0.0031}};
    r.energy = {{"gpu memory", 8.9}, {"gpu compute", 4.1}, {"gpu idle", 5.9}, {"links", 0.3}};
    r.capacity = SimulationResult::Capacity{"gpu", 4, 71.53 * gib, 32.86 * gib, 10 * gib, 0, 3};
    return r;
}

// Two GPUs with eight near-memory devices, and a timeline of its first layer.
inline SimulationResult near_memory() {
    SimulationResult r = dense_gpus();
    r.system = "a100x2-pnm8";
    r.policy = "pnm-kv";
    r.batch = 96;
    r.budget_tokens = 32768;
    r.page_size_tokens = 32;
    r.tpot_s = 0.2;
    r.throughput_tok_per_s = 480;
    r.energy_j_per_token = 3.1;
    r.energy_coarse_j_per_token = 4.6;
    r.ttft_s = 86.2;
    r.kv_fill_s = 0.895;
    r.prefill_energy_j = 61000;
    r.prefill = {{"attention", 50}, {"fc", 35.5}, {"fill", 0.5}, {"first_step", 0.2}};
    r.usd_per_hour = 4.01;
    r.tokens_per_usd = 480 * 3600 / 4.01;
    r.digest_bytes_per_request = std::int64_t{5} << 28;
    r.kv_capacity_utilization = 0.9375;
    r.pages_selected_per_step = 1024;
    r.pages_recalled_per_step = 0;
    r.kv_bytes_read_per_step = 0.125 * gib;
    r.digest_bytes_read_per_step = gib / 64;
    r.gpu_utilization = 0.21;
    r.device_utilization = 0.76;
    r.tp = 2;
    r.phases = {{"attention", 0.1290}, {"fc", 0.0400},    {"digest scan", 0.0181},
                {"transfer", 0.0069},  {"top-k", 0.0024}, {"all-reduce", 0.0021},
                {"other", 0.0015}};
    r.resources = {{"gpu", 0.0421}, {"pnm", 0.1520}, {"cxl", 0.0069}};
    r.energy = {{"pnm memory", 1.12},  {"pnm compute", 0.41}, {"gpu memory", 0.39},
                {"gpu compute", 0.52}, {"gpu idle", 0.44},    {"links", 0.22}};
    r.capacity = SimulationResult::Capacity{"pnm", 8, 512 * gib, 0, 41.25 * gib, 1.25 * gib, 12};
    r.constants = constants(true);
    r.assumptions = {
        {"selection", "not run", "assumed: min(budget, context) / page size pages are selected"},
        {"budget_tokens", "32K", "the default: a quarter of the context"}};
    r.timeline_resources = {"gpu", "cxl", "pnm"};
    r.timeline = {{"qkv", "fc", 0, 0, 0, 120e-6, 1.6e8, 3.1e10, true},
                  {"scatter", "transfer", 1, 0, 120e-6, 20.4e-6, 1.9e6, 0, true},
                  {"append", "attention", 2, 0, 140.4e-6, 1.1e-6, 4096, 0, true},
                  {"scan", "digest scan", 2, 0, 141.5e-6, 226e-6, 2e8, 4e9, true},
                  {"attend", "attention", 2, 0, 367.5e-6, 1612e-6, 1.6e9, 1.3e10, true},
                  {"prefetch", "fc", 0, 0, 140.4e-6, 90e-6, 1e8, 0, false},
                  {"gather", "transfer", 1, 0, 1979.5e-6, 16e-6, 1.5e6, 0, true},
                  {"ffn", "fc", 0, 0, 1995.5e-6, 377e-6, 7e8, 1.3e11, true},
                  {"lm head", "fc", 0, -1, 2372.5e-6, 300e-6, 1e9, 2e11, true}};
    return r;
}

inline std::vector<SimulationResult> demo() {
    return {nothing_fits(), dense_gpus(), near_memory()};
}

}  // namespace memside::samples
