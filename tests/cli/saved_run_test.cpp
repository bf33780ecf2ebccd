// memside run --kv-save and --kv-load.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;
using Arguments = std::vector<std::string>;

class SavedRunTest : public testing::Test {
  protected:
    void SetUp() override {
        make_model("m.gguf", "1");
        for (int i = 0; i < 200; ++i) text_ += fmt::format("{} and ", i * 37 % 101);
        place_.write("prompt.txt", text_);
    }

    void make_model(const std::string& name, const std::string& seed) {
        const std::string shape = MEMSIDE_SOURCE_DIR "/tests/engine/shapes/llama.json";
        ASSERT_EQ(
            place_.run({"make-model", "--shape", shape, "--seed", seed, "-o", name}).exit_status,
            0);
    }

    Outcome outcome(Arguments more, const std::string& model = "m.gguf") {
        Arguments arguments{"run", "--model", model, "--page-size", "16"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return place_.run(arguments);
    }
    nlohmann::json run(Arguments more) {
        more.insert(more.end(), {"--json", "-"});
        const Outcome result = outcome(more);
        EXPECT_EQ(result.exit_status, 0) << result.err;
        return nlohmann::json::parse(result.out);
    }
    void refused(const Arguments& more, const std::string& message, int status = 2,
                 const std::string& model = "m.gguf") {
        const Outcome result = outcome(more, model);
        EXPECT_EQ(result.exit_status, status) << message;
        EXPECT_TRUE(result.one_line()) << result.err;
        EXPECT_THAT(result.err, HasSubstr(message));
    }

    Workplace place_;
    std::string text_;
};

TEST_F(SavedRunTest, a_run_goes_on_where_another_ended) {
    const auto whole = run({"--prompt-file", "prompt.txt", "--max-tokens", "20"});
    EXPECT_EQ(whole.at("kv_loaded_tokens"), nullptr);
    EXPECT_EQ(whole.at("kv_saved_bytes"), nullptr);
    const auto first =
        run({"--prompt-file", "prompt.txt", "--max-tokens", "8", "--kv-save", "s.kv"});
    const int prompt = first.at("prompt_tokens");
    EXPECT_EQ(first.at("kv_saved_tokens"), prompt + 8);
    EXPECT_EQ(first.at("kv_saved_bytes"), std::filesystem::file_size(place_.file("s.kv")));
    // Without a prompt, and over the file that was loaded.
    const auto second = run({"--kv-load", "s.kv", "--max-tokens", "12", "--kv-save", "s.kv"});
    EXPECT_EQ(second.at("kv_loaded_tokens"), prompt + 7);
    EXPECT_EQ(second.at("prompt_tokens"), prompt + 8);
    EXPECT_GE(second.at("kv_load_s"), 0.0);
    std::vector<int> tokens = first.at("token_ids");
    for (const int token : second.at("token_ids")) tokens.push_back(token);
    EXPECT_EQ(whole.at("token_ids"), tokens);
    const auto third = run({"--kv-load", "s.kv", "--max-tokens", "1", "--kv-verify", "full"});
    EXPECT_EQ(third.at("prompt_tokens"), prompt + 20);
    EXPECT_THAT(place_.entries(), testing::UnorderedElementsAre("m.gguf", "prompt.txt", "s.kv"));
}

TEST_F(SavedRunTest, a_prompt_goes_on_after_what_it_shares) {
    run({"--prompt-file", "prompt.txt", "--max-tokens", "1", "--kv-save", "s.kv"});
    place_.write("longer.txt", text_ + "and then");
    const auto fresh = run({"--prompt-file", "longer.txt", "--max-tokens", "5"});
    const auto loaded =
        run({"--prompt-file", "longer.txt", "--max-tokens", "5", "--kv-load", "s.kv"});
    EXPECT_EQ(loaded.at("token_ids"), fresh.at("token_ids"));
    EXPECT_GT(loaded.at("kv_loaded_tokens"), 500);
    EXPECT_LT(loaded.at("kv_loaded_tokens"), loaded.at("prompt_tokens"));
    refused({"--prompt", "xyz", "--kv-load", "s.kv"}, "the prompt begins with none of them");
}

TEST_F(SavedRunTest, what_does_not_fit_is_refused_with_both_values) {
    run({"--prompt-file", "prompt.txt", "--max-tokens", "1", "--kv-save", "s.kv"});
    refused({"--kv-load", "s.kv", "--kv-type", "int8"},
            "s.kv: was saved with --kv-type f16, this run has int8");
    Arguments larger{"run", "--model", "m.gguf", "--kv-load", "s.kv", "--page-size", "64"};
    EXPECT_THAT(place_.run(larger).err, HasSubstr("with --page-size 16, this run has 64"));
    // Without the option the size is that of the file.
    EXPECT_EQ(place_.run({"run", "--model", "m.gguf", "--kv-load", "s.kv"}).exit_status, 0);
    make_model("other.gguf", "2");
    refused({"--kv-load", "s.kv"}, "s.kv: was saved by another model: its fingerprint is ", 2,
            "other.gguf");
}

TEST_F(SavedRunTest, a_damaged_file_is_refused_at_load_or_at_first_use) {
    run({"--prompt-file", "prompt.txt", "--max-tokens", "1", "--kv-save", "s.kv"});
    const std::string good = slurp(place_.file("s.kv"));
    const auto with_flip = [&](std::size_t at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        place_.write("bad.kv", bad);
    };
    with_flip(40);
    refused({"--kv-load", "bad.kv"}, "bad.kv: the header is damaged");
    with_flip(200);
    refused({"--kv-load", "bad.kv"}, "bad.kv: token ids, layers or index are damaged");
    // The first page of the last layer: the last piece is padding's neighbour.
    with_flip(65536);
    const Outcome touched = outcome({"--kv-load", "bad.kv", "--max-tokens", "3"});
    EXPECT_EQ(touched.exit_status, 2);
    EXPECT_THAT(touched.err, HasSubstr("bad.kv: page 0 of layer 0, KV head 0 (tokens 0 to 15"));
    const Outcome full = outcome({"--kv-load", "bad.kv", "--kv-verify", "full"});
    EXPECT_EQ(full.exit_status, 2);
    EXPECT_TRUE(full.one_line()) << full.err;
    place_.write("bad.kv", good.substr(0, good.size() / 2));
    refused({"--kv-load", "bad.kv"}, "it is not whole");
    refused({"--kv-load", "prompt.txt"}, "prompt.txt: is not a saved sequence");
    refused({"--kv-load", "none.kv"}, "none.kv: no such file");
}

TEST_F(SavedRunTest, options_that_make_no_sense_are_refused) {
    refused({"--prompt", "Hi", "--kv-verify", "full"}, "--kv-verify: has a meaning with --kv-load");
    refused({"--prompt", "Hi", "--kv-load", "s.kv", "--kv-verify", "some"}, "--kv-verify");
    refused({"--prompt", "Hi", "--kv-save", "-"}, "--kv-save: -: is not a regular file");
    refused({"--prompt", "Hi", "--kv-save", "."}, "--kv-save: .: is not a regular file");
    refused({"--prompt", "Hi", "--kv-save", "no/s.kv"}, "cannot create files there", 1);
    refused({"--prompt", "Hi", "--kv-save", "m.gguf"}, "would replace the input");
    refused({"--prompt", "Hi", "--kv-save", "s", "--kv-tier", "file:d"},
            "--kv-save: cannot be combined with --kv-tier file:d");
    refused({"--prompt", "Hi", "--kv-load", "s", "--kv-tier", "file:d"},
            "--kv-load: cannot be combined with --kv-tier file:d");
    refused({"--prompt", "Hi", "--kv-load", "s", "--kv-tier", "numa:0"},
            "--kv-load: cannot be combined with --kv-tier numa:0");
    refused({"--chat", "--kv-load", "s.kv"}, "--prompt: is required");
    refused({"--prompt-file", "prompt.txt", "--kv-load", "s.kv", "--json", "s.kv"},
            "--json: 's.kv' would replace the input 's.kv' (--kv-load)");
}

TEST_F(SavedRunTest, a_random_sequence_is_kept_by_the_bench) {
    const Outcome made = place_.run({"bench", "decode", "--model", "m.gguf", "--depth", "1K",
                                     "--steps", "2", "--page-size", "16", "--policy", "pnm-kv",
                                     "--budget", "128", "--kv-save", "r.kv", "--json", "-"});
    ASSERT_EQ(made.exit_status, 0) << made.err;
    EXPECT_EQ(nlohmann::json::parse(made.out).at("kv_saved_tokens"), 1024);
    const auto json =
        run({"--kv-load", "r.kv", "--max-tokens", "4", "--policy", "pnm-kv", "--budget", "128"});
    EXPECT_EQ(json.at("kv_loaded_tokens"), 1023);
    EXPECT_EQ(json.at("pages_selected_per_step"), 8);
}

}  // namespace
}  // namespace memside
