#include "base/data_dir.h"

#include <cstdlib>

#include "base/temp_folder.h"

namespace memside {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// data_dir() looks once per process, so each case is a child process that ends with the message.
[[noreturn]] void print_data_dir(const std::string& variable) {
    ::setenv("MEMSIDE_DATA", variable.c_str(), 1);
    const auto found = data_dir();
    std::fputs(found.ok() ? found->c_str() : found.error().message().c_str(), stderr);
    std::_Exit(found.ok() ? 0 : found.error().exit_status());
}

TEST(DataDir, the_environment_chooses_the_folder) {
    const TempFolder folder;
    folder.write("systems/x.yaml", "");
    folder.write("models/x.json", "");
    EXPECT_EXIT(print_data_dir(folder.path("")), testing::ExitedWithCode(0), folder.path(""));
}

TEST(DataDir, a_chosen_folder_without_both_parts_is_bad_input) {
    const TempFolder folder;
    folder.write("systems/x.yaml", "");
    EXPECT_EXIT(print_data_dir(folder.path("")), testing::ExitedWithCode(2),
                "MEMSIDE_DATA: .* has no systems/ and models/");
    EXPECT_EXIT(print_data_dir("/nowhere"), testing::ExitedWithCode(2), "MEMSIDE_DATA: /nowhere");
}

// The test program lies in the build folder: whatever it finds lies above it.
TEST(DataDir, an_empty_variable_means_the_folders_above_the_executable) {
    const bool in_tree = std::filesystem::is_directory(MEMSIDE_SOURCE_DIR "/systems") &&
                         std::filesystem::is_directory(MEMSIDE_SOURCE_DIR "/models");
    EXPECT_EXIT(print_data_dir(""), testing::ExitedWithCode(in_tree ? 0 : 2),
                in_tree ? MEMSIDE_SOURCE_DIR "$" : "set MEMSIDE_DATA");
}

TEST(ListFolder, gives_the_visible_names_sorted) {
    const TempFolder folder;
    for (const char* name : {"b.yaml", "a.yaml", ".hidden", "c/inside"}) folder.write(name, "");
    EXPECT_THAT(list_folder(folder.path("")), ElementsAre("a.yaml", "b.yaml", "c"));
}

TEST(ListFolder, a_missing_folder_gives_none) {
    EXPECT_THAT(list_folder("/nowhere"), IsEmpty());
    EXPECT_THAT(list_folder("/dev/null"), IsEmpty());
}

}  // namespace
}  // namespace memside
