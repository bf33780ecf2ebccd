#include "tune/network.h"

namespace memside::tune {
namespace {

// Published counts of parameters less what no convolution here has.
struct Known {
    const char* name;
    std::int64_t layers;
    std::int64_t weights;
};
constexpr Known known[] = {
    // 25,557,032 less 2,049,000 of the classifier and 2 x 26,560 of the normalisations.
    {"resnet50", 53, 25'557'032 - 2'049'000 - 2 * 26'560},
    // 138,357,544 less three dense layers with their biases and 4,224 biases.
    {"vgg16", 13,
     138'357'544 - (25'088 * 4'096 + 4'096) - (4'096 * 4'096 + 4'096) - (4'096 * 1'000 + 1'000) -
         4'224},
    // 4,231,976 less the classifier, 44,640 depthwise weights and 2 x 10,944 of normalisations.
    {"mobilenet-v1", 14, 4'231'976 - 1'025'000 - 44'640 - 2 * 10'944},
};

TEST(Network, has_the_published_count_of_layers_and_weights) {
    for (const Known& expected : known) {
        const auto network = load_network(expected.name, 1);
        ASSERT_TRUE(network.ok()) << network.error().message();
        std::int64_t layers = 0;
        std::int64_t weights = 0;
        for (const Network::Layer& layer : network->layers) {
            const conv::ConvShape& s = layer.shape;
            layers += layer.count;
            weights += layer.count * s.k * s.c * s.r * s.s;
        }
        EXPECT_EQ(layers, expected.layers) << expected.name;
        EXPECT_EQ(weights, expected.weights) << expected.name;
        EXPECT_NE(network->source, "");
    }
}

TEST(Network, every_layer_reads_what_some_layer_or_the_image_gives) {
    // Sizes that follow from the network's own layers, or from pooling (VGG, the stem of ResNet) or
    // depthwise layers (MobileNet), which halve.
    for (const Known& expected : known) {
        const auto network = load_network(expected.name, 1);
        std::vector<std::int64_t> sizes{224};
        for (const Network::Layer& layer : network->layers) {
            const conv::ConvShape& s = layer.shape;
            const bool given = std::any_of(sizes.begin(), sizes.end(), [&](std::int64_t size) {
                return size == s.h || size == 2 * s.h;
            });
            EXPECT_TRUE(given && s.h == s.w) << layer.name;
            sizes.push_back(s.out_h());
        }
    }
}

TEST(Network, has_the_published_operations) {
    // torchvision's resnet50: 4.089 G multiplications with the classifier's 2.048 M.
    double operations = 0;
    const auto network = load_network("resnet50", 1);
    for (const Network::Layer& layer : network->layers) {
        operations += layer.count * layer.shape.operations();
    }
    EXPECT_NEAR(operations / 2 + 2'048'000, 4.089e9, 0.0005e9);
}

TEST(Network, the_batch_is_that_of_every_layer) {
    const auto network = load_network("vgg16", 8);
    for (const Network::Layer& layer : network->layers) {
        EXPECT_EQ(layer.shape.n, 8);
    }
}

TEST(Network, an_unknown_name_gets_a_suggestion) {
    EXPECT_EQ(load_network("resnet-50", 1).error().message(),
              "--model: unknown network 'resnet-50'; did you mean 'resnet50'?");
}

}  // namespace
}  // namespace memside::tune
