// What the evaluations that run a model have in common: the model, a text, and the selecting
// policies to compare with dense.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "engine/decoder.h"
#include "engine/tokenizer.h"
#include "eval/selection_grid.h"
#include "report/json_writer.h"

namespace memside::cli {

struct EvalRequest {
    std::string model;
    std::string text;                    // path
    std::vector<std::int64_t> contexts;  // tokens, ascending
    eval::SelectionGrid grid;
    std::vector<engine::KvPolicy> policies;  // of the grid
    engine::DecoderOptions decoder;          // but for capacity and rewind; its policy is dense
    std::uint64_t seed = 1;
};

// Model, text, contexts and seed; then what is selected, and how it runs.
void declare_eval_options(Options& options, const std::string& default_contexts);
void declare_selection_lists(Options& options);
void declare_eval_outputs(Options& options);

// bad_input for what is out of range or contradicts itself.
Result<EvalRequest> read_eval_request(const Options& options, const std::string& default_contexts);

// What an evaluation does once its options are declared. read(options, request) gives its setup,
// run(request, setup) its report, of which to_json(), to_csv() and to_text() are written.
template <typename Read, typename Run>
int run_evaluation(Options& options, const std::vector<std::string>& arguments,
                   const std::string& default_contexts, const Read& read, const Run& run) {
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("eval", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<EvalRequest> request = read_eval_request(options, default_contexts);
    if (!request.ok()) return fail("eval", request.error());
    const auto setup = read(options, *request);
    if (!setup.ok()) return fail("eval", setup.error());
    const Result<bool> on_standard_output = check_outputs(
        options, {"--json", "--csv"}, {{"--model", request->model}, {"--text", request->text}});
    if (!on_standard_output.ok()) return fail("eval", on_standard_output.error());
    const auto report = run(*request, *setup);
    if (!report.ok()) return fail("eval", report.error());
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(*report));
    if (const auto path = options.text("--csv")) outputs.add(*path, to_csv(*report));
    if (!*on_standard_output) outputs.add("-", to_text(*report, wants_colour()));
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail("eval", written.error());
    }
    return 0;
}

// The items between the commas of an option's value; bad_input when one is empty.
Result<std::vector<std::string>> list_of(const Options& options, const std::string& name,
                                         const std::string& fallback);

// A model and its tokenizer.
struct EvalModel {
    engine::ModelFile file;
    std::unique_ptr<engine::Tokenizer> tokenizer;
};
Result<EvalModel> open_eval_model(const EvalRequest& request);
// Notes a context beyond the window that the model was trained for.
void note_window(const EvalRequest& request, const EvalModel& model, const std::string& command);
// The text's bytes.
Result<std::string> read_eval_text(const EvalRequest& request);

// What ran, as members of a JSON object: everything that the result depends on.
void write_eval_members(JsonWriter& json, const EvalRequest& request);
// What tells one policy from another: cells of CSV and table, and members of a JSON object. Null is
// dense, of which all but the name is without meaning.
std::vector<std::string> policy_columns();
std::vector<std::string> policy_cells(const engine::KvPolicy* policy);
void write_policy_members(JsonWriter& json, const engine::KvPolicy* policy);

}  // namespace memside::cli
