#include "system/cpu_schema.h"

#include <array>

namespace memside {
namespace {

constexpr std::array<PiecePoint, 6> gathers{
    {{"4k", 4096}, {"8k", 8192}, {"16k", 16384}, {"32k", 32768}, {"64k", 65536}, {"128k", 131072}}};
constexpr std::array<PiecePoint, 3> copies{{{"4k", 4096}, {"16k", 16384}, {"64k", 65536}}};

constexpr std::array<std::string_view, 11> weight_types{
    "f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k"};
constexpr std::array<std::string_view, 3> kv_types{"f16", "bf16", "int8"};

using enum Dimension;

// Keys of families are put together, and live as long as the program.
class SchemaBuilder {
  public:
    void add(std::string key, Dimension dimension, bool positive, std::string_view meaning) {
        names_.push_back(std::make_unique<std::string>(std::move(key)));
        keys_.push_back({*names_.back(), dimension, positive, meaning});
    }
    const std::vector<SchemaKey>& keys() const { return keys_; }

  private:
    std::vector<std::unique_ptr<std::string>> names_;
    std::vector<SchemaKey> keys_;
};

SchemaBuilder build() {
    SchemaBuilder schema;
    const bool positive = true;
    const bool may_be_zero = false;
    schema.add("cores", count, positive, "that were at work when the rates were measured");
    schema.add("threads", count, positive, "that decode: 1, or as many as there are cores");
    schema.add("memory_capacity", bytes, positive, "DRAM of the machine");
    schema.add("last_level_cache", bytes, positive, "shared by the cores");
    schema.add("stream_rate", bytes_per_second, positive, "reading DRAM in order");
    schema.add("cache_rate", bytes_per_second, positive, "reading 4 MiB a core again and again");
    for (const PiecePoint& point : gathers) {
        schema.add(
            fmt::format("gather_{}", point.name), bytes_per_second, positive,
            "reading pieces of that many bytes at random places, the next one fetched ahead");
    }
    for (const PiecePoint& point : copies) {
        schema.add(fmt::format("copy_{}", point.name), bytes_per_second, positive,
                   "copying pieces of that many bytes from random places; bytes copied, not moved");
    }
    schema.add("disk_rate", bytes_per_second, positive, "reading a file past the system's cache");
    schema.add("fork_latency", seconds, may_be_zero, "waking the threads for a loop and joining");
    for (const std::string_view type : weight_types) {
        schema.add(fmt::format("matmul_cache_{}", type), bytes_per_second, positive,
                   "weights of that type times one token's activations, weights in the cache");
        schema.add(fmt::format("matmul_memory_{}", type), bytes_per_second, positive,
                   "the same with weights in a mapped file's memory");
    }
    schema.add("matmul_row_latency", seconds, may_be_zero,
               "of a row of weights, whatever its length");
    for (const std::string_view type : kv_types) {
        schema.add(fmt::format("attention_rows_{}", type), count, positive,
                   "query heads of a KV head that one pass over a page serves");
        schema.add(fmt::format("attention_read_{}", type), seconds, may_be_zero,
                   "of a token and dimension in one pass: K and V read and converted");
        schema.add(fmt::format("attention_multiply_{}", type), seconds, may_be_zero,
                   "of a token, dimension and query head");
        schema.add(fmt::format("attention_softmax_{}", type), seconds, may_be_zero,
                   "of a token and query head");
    }
    schema.add("attention_overlap", ratio, may_be_zero,
               "share of the shorter of arithmetic and DRAM that hides behind the longer");
    schema.add("scan_f16", bytes_per_second, positive, "scoring f16 digests that lie in DRAM");
    schema.add("scan_int8", bytes_per_second, positive, "scoring int8 digests that lie in DRAM");
    schema.add("top_page_latency", seconds, may_be_zero, "of a page among those to choose from");
    schema.add("select_latency", seconds, may_be_zero,
               "of a query's value: a selection of 16 pages");
    schema.add("list_latency", seconds, may_be_zero, "of a page put on the list to attend");
    schema.add("lookup_latency", seconds, may_be_zero, "of a page looked up in the pool");
    schema.add("residency_latency", seconds, may_be_zero,
               "of a selected or resident page when the pool changes");
    schema.add("norm_latency", seconds, may_be_zero, "of a value in a norm");
    schema.add("add_latency", seconds, may_be_zero, "of a value added to another");
    schema.add("gate_latency", seconds, may_be_zero, "of a value of the activation function");
    schema.add("round_latency", seconds, may_be_zero, "of an activation rounded to an integer");
    schema.add("turn_latency", seconds, may_be_zero, "of a value in the rotary embedding");
    schema.add("store_latency", seconds, may_be_zero, "of a value put into the KV store");
    schema.add("digest_latency", seconds, may_be_zero, "of a key's value taken into a digest");
    return schema;
}

}  // namespace

const std::vector<SchemaKey>& cpu_schema() {
    static const SchemaBuilder schema = build();
    return schema.keys();
}

std::span<const PiecePoint> gather_points() {
    return gathers;
}

std::span<const PiecePoint> copy_points() {
    return copies;
}

std::span<const std::string_view> measured_weight_types() {
    return weight_types;
}

std::span<const std::string_view> measured_kv_types() {
    return kv_types;
}

}  // namespace memside
