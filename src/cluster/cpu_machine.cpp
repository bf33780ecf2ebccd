#include "cluster/cpu_machine.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engine/digest_kernel.h"
#include "engine/loop_parts.h"
#include "kv/digest_storage.h"
#include "model/gguf_types.h"

namespace memside {
namespace {

constexpr double pages_per_block = engine::digest_block_pages;
constexpr double blocks_per_part = engine::scan_blocks_per_part;
// Row length that calibrate measures products with.
constexpr double measured_columns = 2048;

CpuRates read_rates(ConstantReader& constants, std::string_view role) {
    const auto value = [&](std::string_view key) { return constants.value(role, key); };
    CpuRates rates;
    rates.threads = value("cores");
    rates.stream = value("stream_rate");
    rates.cache = value("cache_rate");
    for (const PiecePoint& point : gather_points()) {
        rates.gather.push_back(value(fmt::format("gather_{}", point.name)));
    }
    for (const PiecePoint& point : copy_points()) {
        rates.copy.push_back(value(fmt::format("copy_{}", point.name)));
    }
    for (const std::string_view type : measured_weight_types()) {
        rates.matmul_cache.emplace(type, value(fmt::format("matmul_cache_{}", type)));
        rates.matmul_memory.emplace(type, value(fmt::format("matmul_memory_{}", type)));
    }
    for (const std::string_view type : measured_kv_types()) {
        rates.attention.emplace(
            type, CpuRates::Attention{value(fmt::format("attention_rows_{}", type)),
                                      value(fmt::format("attention_read_{}", type)),
                                      value(fmt::format("attention_multiply_{}", type)),
                                      value(fmt::format("attention_softmax_{}", type))});
    }
    rates.scan_f16 = value("scan_f16");
    rates.scan_int8 = value("scan_int8");
    rates.matmul_row_s = value("matmul_row_latency");
    rates.attention_overlap = value("attention_overlap");
    rates.fork_s = value("fork_latency");
    rates.top_page_s = value("top_page_latency");
    rates.select_s = value("select_latency");
    rates.list_s = value("list_latency");
    rates.lookup_s = value("lookup_latency");
    rates.residency_s = value("residency_latency");
    rates.norm_s = value("norm_latency");
    rates.add_s = value("add_latency");
    rates.gate_s = value("gate_latency");
    rates.round_s = value("round_latency");
    rates.turn_s = value("turn_latency");
    rates.store_s = value("store_latency");
    rates.digest_s = value("digest_latency");
    return rates;
}

// On a line between the measured points, over the logarithm of the size; the last one beyond them.
double rate_at(std::span<const PiecePoint> points, const std::vector<double>& rates, double bytes) {
    if (bytes <= points.front().bytes) return rates.front();
    for (std::size_t i = 1; i < points.size(); ++i) {
        if (bytes > points[i].bytes) continue;
        const double share =
            std::log(bytes / points[i - 1].bytes) / std::log(points[i].bytes / points[i - 1].bytes);
        return rates[i - 1] + share * (rates[i] - rates[i - 1]);
    }
    return rates.back();
}

const std::string& name_of(kv::ValueType type) {
    return kv::value_type_names()[static_cast<std::size_t>(type)];
}

}  // namespace

double weight_row_bytes(std::string_view type, double values) {
    constexpr std::uint32_t ids = 64;  // more than ggml has
    for (std::uint32_t id = 0; id < ids; ++id) {
        const GgmlType* known = find_ggml_type(id);
        if (known == nullptr || known->name != type) continue;
        return values / known->block_elements * known->block_bytes;
    }
    assert(false);
    return 0.0;
}

double stored_page_bytes(kv::ValueType type, double page_tokens, int head_dim) {
    const double keys_and_values = 2.0 * page_tokens * head_dim * kv::bits(type) / 8.0;
    if (type != kv::ValueType::int8) return keys_and_values;
    // bf16 scales, of keys one per 32 dimensions, of values one per token.
    return keys_and_values + 2.0 * page_tokens * (std::ceil(head_dim / 32.0) + 1.0);
}

CpuMachine::CpuMachine(ConstantReader& constants)
    : one_(read_rates(constants, "cpu_single")), many_(one_) {
    if (constants.value("cpu", "threads") > 1.0) many_ = read_rates(constants, "cpu");
    capacity_bytes_ = constants.value("cpu", "memory_capacity");
    cache_bytes_ = constants.value("cpu", "last_level_cache");
}

double CpuMachine::active(double jobs) const {
    return std::min(many_.threads, std::max(jobs, 1.0));
}

double CpuMachine::longest_share(double jobs) const {
    return jobs <= 0.0 ? 1.0 : std::ceil(jobs / active(jobs)) / jobs;
}

double CpuMachine::own_s(double bytes, double active, double one, double many) {
    if (active <= 1.0) return bytes / one;
    // Threads share what all of them get, and none gets more than it would alone.
    return std::max(bytes / one, bytes * active / many);
}

double CpuMachine::matmul_s(const std::string& type, double rows, double columns, bool cold) const {
    const double row_bytes = weight_row_bytes(type, columns);
    const auto rows_per_part =
        static_cast<double>(engine::matmul_rows_per_part(static_cast<std::int64_t>(row_bytes)));
    const double parts = std::ceil(rows / rows_per_part);
    const double busy = active(parts);
    const CpuRates& rate = rates(busy);
    const double own_rows = std::min(rows, std::ceil(parts / busy) * rows_per_part);
    const double own_bytes = own_rows * row_bytes;
    // The measured rate is that of rows of its own length, their fixed part included.
    const double per_byte = rate.threads / rate.matmul_cache.at(type);
    const double pure =
        std::max(0.0, per_byte - rate.matmul_row_s / weight_row_bytes(type, measured_columns));
    const double arithmetic = own_rows * rate.matmul_row_s + own_bytes * pure;
    const double reading =
        own_s(own_bytes, busy, one_.matmul_memory.at(type), many_.matmul_memory.at(type));
    return (busy > 1.0 ? rate.fork_s : 0.0) + (cold ? std::max(arithmetic, reading) : arithmetic);
}

double CpuMachine::attention_s(const PageLoad& load, kv::ValueType type, bool cold) const {
    const double busy = active(load.jobs);
    const CpuRates& rate = rates(busy);
    const CpuRates::Attention& kernel = rate.attention.at(name_of(type));
    const double passes = std::ceil(load.rows / kernel.rows);
    const double arithmetic =
        load.page_tokens *
        (load.head_dim * (passes * kernel.read_s + load.rows * kernel.multiply_s) +
         load.rows * kernel.softmax_s);
    const auto rate_of = [&](const CpuRates& of) {
        return load.in_order ? of.stream : rate_at(gather_points(), of.gather, load.page_bytes);
    };
    const auto page_s = [&](double reading) {
        return std::max(arithmetic, reading) +
               (1.0 - rate.attention_overlap) * std::min(arithmetic, reading);
    };
    const double from_memory = own_s(load.page_bytes, busy, rate_of(one_), rate_of(many_));
    const double from_cache = own_s(load.page_bytes, busy, one_.cache, many_.cache);
    const double cached = cold ? load.cached_pages : load.pages;
    const double sum = (load.pages - cached) * page_s(from_memory) + cached * page_s(from_cache);
    return (busy > 1.0 ? rate.fork_s : 0.0) + longest_share(load.jobs) * sum;
}

double CpuMachine::select_s(double pages, double kv_heads, double head_dim, double query_values,
                            double sets, kv::DigestType type) const {
    const double blocks = std::ceil(pages / pages_per_block);
    const double parts = std::ceil(blocks / blocks_per_part);
    const double busy = active(parts);
    const double own_blocks = std::min(blocks, std::ceil(parts / busy) * blocks_per_part);
    const double digest =
        static_cast<double>(kv::digest_bytes(static_cast<std::int64_t>(head_dim), type));
    const bool f16 = type == kv::DigestType::f16;
    const double scan =
        own_s(own_blocks * pages_per_block * kv_heads * digest, busy,
              f16 ? one_.scan_f16 : one_.scan_int8, f16 ? many_.scan_f16 : many_.scan_int8);
    const double choose = std::ceil(sets / active(sets)) * pages * many_.top_page_s;
    return query_values * many_.select_s + scan + choose;
}

double CpuMachine::recall_s(double sets, double pages_looked_at, double copies,
                            double page_bytes) const {
    const double busy = active(sets);
    const double share = longest_share(sets);
    const double own = share * copies * page_bytes;
    const double copying = own_s(own, busy, rate_at(copy_points(), one_.copy, page_bytes),
                                 rate_at(copy_points(), many_.copy, page_bytes));
    return (busy > 1.0 ? many_.fork_s : 0.0) + share * sets * pages_looked_at * many_.residency_s +
           copying;
}

}  // namespace memside
