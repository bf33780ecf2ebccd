// Component descriptions: one YAML file per device, link or price list.
//
//     kind: gpu
//     inherit: a100-80gb            # optional: constants that this file does not give
//     description: ...              # optional
//     constants:
//       memory_bandwidth: {value: 2039 GB/s, source: "..."}
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "system/system_spec.h"

namespace memside {

// A folder of descriptions, and what it is called in messages.
struct ComponentFolder {
    std::string path;
    std::string shown;
};

// systems/devices/ of the data folder.
ComponentFolder shipped_components(const std::string& data);

// Finds components by name: the file <name>.yaml in the first of its folders that has one.
class ComponentLibrary {
  public:
    explicit ComponentLibrary(std::vector<ComponentFolder> folders)
        : folders_(std::move(folders)) {}

    // The component of that name with what it inherits. Roles, counts and completeness are the
    // system's business. `where` is the position that names it.
    Result<Component> load(const std::string& name, const std::string& where) const;

    // The component that the tree of a description file says.
    Result<Component> read(const ConfigNode& root, const std::string& name) const;

  private:
    Result<ConfigNode> find(const std::string& name, const std::string& where) const;

    std::vector<ComponentFolder> folders_;
};

// Reads `constants:` into the component, over what it has. Unknown keys, missing sources, wrong
// units and zeros that the schema forbids are bad input.
Status read_constants(const ConfigNode& constants, Component& component);

// One constant from its text, checked against the schema.
Result<Constant> make_constant(const SchemaKey& key, const std::string& text,
                               const std::string& source, const std::string& where);

// The kind that the field `kind:` of a map names.
Result<ComponentKind> read_kind(const ConfigNode& map);

// A file of at most 1 MiB as a tree; `shown` is its name in messages.
Result<ConfigNode> read_description(const std::string& path, const std::string& shown);

}  // namespace memside
