// Any bytes as a YAML document: parse_config returns a tree or an Error, in bounded time, and every
// message is one line.
#include <cstdint>
#include <string_view>

#include "base/config.h"
#include "base/number.h"
#include "base/quantity.h"
#include "check.h"

namespace {

using memside::fuzz::require;
using memside::fuzz::require_one_line;

// Reads every scalar in every way that a description does.
void walk(const memside::ConfigNode& node) {
    using memside::Dimension;
    require(node.line >= 1, "lines count from 1");
    if (node.is_scalar()) {
        for (const auto dimension : {Dimension::bytes_per_second, Dimension::joules_per_byte,
                                     Dimension::ratio, Dimension::count, Dimension::flag}) {
            const auto value = memside::parse_quantity(node.scalar, dimension, node.where());
            if (value.ok()) {
                require(*value >= 0.0, "a quantity is not negative");
            } else {
                require_one_line(value.error());
            }
        }
        const auto tokens = memside::parse_tokens(node.scalar, node.where());
        if (!tokens.ok()) require_one_line(tokens.error());
    }
    const auto keys = memside::expect_keys(node, {"name", "bandwidth", "source"});
    if (!keys.ok()) require_one_line(keys.error());
    for (const auto& item : node.items) walk(item);
    for (const auto& field : node.fields) walk(field.node);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto tree = memside::parse_config(text, "fuzz.yaml");
    if (tree.ok()) {
        walk(*tree);
    } else {
        require_one_line(tree.error());
    }
    return 0;
}
