// memside run and memside bench, as far as they go without a model.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/process.h"
#include "kv/scores_recorded.h"
#include "model/gguf_writer.h"

namespace memside {
namespace {

using testing::HasSubstr;

TEST(RunCommand, unknown_memory_nodes_are_refused_with_those_that_there_are) {
    const Workplace place;
    const auto refused = [&](const std::string& tier, const std::string& message) {
        const Outcome outcome =
            place.run({"run", "--model", "x.gguf", "--prompt", "Hi", "--kv-tier", tier});
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(message));
    };
    refused("numa:4000", "--kv-tier: there is no memory node 4000; this machine has ");
    refused("numa:0,0", "--kv-tier: memory node 0 is named twice");
    for (const char* tier : {"numa:", "numa:x", "numa:0,", "numa:-1"}) refused(tier, "--kv-tier: ");
    // A node that is there gets as far as the model.
    refused("numa:0", "x.gguf: no such file");
}

TEST(RunCommand, a_tier_that_is_none_is_refused) {
    const Workplace place;
    const auto refused = [&](std::vector<std::string> more, const std::string& message) {
        std::vector<std::string> arguments{"run", "--model", "x.gguf", "--prompt", "Hi"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2) << message;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(message));
    };
    refused({"--kv-tier", "tape"},
            "--kv-tier: there is no 'tape'; allowed: dram, numa:N, file:DIR");
    refused({"--kv-tier", "file:"}, "--kv-tier: 'file:' names no folder");
    refused({"--kv-pool", "1G"}, "--kv-pool: has no meaning for --policy dense");
    refused({"--kv-reader", "pread"}, "--kv-reader: has no meaning for --kv-tier dram");
    refused({"--kv-tier", "file:.", "--kv-reader", "tape"}, "--kv-reader");
    refused({"--kv-tier", "file:.", "--kv-read-ahead", "maybe"}, "--kv-read-ahead");
}

TEST(RunCommand, an_option_without_meaning_for_the_policy_is_refused) {
    const Workplace place;
    const auto refused = [&](std::vector<std::string> more, const std::string& message) {
        std::vector<std::string> arguments{"run", "--model", "x.gguf", "--prompt", "Hi"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2) << message;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(message));
    };
    refused({"--budget", "1K"}, "--budget: has no meaning for --policy dense; it is for pnm-kv");
    refused({"--policy", "pnm-kv", "--steady", "1K"}, "--steady: has no meaning for --policy pnm");
    refused({"--policy", "png-kv", "--kv-pool", "1G"},
            "--kv-pool: has no meaning for --policy png");
    refused({"--policy", "pnm-kv", "--budget", "32"}, "--budget: 32 tokens are 2 pages of 16");
    refused({"--policy", "pnm-kv", "--budget-mass", "1.5"}, "--budget-mass: 1.5 is not a share");
    refused({"--policy", "pnm-kv", "--digest", "minmax", "--digest-coef", "2"}, "--digest-coef");
    refused({"--policy", "pnm-kv", "--digest", "median"}, "--digest");
    refused({"--policy", "fast"}, "--policy");
    refused({"--page-size", "48"}, "--page-size: 48 is not a power of two");
}

class RunPolicyTest : public testing::Test {
  protected:
    void SetUp() override {
        const std::string shape = MEMSIDE_SOURCE_DIR "/tests/engine/shapes/llama.json";
        ASSERT_EQ(place_.run({"make-model", "--shape", shape, "-o", "m.gguf"}).exit_status, 0);
        std::string text;
        for (int i = 0; i < 500; ++i) text += fmt::format("{} and ", i * 37 % 101);
        place_.write("prompt.txt", text);
    }

    nlohmann::json run(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(),
                         {"--model", "m.gguf", "--page-size", "16", "--json", "-"});
        const Outcome outcome = place_.run(arguments);
        EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
        return nlohmann::json::parse(outcome.out);
    }

    Workplace place_;
};

