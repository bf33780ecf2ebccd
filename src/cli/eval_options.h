// What the evaluations that run a model have in common: the model, a text, and the selecting
// policies to compare with dense.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
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
