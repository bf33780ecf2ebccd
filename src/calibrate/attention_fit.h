// From times of the attention kernel to the few constants that a page of any shape is timed with:
//   arithmetic(page) = tokens x (dim x (passes x read + heads x multiply) + heads x softmax)
// with passes = ceil(heads / heads of a pass), heads being the query heads of a KV head.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "calibrate/probe.h"
#include "kv/layout.h"

namespace memside::calibrate {

inline constexpr kv::ValueType attention_types[] = {kv::ValueType::f16, kv::ValueType::bf16,
                                                    kv::ValueType::int8};
inline constexpr int attention_dims[] = {64, 128};
inline constexpr int attention_rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 12};
inline constexpr int overlap_dim = 64;
inline constexpr double probe_page_tokens = 64;

// Names of the probes: seconds per page of a KV head, from the cache and from memory.
std::string attention_probe(const std::string& prefix, const std::string& type, int head_dim,
                            int rows);
std::string overlap_probe(const std::string& prefix, int rows);

struct AttentionTimes {
    int rows_per_pass = 1;
    double read_s = 0.0;      // of a token and dimension in one pass
    double multiply_s = 0.0;  // of a token, dimension and query head
    double softmax_s = 0.0;   // of a token and query head
    double error = 0.0;       // of the fit, root mean square, relative

    // Of one thread over a page.
    double page_s(double tokens, double head_dim, int rows) const;
};

// Seconds per page that a shape took.
using PageSeconds = std::function<double(int head_dim, int rows)>;

// The constants, none negative, that come nearest to those times, relative errors squared; heads of
// a pass from 1 to 16 are tried.
AttentionTimes fit_attention(const PageSeconds& measured);

// The share of the shorter of arithmetic and reading that hides behind the longer, between 0 and 1,
// that comes nearest to the times: measured = longer + (1 - share) x shorter.
struct OverlapPoint {
    double arithmetic_s = 0.0;
    double reading_s = 0.0;
    double measured_s = 0.0;
};
double fit_overlap(const std::vector<OverlapPoint>& points);

}  // namespace memside::calibrate