TEST_F(RunPolicyTest, statistics_say_what_a_step_read) {
    for (const std::string policy : {"pnm-kv", "png-kv", "recall"}) {
        const auto json = run({"run", "--prompt-file", "prompt.txt", "--policy", policy, "--budget",
                               "128", "--dense-layers", "0", "--max-tokens", "12"});
        EXPECT_EQ(json.at("policy"), policy);
        EXPECT_EQ(json.at("budget_tokens"), 128);
        EXPECT_EQ(json.at("pages_selected_per_step"), 8);
        EXPECT_GT(json.at("pages_scanned_per_step"), 8);
        EXPECT_EQ(json.at("pages_recalled_per_step") == 0, policy == "pnm-kv");
        EXPECT_GT(json.at("digest_bytes_read_per_step"), 0);
        const auto share = json.at("time_share");
        EXPECT_NEAR(share.at("scoring").get<double>() + share.at("attention").get<double>() +
                        share.at("recall").get<double>() + share.at("fc").get<double>(),
                    1.0, 1e-9);
    }
}

TEST_F(RunPolicyTest, a_budget_of_everything_says_what_dense_says) {
    const auto dense = run({"run", "--prompt-file", "prompt.txt", "--max-tokens", "12"});
    EXPECT_TRUE(dense.at("pages_selected_per_step").is_null());
    for (const std::string policy : {"pnm-kv", "png-kv", "recall"}) {
        const auto json = run({"run", "--prompt-file", "prompt.txt", "--policy", policy, "--budget",
                               "16K", "--max-tokens", "12"});
        EXPECT_EQ(json.at("token_ids"), dense.at("token_ids"));
    }
}

TEST_F(RunPolicyTest, recorded_scores_do_not_depend_on_the_policy_that_attends) {
    const std::vector<std::string> same{"run",  "--prompt-file",  "prompt.txt", "--prompt-tokens",
                                        "1031", "--prompt-steps", "8",          "--max-tokens",
                                        "1",    "--record-scores"};
    const auto record = [&](const std::string& file, std::vector<std::string> more) {
        std::vector<std::string> arguments = same;
        arguments.push_back(file);
        arguments.insert(arguments.end(), more.begin(), more.end());
        (void)run(arguments);
        return slurp(place_.path() / file);
    };
    // A budget of everything attends as dense does, in another order: the queries are the same but
    // for rounding.
    const std::string dense = record("a", {"--dense-layers", "0"});
    const auto a = std::move(kv::parse_scores(dense, "a")).value();
    const auto b =
        std::move(
            kv::parse_scores(
                record("b", {"--dense-layers", "0", "--policy", "pnm-kv", "--budget", "2K"}), "b"))
            .value();
    ASSERT_EQ(a->extent().layers, b->extent().layers);
    for (std::int64_t layer = 0; layer < a->extent().layers; ++layer) {
        const auto of_a = a->open(0, layer);
        const auto of_b = b->open(0, layer);
        for (std::int64_t step = 0; step < a->extent().steps; ++step) {
            const auto expected = of_a->next();
            const auto found = of_b->next();
            ASSERT_EQ(found.size(), expected.size());
            for (std::size_t page = 0; page < found.size(); ++page) {
                ASSERT_NEAR(found[page], expected[page], 2e-3F);
            }
        }
    }
    EXPECT_TRUE(record("c", {"--dense-layers", "0", "--digest", "centre-mad"}) != dense);
    EXPECT_THAT(dense, HasSubstr("\"context_tokens\":1024,"));
    EXPECT_LT(record("d", {"--dense-layers", "1"}).size(), dense.size());

    const Outcome described = place_.run({"scores", "describe", "a", "--budgets", "128,256"});
    EXPECT_EQ(described.exit_status, 0) << described.err;
    EXPECT_THAT(described.out, HasSubstr("context of 1K, pages of 16 tokens, 8 steps"));
    const Outcome fit = place_.run({"scores", "fit", "a", "--check", "b", "--budgets", "128",
                                    "--evaluations", "20", "--json", "fit.json"});
    EXPECT_EQ(fit.exit_status, 0) << fit.err;
    const auto json = nlohmann::json::parse(slurp(place_.path() / "fit.json"));
    EXPECT_EQ(json.at("fitted_steps"), 4);
    EXPECT_LE(json.at("distances").at("fitted steps"),
              json.at("distances").at("fitted steps, closed forms alone"));
    // What it prints is what simulate takes.
    std::vector<std::string> simulate{"simulate", "--model",     "llama-3.2-1b",
                                      "--system", "a100x1-pnm1", "--policy",
                                      "pnm-kv",   "--context",   "4K"};
    std::istringstream words(json.at("set").get<std::string>());
    for (std::string word; words >> word;) simulate.push_back(word);
    EXPECT_EQ(place_.run(simulate).exit_status, 0);
}

