// A machine that decodes on its own cores, from the constants that `memside calibrate` measures:
// what each operation of a step takes with so many threads. docs/fidelity.md explains the model.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "kv/layout.h"
#include "system/cpu_schema.h"
#include "system/system_spec.h"

namespace memside {

// The constants at one number of threads; rates are those of all of them together.
struct CpuRates {
    struct Attention {
        double rows = 1;        // query heads of a pass
        double read_s = 0;      // of a token and dimension, in one pass
        double multiply_s = 0;  // of a token, dimension and query head
        double softmax_s = 0;   // of a token and query head
    };
    double threads = 1;
    double stream = 0;  // bytes/s, like the next
    double cache = 0;
    std::vector<double> gather;  // at gather_points()
    std::vector<double> copy;    // at copy_points()
    std::map<std::string, double, std::less<>> matmul_cache;
    std::map<std::string, double, std::less<>> matmul_memory;
    std::map<std::string, Attention, std::less<>> attention;
    double scan_f16 = 0;
    double scan_int8 = 0;
    double matmul_row_s = 0;
    double attention_overlap = 0;
    double fork_s = 0;
    double top_page_s = 0;
    double select_s = 0;
    double list_s = 0;
    double lookup_s = 0;
    double residency_s = 0;
    double norm_s = 0;
    double add_s = 0;
    double gate_s = 0;
    double round_s = 0;
    double turn_s = 0;
    double store_s = 0;
    double digest_s = 0;
};

// Pages of KV heads that a loop attends.
struct PageLoad {
    double pages = 0;         // of all KV heads
    double cached_pages = 0;  // of those, in the cache: copied there a moment ago
    double jobs = 1;          // that the threads take them in
    double page_tokens = 0;
    double page_bytes = 0;
    double head_dim = 0;
    int rows = 1;           // query heads of a KV head
    bool in_order = false;  // in the order of memory, else at random places
};

class CpuMachine {
  public:
    // The system must have a cpu and pass check_system().
    explicit CpuMachine(ConstantReader& constants);

    double threads() const { return many_.threads; }
    double capacity_bytes() const { return capacity_bytes_; }
    double cache_bytes() const { return cache_bytes_; }
    // Of what one thread does alone.
    const CpuRates& one() const { return one_; }

    // Weights of a type times one token's activations. `cold`: they lie in DRAM, not in the cache.
    double matmul_s(const std::string& type, double rows, double columns, bool cold) const;
    double attention_s(const PageLoad& load, kv::ValueType type, bool cold) const;
    // Scores of `pages` pages of `kv_heads` heads and the best ones of each set, for queries of
    // `query_values` values.
    double select_s(double pages, double kv_heads, double head_dim, double query_values,
                    double sets, kv::DigestType type) const;
    // Residency of `sets` sets, each of so many pages looked at, and copies.
    double recall_s(double sets, double pages_looked_at, double copies, double page_bytes) const;

  private:
    const CpuRates& rates(double active) const { return active > 1 ? many_ : one_; }
    // Threads that a loop of so many jobs keeps busy, and the share of it that the longest takes.
    double active(double jobs) const;
    double longest_share(double jobs) const;
    // Seconds of one of `active` threads for its own bytes.
    static double own_s(double bytes, double active, double one, double many);

    CpuRates one_;
    CpuRates many_;
    double capacity_bytes_ = 0;
    double cache_bytes_ = 0;
};

// Bytes of a weight type for so many values; the type must be one of measured_weight_types().
double weight_row_bytes(std::string_view type, double values);

// Bytes of a page of one KV head as the engine stores it; f16, bf16 or int8.
double stored_page_bytes(kv::ValueType type, double page_tokens, int head_dim);

}  // namespace memside
