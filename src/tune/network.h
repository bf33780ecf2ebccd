// The convolutions of a network, from networks/NAME.yaml.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tune/task.h"

namespace memside::tune {

struct Network {
    struct Layer {
        std::string name;
        conv::ConvShape shape;
        int count = 1;  // how often the network has it
    };

    std::string name;
    std::string source;
    std::string left_out;  // what of the network is no layer here, and why; may be empty
    std::vector<Layer> layers;
};

Result<std::vector<std::string>> network_names();

// The network with shapes of that batch. bad_input for an unknown name, with a suggestion.
Result<Network> load_network(const std::string& name, std::int64_t batch);

}  // namespace memside::tune
