#include "tune/network.h"

#include <filesystem>

#include "base/config.h"
#include "base/data_dir.h"
#include "base/number.h"
#include "base/text.h"

namespace memside::tune {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".yaml";

Result<fs::path> network_folder() {
    MEMSIDE_TRY(const std::string data, data_dir());
    return fs::path(data) / "networks";
}

Result<Network::Layer> read_layer(const ConfigNode& node, std::int64_t batch) {
    MEMSIDE_CHECK(expect_keys(node, {"name", "shape", "count"}));
    Network::Layer layer;
    MEMSIDE_TRY(layer.name, required_text(node, "name"));
    MEMSIDE_TRY(const std::string shape, required_text(node, "shape"));
    MEMSIDE_TRY(const std::string count, required_text(node, "count"));
    MEMSIDE_TRY(layer.shape, conv::parse_shape(fmt::format("{},{}", batch, shape), node.where()));
    MEMSIDE_TRY(const std::int64_t times, parse_integer(count, 1, 1000, node.where()));
    layer.count = static_cast<int>(times);
    return layer;
}

}  // namespace

Result<std::vector<std::string>> network_names() {
    MEMSIDE_TRY(const fs::path folder, network_folder());
    std::vector<std::string> names;
    for (const std::string& name : list_folder(folder.string())) {
        if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
    }
    return names;
}

Result<Network> load_network(const std::string& name, std::int64_t batch) {
    MEMSIDE_TRY(const std::vector<std::string> names, network_names());
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        return bad_input("--model",
                         fmt::format("unknown network {}{}", in_quotes(name), hint(name, names)));
    }
    MEMSIDE_TRY(const fs::path folder, network_folder());
    MEMSIDE_TRY(const ConfigNode root,
                read_config((folder / fmt::format("{}{}", name, suffix)).string()));
    MEMSIDE_CHECK(expect_keys(root, {"source", "left_out", "image", "layers"}));
    Network network;
    network.name = name;
    MEMSIDE_TRY(network.source, required_text(root, "source"));
    if (root.find("left_out") != nullptr) {
        MEMSIDE_TRY(network.left_out, required_text(root, "left_out"));
    }
    const ConfigNode* layers = root.find("layers");
    if (layers == nullptr || !layers->is_list() || layers->items.empty()) {
        return bad_input(root.where(), "has no list 'layers'");
    }
    for (const ConfigNode& item : layers->items) {
        MEMSIDE_TRY(Network::Layer layer, read_layer(item, batch));
        network.layers.push_back(std::move(layer));
    }
    return network;
}

}  // namespace memside::tune