TEST_F(RunPolicyTest, a_recording_without_a_step_is_refused_and_leaves_no_file) {
    const Outcome outcome = place_.run({"run", "--model", "m.gguf", "--prompt", "Hi",
                                        "--max-tokens", "1", "--record-scores", "x.scores"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_THAT(outcome.err, HasSubstr("x.scores: no decode step was taken"));
    for (const std::string& name : place_.entries()) {
        EXPECT_EQ(name.find("x.scores"), std::string::npos) << name;
    }
    const Outcome many =
        place_.run({"run", "--model", "m.gguf", "--prompt", "Hi", "--prompt-steps", "100"});
    EXPECT_EQ(many.exit_status, 2);
    EXPECT_THAT(many.err, HasSubstr("--prompt-steps: 100 of a prompt of"));
}

TEST_F(RunPolicyTest, associative_recall_is_the_same_on_any_number_of_threads) {
    const auto ask = [&](const std::string& threads) {
        const Outcome outcome = place_.run({"eval",
                                            "associative",
                                            "--model",
                                            "m.gguf",
                                            "--text",
                                            "prompt.txt",
                                            "--statistics-tokens",
                                            "1K",
                                            "--page-size",
                                            "16",
                                            "--tokens",
                                            "4K",
                                            "--trials",
                                            "4",
                                            "--budgets",
                                            "128,4K",
                                            "--margins",
                                            "8,-8",
                                            "--threads",
                                            threads,
                                            "--json",
                                            "-"});
        EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
        return outcome.out;
    };
    const std::string one = ask("1");
    EXPECT_EQ(ask("3"), one);
    const auto json = nlohmann::json::parse(one);
    EXPECT_EQ(json.at("cells").size(), 4 * 2 * 3 * 2);
    for (const auto& cell : json.at("cells")) {
        if (cell.at("budget_tokens") != 4096) continue;
        EXPECT_EQ(cell.at("found"), json.at("dense_found"));
    }
    const Outcome wrong = place_.run(
        {"eval", "associative", "--model", "m.gguf", "--text", "prompt.txt", "--tokens", "1000"});
    EXPECT_EQ(wrong.exit_status, 2);
    EXPECT_THAT(wrong.err, HasSubstr("--tokens: 1000 is no multiple of 4096"));
}

TEST_F(RunPolicyTest, bench_decode_fills_with_random_values_or_a_text) {
    for (const std::string fill : {"random", "prompt.txt"}) {
        const auto json = run({"bench", "decode", "--depth", "512", "--fill", fill, "--policy",
                               "pnm-kv", "--budget", "128", "--dense-layers", "1", "--steps", "3"});
        EXPECT_EQ(json.at("depth_tokens"), 512);
        EXPECT_EQ(json.at("steps"), 3);
        EXPECT_GT(json.at("decode_tok_per_s"), 0);
        EXPECT_EQ(json.at("pages_selected_per_step"), 8);
    }
    const auto empty = run({"bench", "decode", "--steps", "2"});
    EXPECT_EQ(empty.at("depth_tokens"), 0);
    EXPECT_EQ(empty.at("policy"), "dense");
}

TEST_F(RunPolicyTest, a_text_shorter_than_the_depth_is_refused) {
    const Outcome outcome = place_.run(
        {"bench", "decode", "--model", "m.gguf", "--depth", "1M", "--fill", "prompt.txt"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("--fill: 'prompt.txt' has"));
}

TEST(RunCommand, a_chat_puts_the_models_form_around_what_is_said) {
    const Workplace place;
    const std::string shape = MEMSIDE_SOURCE_DIR "/tests/engine/shapes/qwen2.json";
    ASSERT_EQ(place.run({"make-model", "--shape", shape, "-o", "m.gguf"}).exit_status, 0);
    const auto run = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments{"run", "--model", "m.gguf", "--max-tokens",
                                           "8",   "--json",  "-"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
        const auto json = nlohmann::json::parse(outcome.out);
        return std::pair(json.at("prompt_tokens").get<int>(), json.at("token_ids"));
    };
    // The made file has ChatML's control tokens. Written out by hand, a raw prompt is the same.
    const std::string user = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    EXPECT_EQ(run({"--chat", "--prompt", "Hi"}), run({"--prompt", user}));
    EXPECT_EQ(run({"--chat", "--system-prompt", "Short", "--prompt", "Hi"}),
              run({"--prompt", "<|im_start|>system\nShort<|im_end|>\n" + user}));
    // What a user types is text, also where it looks like a control token.
    EXPECT_GT(
        run({"--chat", "--prompt", "<|im_end|>"}).first,
        run({"--prompt", "<|im_start|>user\n<|im_end|><|im_end|>\n<|im_start|>assistant\n"}).first);
}

TEST(RunCommand, what_belongs_to_a_chat_is_refused_without_one) {
    const Workplace place;
    const Outcome system =
        place.run({"run", "--model", "m.gguf", "--prompt", "Hi", "--system-prompt", "Be brief."});
    EXPECT_EQ(system.exit_status, 2);
    EXPECT_THAT(system.err, HasSubstr("--system-prompt: needs --chat"));
    const Outcome both =
        place.run({"run", "--model", "m.gguf", "--prompt", "Hi", "--raw", "--chat"});
    EXPECT_EQ(both.exit_status, 2);
    EXPECT_THAT(both.err, HasSubstr("--raw: is given beside --chat"));
}

TEST(RunCommand, a_file_that_cannot_be_decoded_gives_one_line_and_status_2) {
    const Workplace place;
    place.write("empty.gguf", "");
    place.write("text.gguf", "once upon a time");
    test::GgufShape shape;
    place.write("no_epsilon.gguf", test::gguf_model(shape).file());
    test::GgufWriter writer;
    test::write_metadata(writer, shape);
    writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    shape.hidden = 64;
    test::write_tensors(writer, shape);
    place.write("no_tokenizer.gguf", writer.file());
    std::string cut = writer.file();
    cut.resize(cut.size() - 100);
    place.write("cut.gguf", cut);
    for (const std::string name : {"missing.gguf", "empty.gguf", "text.gguf", "no_epsilon.gguf",
                                   "no_tokenizer.gguf", "cut.gguf", "."}) {
        const Outcome outcome = place.run({"run", "--model", name, "--prompt", "Hi"});
        EXPECT_EQ(outcome.exit_status, 2) << name;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(name));
    }
}

TEST(RunCommand, a_weight_type_that_is_not_supported_is_named_with_its_tensor) {
    const Workplace place;
    test::GgufShape shape;
    test::GgufWriter writer;
    test::write_metadata(writer, shape);
    writer.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    test::write_tensors(writer, shape);
    test::GgufWriter with_iq4;  // iq4_nl: 32 values in 18 bytes
    test::write_metadata(with_iq4, shape);
    with_iq4.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    with_iq4.tensor("output.weight", {shape.hidden, shape.vocab}, 20,
                    shape.hidden * shape.vocab / 32 * 18);
    shape.tied = true;
    test::write_tensors(with_iq4, shape);
    place.write("iq4.gguf", with_iq4.file());
    const Outcome outcome = place.run({"run", "--model", "iq4.gguf", "--prompt", "Hi"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("'output.weight' has the type iq4_nl"));
    EXPECT_THAT(outcome.err, HasSubstr("q6_k"));
}

TEST(BenchCommand, measures_a_small_cache_and_writes_its_keys) {
    const Workplace place;
    const Outcome outcome =
        place.run({"bench", "attention", "--context", "2K", "--distinct-mib", "1", "--kv-heads",
                   "2", "--heads", "4", "--head-dim", "16", "--json", "-"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    for (const char* key : {"ns_per_token_per_layer", "bytes_read", "gb_per_s", "stream_gb_per_s",
                            "fraction_of_stream"}) {
        EXPECT_THAT(outcome.out, HasSubstr(fmt::format("\"{}\":", key)));
    }
    // 2,048 tokens x 2 KV heads x (16 + 16) values x 2 bytes.
    EXPECT_THAT(outcome.out, HasSubstr("\"bytes_read\": 262144"));
}

TEST(BenchCommand, reads_keys_and_values_of_the_type_asked_for) {
    const Workplace place;
    const auto run = [&](const char* type) {
        return place.run({"bench", "attention", "--context", "2K", "--distinct-mib", "1",
                          "--kv-heads", "2", "--heads", "4", "--head-dim", "16", "--kv-type", type,
                          "--json", "-"});
    };
    // A byte a value; per token a scale of its key and one of its value, 2 bytes each.
    EXPECT_THAT(run("int8").out, HasSubstr(fmt::format("\"bytes_read\": {}", 2048 * 2 * (32 + 4))));
    const Outcome refused = run("int4");
    EXPECT_EQ(refused.exit_status, 2);
    EXPECT_THAT(refused.err, HasSubstr("int8"));
}

TEST(BenchCommand, what_it_cannot_measure_is_refused_by_name) {
    const Workplace place;
    EXPECT_EQ(place.run({"bench"}).exit_status, 2);
    EXPECT_EQ(place.run({"bench", "decode"}).exit_status, 2);
    const Outcome heads =
        place.run({"bench", "attention", "--context", "1K", "--heads", "5", "--kv-heads", "2"});
    EXPECT_EQ(heads.exit_status, 2);
    EXPECT_TRUE(heads.one_line()) << heads.err;
    EXPECT_THAT(heads.err, HasSubstr("--heads"));
}

TEST_F(RunPolicyTest, pages_in_a_file_give_the_tokens_of_memory_and_say_what_was_read) {
    for (const std::string policy : {"dense", "pnm-kv", "png-kv", "recall"}) {
        std::vector<std::string> arguments{"run",  "--prompt-file", "prompt.txt", "--policy",
                                           policy, "--max-tokens",  "12"};
        if (policy != "dense") arguments.insert(arguments.end(), {"--budget", "128"});
        const auto want = run(arguments);
        EXPECT_FALSE(want.at("bytes_read").contains("file"));
        for (const std::string reader : {"threads", "pread"}) {
            std::vector<std::string> filed = arguments;
            filed.insert(filed.end(), {"--kv-tier", "file:" + place_.path().string(), "--kv-pool",
                                       "1M", "--kv-reader", reader});
            const auto json = run(filed);
            EXPECT_EQ(json.at("token_ids"), want.at("token_ids")) << policy;
            EXPECT_EQ(json.at("kv_bytes_read_per_step"), want.at("kv_bytes_read_per_step"));
            EXPECT_GT(json.at("bytes_read").at("dram"), 0);
            EXPECT_GT(json.at("bytes_read").at("file"), 0) << json.dump();
        }
    }
    EXPECT_EQ(place_.entries().size(), 2U);
}

TEST_F(RunPolicyTest, a_folder_or_a_pool_that_will_not_do_is_refused_in_one_line) {
    const auto refused = [&](std::vector<std::string> more, int status,
                             const std::string& message) {
        std::vector<std::string> arguments{"bench", "decode", "--model", "m.gguf"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = place_.run(arguments);
        EXPECT_EQ(outcome.exit_status, status) << message;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(message));
    };
    refused({"--kv-tier", "file:nowhere"}, 2, "--kv-tier: 'nowhere' does not exist");
    refused({"--kv-tier", "file:m.gguf"}, 2, "--kv-tier: 'm.gguf' is not a folder");
    refused({"--kv-tier", "file:/proc"}, 2, "--kv-tier: '/proc' cannot hold a file");
    refused({"--depth", "64K", "--kv-tier", "file:.", "--kv-pool", "4096"}, 2,
            "--kv-pool: 4 KiB are too few");
    refused({"--kv-tier", "file:.", "--depth", "1G"}, 1, "are free");
}

// The file has no name, so that nothing is there to be left even while it is in use.
TEST_F(RunPolicyTest, a_killed_run_leaves_no_file) {
    const std::string command = fmt::format(
        "cd {}; {} bench decode --model m.gguf --depth 64K --steps 100000 --kv-tier file:. "
        "--kv-pool 1M >/dev/null 2>&1 & pid=$!; "
        "for i in $(seq 200); do ls -l /proc/$pid/fd 2>/dev/null | grep -q deleted && break; "
        "sleep 0.05; done; ls -l /proc/$pid/fd | grep -c deleted > {}; kill -9 $pid; wait $pid",
        place_.path().string(), MEMSIDE_BINARY, place_.file("seen"));
    std::system(("exec bash -c '" + command + "' 2>/dev/null").c_str());
    EXPECT_EQ(slurp(place_.file("seen")), "1\n");
    std::vector<std::string> left = place_.entries();
    std::ranges::sort(left);
    EXPECT_EQ(left, (std::vector<std::string>{"m.gguf", "prompt.txt", "seen"}));
}

}  // namespace
}  // namespace memside
