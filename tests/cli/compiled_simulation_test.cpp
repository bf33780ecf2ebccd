// memside simulate on what memside compile wrote.
#include <nlohmann/json.hpp>

#include "cli/process.h"
#include "model/catalog.h"

namespace memside {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::string> simulation(const std::string& model, const std::string& policy,
                                    const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "simulate",  "--model", model,     "--system", "rack-2x8a100-pnm64", "--policy", policy,
        "--context", "100000",  "--batch", "3",        "--select-sample",    "2",        "--json",
        "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

// All but what the user wrote.
json result_of(const Workplace& place, const std::vector<std::string>& arguments) {
    const Outcome outcome = place.run(arguments);
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    json result = json::parse(outcome.out);
    result.erase("request");
    return result;
}

TEST(CompiledSimulation, every_model_gives_what_the_program_of_any_model_gives) {
    const Workplace place;
    const std::vector<std::string> models = model_names().value();
    for (const std::string& model : models) {
        SCOPED_TRACE(model);
        const Outcome compiled =
            place.run({"compile", "--model", model, "--target", "pnm", "-o", "layer.yaml"});
        ASSERT_EQ(compiled.exit_status, 0) << compiled.err;
        for (const char* policy : {"pnm-kv", "png-kv"}) {
            const json any = result_of(place, simulation(model, policy, {}));
            EXPECT_EQ(result_of(place, simulation(model, policy, {"--program", "layer.yaml"})),
                      any);
        }
    }
}

TEST(CompiledSimulation, formats_and_a_budget_are_compiled_in) {
    const Workplace place;
    const std::vector<std::string> format{"--page-size",   "64",   "--kv-type", "int8",
                                          "--digest-type", "int8", "--budget",  "16K"};
    std::vector<std::string> compile{"compile", "--model", "llama-3.1-8b", "--target",
                                     "pnm",     "-o",      "layer.yaml"};
    compile.insert(compile.end(), format.begin(), format.end());
    ASSERT_EQ(place.run(compile).exit_status, 0);
    std::vector<std::string> with_program = format;
    with_program.insert(with_program.end(), {"--program", "layer.yaml"});
    EXPECT_EQ(result_of(place, simulation("llama-3.1-8b", "pnm-kv", with_program)),
              result_of(place, simulation("llama-3.1-8b", "pnm-kv", format)));
    const Outcome other =
        place.run(simulation("llama-3.1-8b", "pnm-kv", {"--program", "layer.yaml"}));
    EXPECT_EQ(other.exit_status, 2);
    EXPECT_TRUE(other.one_line()) << other.err;
    EXPECT_THAT(other.err, HasSubstr("layer.yaml: layer 'selecting', append: kv_bits is 8; "
                                     "llama-3.1-8b simulated with 16"));
}

TEST(CompiledSimulation, the_program_of_another_model_is_refused) {
    const Workplace place;
    ASSERT_EQ(
        place.run({"compile", "--model", "llama-3.1-8b", "--target", "pnm", "-o", "layer.yaml"})
            .exit_status,
        0);
    const Outcome outcome =
        place.run(simulation("llama-3.1-70b", "pnm-kv", {"--program", "layer.yaml"}));
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("layer.yaml: layer 'selecting', score: query_heads is 32; "
                                       "llama-3.1-70b simulated with 64"));
}

// Exported elsewhere, of a model that is no preset.
TEST(CompiledSimulation, a_layer_in_linalg_is_simulated) {
    const Workplace place;
    place.write("config.json", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4,
        "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 1000,
        "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "torch_dtype": "bfloat16",
        "tie_word_embeddings": false})");
    const Outcome compiled =
        place.run({"compile", "--input", MEMSIDE_SOURCE_DIR "/tests/compiler/front/layer.mlir",
                   "--target", "pnm", "-o", "layer.yaml"});
    ASSERT_EQ(compiled.exit_status, 0) << compiled.err;
    const json any = result_of(place, simulation("config.json", "pnm-kv", {}));
    EXPECT_EQ(result_of(place, simulation("config.json", "pnm-kv", {"--program", "layer.yaml"})),
              any);
    EXPECT_GT(any["tpot_s"].get<double>(), 0);
}

