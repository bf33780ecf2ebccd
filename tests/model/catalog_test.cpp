#include "model/catalog.h"

#include <filesystem>
#include <fstream>

#include "base/temp_folder.h"
#include "gguf_writer.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

class Catalog : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_.path(name); }

    std::string copy_config(const std::string& name) const {
        fs::create_directories(fs::path(path(name)).parent_path());
        fs::copy_file(std::string(MEMSIDE_SOURCE_DIR) + "/models/llama-3.2-1b/config.json",
                      path(name));
        return path(name);
    }

    static std::string refused(const std::string& name) {
        const auto spec = load_model(name);
        EXPECT_FALSE(spec.ok()) << name;
        if (spec.ok()) return "";
        EXPECT_EQ(spec.error().exit_status(), 2);
        return spec.error().message();
    }

    TempFolder folder_;
};

TEST_F(Catalog, every_preset_loads_under_its_name) {
    const auto names = model_names();
    ASSERT_TRUE(names.ok()) << names.error().message();
    EXPECT_EQ(names->size(), 14U);
    for (const std::string& name : *names) {
        const auto spec = load_model(name);
        ASSERT_TRUE(spec.ok()) << spec.error().message();
        EXPECT_EQ(spec->name, name);
        EXPECT_EQ(spec->source, "models/" + name + "/config.json");
    }
}

TEST_F(Catalog, names_are_case_insensitive) {
    EXPECT_EQ(load_model("Llama-3.1-70B")->name, "llama-3.1-70b");
}

TEST_F(Catalog, an_unknown_name_gives_the_nearest_preset) {
    EXPECT_EQ(refused("llama-3.1-71b"),
              "model: unknown model 'llama-3.1-71b'; did you mean 'llama-3.1-70b'?");
    EXPECT_THAT(refused("gpt"), testing::HasSubstr("unknown model 'gpt'; allowed: gemma-3-270m"));
    EXPECT_EQ(refused(""), "model: the name is empty");
    EXPECT_THAT(refused("../models/README.md"), testing::HasSubstr("no such file"));
}

TEST_F(Catalog, a_config_is_named_after_its_folder_or_its_file) {
    const auto by_folder = load_model(copy_config("mine/config.json"));
    ASSERT_TRUE(by_folder.ok()) << by_folder.error().message();
    EXPECT_EQ(by_folder->name, "mine");
    EXPECT_EQ(by_folder->source, path("mine/config.json"));
    EXPECT_EQ(load_model(path("mine"))->name, "mine");
    EXPECT_EQ(load_model(path("mine/"))->name, "mine");
    EXPECT_EQ(load_model(copy_config("yours.json"))->name, "yours");
}

TEST_F(Catalog, a_gguf_is_known_by_its_ending) {
    const test::GgufWriter w = test::gguf_model({});
    std::ofstream(path("tiny.GGUF"), std::ios::binary) << w.file();
    const auto spec = load_model(path("tiny.GGUF"));
    ASSERT_TRUE(spec.ok()) << spec.error().message();
    EXPECT_EQ(spec->name, "tiny");
    EXPECT_EQ(spec->layers, 2);
    EXPECT_EQ(spec->weights.bytes(), 2 * spec->weights.parameters());
}

TEST_F(Catalog, paths_that_cannot_be_read_are_named) {
    EXPECT_EQ(refused(path("none.json")), path("none.json") + ": no such file");
    EXPECT_EQ(refused("none.json"), "none.json: no such file");
    EXPECT_EQ(refused(path("none.gguf")), path("none.gguf") + ": no such file");
    fs::create_directory(path("empty"));
    EXPECT_EQ(refused(path("empty")), path("empty") + ": is a directory without a config.json");
    std::ofstream(path("cut.json")) << "{\"model_type\": \"llama\",\n";
    EXPECT_EQ(refused(path("cut.json")),
              path("cut.json") + ":2: the JSON text ends too early; is the file truncated?");
}

}  // namespace
}  // namespace memside
