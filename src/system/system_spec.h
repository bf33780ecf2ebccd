// What a model runs on: devices, links and prices as constants, each with unit and source.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quantity.h"
#include "base/result.h"

namespace memside {

// One number of a device, a link or a price list.
struct Constant {
    std::string path;    // "gpu.memory_bandwidth": the role in the system and the key
    std::string text;    // as written: "2039 GB/s"
    double value = 0.0;  // in the SI unit of its dimension; a flag is 0 or 1
    Dimension dimension = Dimension::count;
    std::string source;  // names a document, or starts with "assumed", "inferred" or "derived"
    std::string where;   // file:line, or "--set"
    // Where the true value may lie when this one is assumed; of studies, which sweep it.
    struct Range {
        double low = 0, high = 0;
    };
    std::optional<Range> range{};

    bool assumed() const { return source.starts_with("assumed"); }
    bool inferred() const {
        return source.starts_with("inferred") || source.starts_with("derived");
    }
    bool set_by_user() const { return where == "--set"; }
};

enum class ComponentKind {
    gpu,
    pnm,
    cxl_memory,
    link,
    collective_link,
    prices,
    cpu,
    pim,
    shared_link,
};

// One entry of the schema: which constants a kind of component has.
struct SchemaKey {
    std::string_view key;
    Dimension dimension;
    bool positive;  // zero is refused: the models divide by it
    std::string_view meaning;
};

// Constants of a component kind, in the order of reports. A description must give them all.
const std::vector<SchemaKey>& schema(ComponentKind kind);
std::string_view kind_name(ComponentKind kind);
std::optional<ComponentKind> kind_from_name(std::string_view name);
std::vector<std::string> kind_names();

// The schema's entry for a key, or nullptr.
const SchemaKey* schema_key(ComponentKind kind, std::string_view key);
std::vector<std::string> schema_keys(ComponentKind kind);

inline constexpr int max_count = 4096;  // of one component in a system

// A described device, link or price list in its role in the system.
struct Component {
    std::string role;  // "gpu", "pnm", ...
    std::string name;  // "a100-80gb", ...
    ComponentKind kind = ComponentKind::gpu;
    std::string where;  // file:line of its description
    int count = 1;      // how many of it the system has in all, 1 to max_count
    // Why the count is what it is, when the system's name or the user's own file does not say it;
    // else empty.
    std::string count_source;
    std::string count_where;  // file:line or "--set role.count"; empty when the count is implied
    std::map<std::string, Constant, std::less<>> constants;  // by key, all of schema(kind)

    // The key must be in the schema of the component's kind.
    double value(std::string_view key) const;
    const Constant& constant(std::string_view key) const;
};

// The roles that a system may fill, what kind each takes, and what it stands for.
//
// Counts carry the topology. gpu, pnm and cxl count devices. The count of node_link is the number
// of GPU nodes (1 without it) and divides the GPUs; the count of uplink is the number of memory
// nodes and divides the memory devices. The links that belong one to a device (gpu_link, host_link,
// device_link) follow the count of that device. pnm or cxl needs host_link, uplink and device_link.
// A machine that decodes on its own cores has cpu and cpu_single and nothing else, not even what is
// required of others. A system of DRAM-PIM modules has pim, pim_link and cost, and no GPU; or pim
// beside GPUs, reached over host_link, uplink and device_link in place of pim_link.
enum class CountRule { given, per_gpu, per_memory_device, one };

struct RoleInfo {
    std::string_view role;
    ComponentKind kind;
    bool required;
    CountRule count;
    std::string_view meaning;
};
const std::vector<RoleInfo>& system_roles();
const RoleInfo* find_role(std::string_view role);  // nullptr when there is none of that name

struct SystemSpec {
    std::string name;
    std::string where;                                         // file:line of its components
    std::map<std::string, Component, std::less<>> components;  // by role
    // What --set changed, path and value, each path once in the order of the first: the name alone
    // does not say what the system is.
    std::vector<std::pair<std::string, std::string>> overrides;

    const Component* find(std::string_view role) const;  // nullptr when the role is empty
    const Component& at(std::string_view role) const;    // the role must be filled
    bool has(std::string_view role) const { return find(role) != nullptr; }
    int count(std::string_view role) const;  // 0 when the role is empty
    int gpu_nodes() const;                   // 1 without a node_link
    int memory_nodes() const;                // 0 without an uplink
    std::vector<std::string> roles() const;  // those filled, in the order of system_roles()
};

// Reads constants for a model and remembers which, so that a report lists what a result rests on.
// Not thread-safe: models read their constants when they are made, before the simulation.
class ConstantReader {
  public:
    explicit ConstantReader(const SystemSpec& system) : system_(system) {}

    // The role must be filled and the key in its schema.
    double value(std::string_view role, std::string_view key);
    bool flag(std::string_view role, std::string_view key) { return value(role, key) != 0.0; }
    // How many the system has; 0 when the role is empty. A count with a source of its own, or one
    // that --set changed, is remembered as the constant "role.count".
    int count(std::string_view role);
    const SystemSpec& system() const { return system_; }
    // Remembers a constant that a model has from elsewhere (systems/dram/).
    void note(const Constant& constant) { used_.try_emplace(constant.path, constant); }

    // Constants that were read, by path, each once.
    std::vector<Constant> used() const;

  private:
    const SystemSpec& system_;
    std::map<std::string, Constant, std::less<>> used_;
};

}  // namespace memside