TEST(CompiledSimulation, an_output_does_not_replace_the_program) {
    const Workplace place;
    ASSERT_EQ(
        place.run({"compile", "--model", "any", "--target", "pnm", "-o", "p.yaml"}).exit_status, 0);
    const Outcome outcome =
        place.run({"simulate", "--model", "llama-3.1-8b", "--system", "a100x2-pnm8", "--policy",
                   "pnm-kv", "--context", "32K", "--program", "p.yaml", "--csv", "p.yaml"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_THAT(outcome.err, HasSubstr("p.yaml"));
}

std::vector<std::string> on_modules(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "simulate",  "--model",     "llama-3.1-8b", "--system", "cent-x8", "--policy", "pim",
        "--context", "2000",        "--tp",         "8",        "--pp",    "1",        "--json",
        "-",         "--pim-cache", "off"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

std::vector<std::string> attention(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"compile",  "--model",   "llama-3.1-8b",
                                       "--kernel", "attention", "--emit",
                                       "bin",      "-o",        "a.bin"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

// Eight modules have a KV head each: then the user's program and the simulation's do the same.
TEST(CompiledSimulation, a_compiled_attention_takes_what_the_simulation_takes) {
    struct Case {
        std::vector<std::string> compile;
        std::vector<std::string> both;
        std::string row_reuse;
    };
    const std::vector<Case> cases{
        {{"--row-reuse"}, {"--batch", "2"}, "on"},
        {{"--accumulators", "1"}, {"--batch", "2", "--scheduler", "in-order"}, "off"},
        {{"--accumulators", "2", "--row-reuse"},
         {"--batch", "2", "--scheduler", "ping-pong"},
         "on"},
        {{"--partition", "hfp", "--row-reuse"}, {"--batch", "1", "--partition", "hfp"}, "on"}};
    for (const Case& c : cases) {
        const Workplace place;
        std::vector<std::string> compile = attention(c.compile);
        compile.insert(compile.end(), {"--tp", "8"});
        const Outcome compiled = place.run(compile);
        ASSERT_EQ(compiled.exit_status, 0) << compiled.err;
        std::vector<std::string> with_program = on_modules(c.both);
        with_program.insert(with_program.end(), {"--program", "a.bin"});
        std::vector<std::string> without = on_modules(c.both);
        without.insert(without.end(), {"--row-reuse", c.row_reuse});
        const json own = result_of(place, with_program);
        const json made = result_of(place, without);
        EXPECT_EQ(own["tpot_s"], made["tpot_s"]);
        EXPECT_EQ(own["energy"], made["energy"]);
        EXPECT_EQ(own["phases"], made["phases"]);
        EXPECT_NE(own["assumptions"], made["assumptions"]);
    }
}

TEST(CompiledSimulation, an_attention_that_does_not_fit_is_refused_in_one_line) {
    const Workplace place;
    const auto message = [&](const std::vector<std::string>& compile,
                             const std::vector<std::string>& simulate) {
        const Outcome compiled = place.run(compile);
        EXPECT_EQ(compiled.exit_status, 0) << compiled.err;
        const Outcome outcome = place.run(simulate);
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        return outcome.err;
    };
    const auto program = on_modules({"--program", "a.bin"});
    EXPECT_THAT(
        message(attention({}), program),
        HasSubstr("a.bin: appends 8 keys and 8 values and attends with 32 queries; a module "
                  "of llama-3.1-8b under tp 8 has 1 KV heads and 4 query heads"));
    EXPECT_THAT(message(attention({"--tp", "8", "--partition", "hfp"}), program),
                HasSubstr("a.bin: splits heads over channels"));
    EXPECT_THAT(message(attention({"--tp", "8", "--channels", "16"}), program),
                HasSubstr("a.bin: is for 16 channels"));
    EXPECT_THAT(message(attention({"--tp", "8", "--context", "4K", "--access", "static"}), program),
                HasSubstr("has rows of its own"));
    EXPECT_THAT(message(attention({"--tp", "8", "--context", "1K"}), program), HasSubstr("1024"));
    EXPECT_THAT(message({"compile", "--model", "qwen1.5-7b", "--kernel", "ffn", "--emit", "bin",
                         "-o", "a.bin"},
                        program),
                HasSubstr("a.bin: 'blk.0.ffn_gate.weight' has rows of its own"));
    EXPECT_THAT(message(attention({"--tp", "8"}),
                        {"simulate", "--model", "llama-3.1-8b", "--system", "cent-x8", "--policy",
                         "pim", "--context", "2K", "--program", "a.bin"}),
                HasSubstr("--program: is of the heads of one module: give --tp and --pp"));
    EXPECT_THAT(
        message(attention({"--tp", "8"}), on_modules({"--program", "a.bin", "--row-reuse", "on"})),
        HasSubstr("--row-reuse: is compiled into the program of --program"));
    EXPECT_THAT(message({"compile", "--model", "any", "--target", "pnm", "-o", "a.bin"}, program),
                HasSubstr("a.bin: "));
}

}  // namespace
}  // namespace memside
