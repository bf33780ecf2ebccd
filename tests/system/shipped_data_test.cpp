// What holds of every file in systems/.
#include "base/config.h"
#include "base/data_dir.h"
#include "files.h"
#include "system/component_reader.h"

namespace memside {
namespace {

const std::string devices = std::string(MEMSIDE_SOURCE_DIR) + "/systems/devices";

bool admits_to_be_a_guess(const std::string& source) {
    for (const char* start : {"assumed: ", "inferred: ", "derived: "}) {
        if (source.starts_with(start)) return source.size() > std::string(start).size() + 15;
    }
    return false;
}

// The documents that the shipped constants rest on. A new one is added here on purpose.
bool names_a_document(const std::string& source) {
    for (const char* document :
         {"Kim et al., PACT 2025, arXiv 2511.00321, ", "NVIDIA A100 Tensor Core GPU datasheet",
          "NVIDIA H100 Tensor Core GPU datasheet",
          "NVIDIA A100 Tensor Core GPU Architecture whitepaper",
          "NVIDIA H100 Tensor Core GPU Architecture whitepaper", "NVIDIA PTX ISA",
          "NVIDIA DGX A100 datasheet", "NVIDIA Developer Forums, topic ", "NCCL 2.30.7, src/graph/",
          "S. Bekman, ", "Kwon et al., PIMphony, arXiv 2412.20166v3", "SK hynix GDDR6-AiM",
          "the public CENT artifact (Yufeng98/CENT, ASPLOS 2025)"}) {
        if (source.starts_with(document)) return true;
    }
    return false;
}

TEST(ShippedData, every_constant_names_a_document_or_says_that_it_is_a_guess) {
    int constants = 0;
    for (const std::string& file : list_folder(devices)) {
        const auto root = read_config(devices + "/" + file);
        ASSERT_TRUE(root.ok()) << root.error().message();
        ASSERT_NE(root->find("description"), nullptr) << file;
        for (const auto& [key, constant] : root->find("constants")->fields) {
            const std::string& source = constant.find("source")->scalar;
            EXPECT_TRUE(names_a_document(source) || admits_to_be_a_guess(source))
                << constant.where() << ": " << source;
            ++constants;
        }
    }
    EXPECT_GT(constants, 60);
}

TEST(ShippedData, every_component_loads_and_is_complete) {
    const auto files = list_folder(devices);
    EXPECT_GE(files.size(), 12u);
    for (const std::string& file : files) {
        const std::string name = file.substr(0, file.size() - std::string(".yaml").size());
        const auto component = testing_system::shipped_library().load(name, "test");
        ASSERT_TRUE(component.ok()) << component.error().message();
        EXPECT_EQ(component->constants.size(), schema(component->kind).size()) << name;
    }
}

}  // namespace
}  // namespace memside
