// A family of systems in one file, with placeholders in its name and its components:
//
//     system: "{gpu}x{gpus}-pnm{pnms}"
//     order: 3                        # place in the list of systems
//     where: {gpu: [a100, h100], gpus: [1, 2, 4, 8], pnms: [1, 2, 4, 8]}
//     components:
//       gpu: {use: "{gpu}-80gb", count: "{gpus}"}
//
// A placeholder whose values are whole numbers takes any count from 1 to max_count; the listed ones
// are those that a list of systems shows. Other placeholders take one of their values.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/result.h"

namespace memside {

class SystemTemplate {
  public:
    // Checks the pattern and the placeholders; `root` is the tree of the template's file.
    static Result<SystemTemplate> read(ConfigNode root);

    // The tree of the system of that name, without placeholders; nothing when the name is not one
    // of this family. A name of the family with an impossible count is bad input.
    Result<std::optional<ConfigNode>> instantiate(const std::string& name) const;

    // Every listed combination; the first placeholder of the name varies slowest.
    std::vector<std::string> names() const;

    // "(a100|h100)xN-pnmN": the family in a message.
    std::string shown() const;

    int order() const { return order_; }

  private:
    struct Placeholder {
        std::string name;
        std::vector<std::string> values;
        bool counts = false;
    };
    // Literal text followed by a placeholder, or, in the last piece, by nothing.
    struct Piece {
        std::string literal;
        std::optional<std::size_t> placeholder;
    };
    using Bindings = std::vector<std::pair<std::string, std::string>>;

    Status read_placeholders(const ConfigNode& where);
    Status read_pattern(const std::string& pattern, const std::string& where);
    std::optional<std::string> take_value(std::string_view rest, const Placeholder& holder) const;
    Status substitute(const Bindings& bindings, ConfigNode& node) const;

    ConfigNode root_;
    std::vector<Placeholder> placeholders_;
    std::vector<Piece> pieces_;
    int order_ = 1000;
};

}  // namespace memside
