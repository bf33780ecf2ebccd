// The schema as tables: which constants each kind of component has, and which roles a system fills.
#include "base/text.h"
#include "system/cpu_schema.h"
#include "system/system_spec.h"

namespace memside {
namespace {

constexpr bool positive = true;
constexpr bool may_be_zero = false;

constexpr std::pair<ComponentKind, std::string_view> kinds[] = {
    {ComponentKind::gpu, "gpu"},
    {ComponentKind::pnm, "pnm"},
    {ComponentKind::cxl_memory, "cxl_memory"},
    {ComponentKind::link, "link"},
    {ComponentKind::collective_link, "collective_link"},
    {ComponentKind::prices, "prices"},
    {ComponentKind::cpu, "cpu"},
    {ComponentKind::pim, "pim"},
    {ComponentKind::shared_link, "shared_link"},
};

using enum Dimension;

const std::vector<SchemaKey> gpu_schema{
    {"memory_capacity", bytes, positive, "HBM of one GPU"},
    {"memory_reserved", ratio, may_be_zero, "share of the HBM that neither weights nor KV get"},
    {"memory_bandwidth", bytes_per_second, positive, "peak of the HBM"},
    {"memory_efficiency", ratio, positive, "share of it that streaming weights and KV reaches"},
    {"peak_fp16", flop_per_second, positive, "dense FP16 tensor peak"},
    {"compute_efficiency", ratio, positive, "share of it that a large matrix product reaches"},
    {"multiprocessors", count, positive, "streaming multiprocessors"},
    {"gemm_tile", count, positive, "rows and columns of a thread block's tile of a matrix product"},
    {"mma_columns", count, positive, "columns of one tensor-core instruction: the batch is padded"},
    {"kv_chunk", count, positive, "tokens that one thread block of decode attention takes"},
    {"kernel_latency", seconds, may_be_zero, "fixed cost of one kernel inside a captured graph"},
    {"prefill_efficiency", ratio, positive, "share of the peak that attention of a prompt reaches"},
    {"active_power", watts, positive,
     "the board's limit, for electricity and the coarse energy model"},
    {"busy_power", watts, positive, "drawn while a kernel runs, whatever it does"},
    {"idle_power", watts, may_be_zero, "drawn while waiting"},
    {"memory_energy", joules_per_byte, may_be_zero, "of HBM read and written, above busy_power"},
    {"compute_energy", joules_per_flop, may_be_zero, "of FP16 arithmetic, above busy_power"},
    {"price", usd_per_hour, may_be_zero, "hardware only, per GPU"},
};

const std::vector<SchemaKey> pnm_schema{
    {"memory_capacity", bytes, positive, "LPDDR of one device"},
    {"memory_bandwidth", bytes_per_second, positive, "peak of the LPDDR"},
    {"memory_efficiency", ratio, positive, "share of it that streaming reaches"},
    {"dram_channels", count, positive, "LPDDR5X channels that share that bandwidth"},
    {"multipliers", count, positive, "FP16 multipliers, one product a cycle each"},
    {"tiles", count, positive, "VPU tiles that share the multipliers evenly"},
    {"clock", hertz, positive, "of the near-memory processor"},
    {"compute_efficiency", ratio, positive, "share of the multipliers that a GEMV keeps busy"},
    {"sort_width", count, positive, "page scores that the merge sorter takes per cycle"},
    {"sfu_width", count, positive, "exponentials that the special function unit takes per cycle"},
    {"vector_buffers", bytes, positive, "vector and scalar buffers of all tiles"},
    {"dma_buffers", bytes, positive, "between DRAM and tiles; filled and drained by halves"},
    {"sram_bits", count, positive, "that the tiles read from the DMA buffers per cycle"},
    {"kernel_latency", seconds, may_be_zero, "fixed cost of starting one operation"},
    {"cycle_level", flag, may_be_zero, "whether kernels are simulated; else the roofline"},
    {"controller_power", watts, may_be_zero, "near-memory processor while working"},
    {"dram_power", watts, may_be_zero, "LPDDR at full bandwidth"},
    {"platform_power", watts, positive,
     "whole device, for electricity and the coarse energy model"},
    {"idle_power", watts, may_be_zero, "whole device while waiting"},
    {"digest_in_capacity", flag, may_be_zero, "whether digests take room beside the KV"},
    {"price", usd_per_hour, may_be_zero, "hardware only, per device"},
};

const std::vector<SchemaKey> cxl_memory_schema{
    {"memory_capacity", bytes, positive, "of one module"},
    {"memory_bandwidth", bytes_per_second, positive, "peak of its DRAM"},
    {"memory_efficiency", ratio, positive, "share of it that streaming reaches"},
    {"active_power", watts, positive, "drawn while moving data"},
    {"idle_power", watts, may_be_zero, "drawn while waiting"},
    {"price", usd_per_hour, may_be_zero, "hardware only, per module"},
};

const std::vector<SchemaKey> link_schema{
    {"bandwidth", bytes_per_second, positive, "raw, per direction"},
    {"efficiency", ratio, positive, "share of it that payload reaches"},
    {"latency", seconds, may_be_zero, "one way, of one transfer"},
    {"energy", joules_per_byte, may_be_zero, "of payload moved"},
};

const std::vector<SchemaKey> collective_link_schema{
    {"bandwidth", bytes_per_second, positive, "raw, per direction and GPU"},
    {"efficiency", ratio, positive, "share of it that payload reaches"},
    {"ring_share", ratio, positive, "share of it that the protocol of rings reaches"},
    {"ring_base_latency", seconds, may_be_zero, "fixed cost of one collective as a ring"},
    {"ring_step_latency", seconds, may_be_zero, "of one step of a ring"},
    {"tree_share", ratio, positive, "share of it that the protocol of trees reaches"},
    {"tree_base_latency", seconds, may_be_zero, "fixed cost of one collective as a tree"},
    {"tree_step_latency", seconds, may_be_zero, "of one step of a tree"},
    {"energy", joules_per_byte, may_be_zero, "of payload moved"},
};

const std::vector<SchemaKey> pim_schema{
    {"memory_capacity", bytes, positive, "of the banks of one module"},
    {"channel_groups", count, positive, "groups of 32 channels, each with a hub's sequencer"},
    {"channel_bandwidth", bytes_per_second, positive, "of a channel's pins, to what is outside"},
    {"fc_in_banks", flag, may_be_zero, "whether the banks multiply weights; else the matrix unit"},
    {"matrix_peak", flop_per_second, positive, "FP16 peak of the module's processor (xPU or PNM)"},
    {"matrix_efficiency", ratio, positive, "share of it that a large matrix product reaches"},
    {"memory_efficiency", ratio, positive, "share of the pins that streaming weights reaches"},
    {"kernel_latency", seconds, may_be_zero, "fixed cost of starting one kernel on a module"},
    {"matrix_energy", joules_per_flop, may_be_zero, "of the processor's FP16 arithmetic"},
    {"processor_power", watts, may_be_zero, "of the processor whatever it does"},
    {"active_power", watts, positive, "whole module, for electricity and the coarse energy model"},
    {"price", usd_per_hour, may_be_zero, "hardware only, per module"},
};

const std::vector<SchemaKey> shared_link_schema{
    {"lanes", count, positive, "that all modules share evenly"},
    {"lane_bandwidth", bytes_per_second, positive, "of one lane and direction"},
    {"multicast_bandwidth", bytes_per_second, positive, "of one lane when the switch multicasts"},
    {"flit", bytes, positive, "what the link moves at a time"},
    {"message", bytes, positive, "payload of one message"},
    {"flit_messages", count, positive, "messages in a flit"},
    {"port_latency", seconds, may_be_zero, "of the sending port"},
    {"end_latency", seconds, may_be_zero, "of the physical layer at each of the two ends"},
    {"transit_latency", seconds, may_be_zero, "between the ends"},
    {"switch_latency", seconds, may_be_zero, "of the switch"},
    {"energy", joules_per_byte, may_be_zero, "of what crosses the link, headers included"},
};

const std::vector<SchemaKey> prices_schema{
    {"electricity", usd_per_joule, may_be_zero, "at the devices, without cooling"},
    {"include_host", flag, may_be_zero, "whether host, switch and cooling are charged"},
    {"host_power", watts, may_be_zero, "of the server around the GPUs, per GPU"},
    {"host_price", usd_per_hour, may_be_zero, "of the server around the GPUs, per GPU"},
    {"switch_power", watts, may_be_zero, "of a CXL switch, per uplink"},
    {"switch_price", usd_per_hour, may_be_zero, "of a CXL switch, per uplink"},
    {"cooling", ratio, may_be_zero, "energy of cooling and power delivery, per energy delivered"},
};

}  // namespace

const std::vector<SchemaKey>& schema(ComponentKind kind) {
    switch (kind) {
        case ComponentKind::gpu:
            return gpu_schema;
        case ComponentKind::pnm:
            return pnm_schema;
        case ComponentKind::cxl_memory:
            return cxl_memory_schema;
        case ComponentKind::link:
            return link_schema;
        case ComponentKind::collective_link:
            return collective_link_schema;
        case ComponentKind::cpu:
            return cpu_schema();
        case ComponentKind::pim:
            return pim_schema;
        case ComponentKind::shared_link:
            return shared_link_schema;
        case ComponentKind::prices:
            break;
    }
    return prices_schema;
}

const SchemaKey* schema_key(ComponentKind kind, std::string_view key) {
    for (const SchemaKey& entry : schema(kind)) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

std::vector<std::string> schema_keys(ComponentKind kind) {
    std::vector<std::string> keys;
    for (const SchemaKey& entry : schema(kind)) keys.emplace_back(entry.key);
    return keys;
}

std::string_view kind_name(ComponentKind kind) {
    for (const auto& [known, name] : kinds) {
        if (known == kind) return name;
    }
    return "";
}

std::optional<ComponentKind> kind_from_name(std::string_view name) {
    for (const auto& [kind, known] : kinds) {
        if (known == name) return kind;
    }
    return std::nullopt;
}

std::vector<std::string> kind_names() {
    std::vector<std::string> names;
    for (const auto& [kind, name] : kinds) names.emplace_back(name);
    return names;
}

const std::vector<RoleInfo>& system_roles() {
    using Kind = ComponentKind;
    using Count = CountRule;
    static const std::vector<RoleInfo> roles{
        {"gpu", Kind::gpu, true, Count::given, "the GPUs, all nodes together"},
        {"gpu_link", Kind::collective_link, true, Count::per_gpu, "between the GPUs of a node"},
        {"node_link", Kind::collective_link, false, Count::given,
         "between GPU nodes, per GPU; its count is the number of GPU nodes"},
        {"host_link", Kind::link, false, Count::per_gpu, "GPU to host, one per GPU"},
        {"uplink", Kind::link, false, Count::given,
         "host to CXL switch; its count is the number of memory nodes"},
        {"device_link", Kind::link, false, Count::per_memory_device,
         "CXL switch to memory device, one per device"},
        {"pnm", Kind::pnm, false, Count::given, "the CXL-PNM devices, all nodes together"},
        {"cxl", Kind::cxl_memory, false, Count::given, "the plain CXL memory modules"},
        {"pim", Kind::pim, false, Count::given, "the DRAM-PIM modules"},
        {"pim_link", Kind::shared_link, false, Count::one, "between the DRAM-PIM modules"},
        {"cost", Kind::prices, true, Count::one, "prices that belong to no device"},
        {"cpu", Kind::cpu, false, Count::one, "the cores of a machine, all at work"},
        {"cpu_single", Kind::cpu, false, Count::one, "one of them at work alone"},
    };
    return roles;
}

const RoleInfo* find_role(std::string_view role) {
    for (const RoleInfo& info : system_roles()) {
        if (info.role == role) return &info;
    }
    return nullptr;
}

}  // namespace memside
