#include "cli/eval_options.h"

#include <bit>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/kv_options.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

Result<std::vector<std::int64_t>> token_list(const Options& options, const std::string& name,
                                             const std::string& fallback) {
    MEMSIDE_TRY(const std::vector<std::string> items, list_of(options, name, fallback));
    std::vector<std::int64_t> tokens;
    for (const std::string& item : items) {
        MEMSIDE_TRY(const std::int64_t count, parse_tokens(item, name));
        tokens.push_back(count);
    }
    if (std::ranges::adjacent_find(tokens, std::greater_equal<>()) != tokens.end()) {
        return bad_input(
            name, fmt::format("{} does not ascend", in_quotes(options.text_or(name, fallback))));
    }
    return tokens;
}

// Values of a list of names, each at most once.
template <typename T, typename Parse>
Result<std::vector<T>> named_list(const Options& options, const std::string& name,
                                  const std::string& fallback, const Parse& parse) {
    MEMSIDE_TRY(const std::vector<std::string> items, list_of(options, name, fallback));
    std::vector<T> values;
    for (const std::string& item : items) {
        MEMSIDE_TRY(const T value, parse(item));
        if (std::ranges::find(values, value) != values.end()) {
            return bad_input(name, fmt::format("{} is given twice", in_quotes(item)));
        }
        values.push_back(value);
    }
    return values;
}

Status read_grid(const Options& options, EvalRequest& request) {
    eval::SelectionGrid& grid = request.grid;
    MEMSIDE_TRY(grid.budgets, token_list(options, "--budgets", "512,1K,4K"));
    MEMSIDE_TRY(grid.digests, named_list<kv::DigestKind>(
                                  options, "--digest", join(kv::digest_kind_names(), ","),
                                  [](const std::string& item) -> Result<kv::DigestKind> {
                                      MEMSIDE_TRY(
                                          const std::size_t kind,
                                          parse_choice(item, kv::digest_kind_names(), "--digest"));
                                      return static_cast<kv::DigestKind>(kind);
                                  }));
    MEMSIDE_TRY(
        grid.select_per,
        named_list<kv::SelectPer>(options, "--select-per", "kv-head", [](const std::string& item) {
            return kv::parse_select_per(item, "--select-per");
        }));
    MEMSIDE_TRY(grid.group_scores,
                named_list<kv::GroupScore>(options, "--group-score", default_group_score,
                                           [](const std::string& item) {
                                               return kv::parse_group_score(item, "--group-score");
                                           }));
    engine::KvPolicy& base = grid.base;
    MEMSIDE_TRY(const std::size_t type,
                options.choice("--digest-type", "f16", kv::digest_type_names()));
    base.digest.type = static_cast<kv::DigestType>(type);
    MEMSIDE_TRY(const double coefficient,
                parse_number(options.text_or("--digest-coef", "1"), "--digest-coef"));
    base.digest.coefficient = static_cast<float>(coefficient);
    MEMSIDE_TRY(base.selection.pinned.sink,
                options.integer("--sink-pages", default_sink_pages, 0, 1 << 20));
    MEMSIDE_TRY(base.selection.pinned.recent,
                options.integer("--recent-pages", default_recent_pages, 0, 1 << 20));
    MEMSIDE_TRY(const std::int64_t dense,
                options.integer("--dense-layers", default_dense_layers, 0, 1 << 16));
    base.dense_layers = static_cast<int>(dense);
    MEMSIDE_TRY(base.reselect_steps, options.integer("--sticky", 1, 1, 1 << 20));
    request.policies = eval::policies_of(grid);
    for (const engine::KvPolicy& policy : request.policies) {
        MEMSIDE_CHECK(engine::check_policy(policy, request.decoder.page_tokens));
    }
    return {};
}

}  // namespace

void declare_eval_options(Options& options, const std::string& default_contexts) {
    options.group("Model and text");
    options.add("--model", "FILE", "a .gguf file, of a split one the first part");
    options.add("--text", "FILE",
                "real text, longer than the longest context; such as the King James Bible: "
                "bible -f 'gen1:1-rev22:21' > kjv.txt (package bible-kjv-text)");
    options.add("--contexts", "LIST",
                fmt::format("tokens, ascending (default: {})", default_contexts));
    options.add("--seed", "N", "of everything that is drawn (default: 1)");
}

void declare_selection_lists(Options& options) {
    options.group("Policies compared with dense: every combination of the lists");
    options.add("--budgets", "LIST", "tokens attended by a page set (default: 512,1K,4K)");
    options.add("--digest", "LIST", "minmax, centre-max, centre-mad, centre-std (default: all)");
    options.add("--select-per", "LIST", "layer, kv-head, query-head (default: kv-head)");
    options.add("--group-score", "LIST", "of heads that share: mean, max (default: max)");
    options.group("The same for all of them");
    options.add("--page-size", "TOKENS", "a power of two from 16 (default: 16)");
    options.add("--kv-type", "TYPE", "f16 (default), bf16 or int8");
    options.add("--digest-type", "TYPE", "f16 (default) or int8");
    options.add("--digest-coef", "C", "scales the radius of the centre kinds (default: 1)");
    options.add("--dense-layers", "N", "the first N layers attend everything (default: 2)");
    options.add("--sink-pages", "N", "oldest pages that are always in (default: 1)");
    options.add("--recent-pages", "N", "newest pages that are always in (default: 2)");
    options.add("--sticky", "STEPS", "steps that a selection serves (default: 1)");
}

void declare_eval_outputs(Options& options) {
    options.group("Running");
    options.add("--threads", "N", "0: all cores (default)");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    options.add("--csv", "FILE", "result as tidy CSV; '-' for standard output");
}

Result<EvalRequest> read_eval_request(const Options& options, const std::string& default_contexts) {
    EvalRequest request;
    MEMSIDE_TRY(request.model, options.required("--model"));
    if (!options.text("--text")) {
        return bad_input("--text",
                         "is required: a file of real text, such as the King James Bible that "
                         "bible -f 'gen1:1-rev22:21' (package bible-kjv-text) prints");
    }
    request.text = options.text_or("--text", "");
    MEMSIDE_TRY(request.contexts, token_list(options, "--contexts", default_contexts));
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    request.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    request.decoder.threads = static_cast<unsigned>(threads);
    MEMSIDE_TRY(request.decoder.page_tokens,
                options.integer("--page-size", default_selected_page_tokens,
                                engine::min_page_tokens, engine::max_page_tokens));
    if (!std::has_single_bit(static_cast<std::uint64_t>(request.decoder.page_tokens))) {
        return bad_input("--page-size",
                         fmt::format("{} is not a power of two", request.decoder.page_tokens));
    }
    constexpr kv::ValueType types[] = {kv::ValueType::f16, kv::ValueType::bf16,
                                       kv::ValueType::int8};
    MEMSIDE_TRY(const std::size_t type,
                options.choice("--kv-type", "f16", {"f16", "bf16", "int8"}));
    request.decoder.kv_type = types[type];
    MEMSIDE_CHECK(read_grid(options, request));
    return request;
}

Result<std::vector<std::string>> list_of(const Options& options, const std::string& name,
                                         const std::string& fallback) {
    const std::string text = options.text_or(name, fallback);
    std::vector<std::string> items = split(text, ',');
    for (std::string& item : items) {
        item = std::string(trim(item));
        if (item.empty()) {
            return bad_input(name, fmt::format("{} has an empty item", in_quotes(text)));
        }
    }
    return items;
}

Result<EvalModel> open_eval_model(const EvalRequest& request) {
    EvalModel model;
    MEMSIDE_TRY(model.file, engine::open_model(request.model));
    MEMSIDE_TRY(model.tokenizer, engine::Tokenizer::make(model.file.header, request.model));
    const ModelSpec& spec = model.file.config.spec;
    if (model.tokenizer->vocab_size() > spec.vocab) {
        return bad_input(request.model, fmt::format("has {} tokens but an embedding of {}",
                                                    model.tokenizer->vocab_size(), spec.vocab));
    }
    return model;
}

void note_window(const EvalRequest& request, const EvalModel& model, const std::string& command) {
    const ModelSpec& spec = model.file.config.spec;
    if (request.contexts.back() > spec.window_tokens) {
        note(command, fmt::format("{} tokens are beyond the {} that the model was trained for",
                                  request.contexts.back(), spec.window_tokens));
    }
}

Result<std::string> read_eval_text(const EvalRequest& request) {
    return read_file(request.text, max_text_bytes);
}

void write_eval_members(JsonWriter& json, const EvalRequest& request) {
    const engine::KvPolicy& base = request.grid.base;
    json.member("model", request.model);
    json.member("text", request.text);
    json.member("seed", request.seed);
    json.member("page_size_tokens", request.decoder.page_tokens);
    json.member("kv_type",
                kv::value_type_names()[static_cast<std::size_t>(request.decoder.kv_type)]);
    json.member("digest_type", kv::digest_type_names()[static_cast<std::size_t>(base.digest.type)]);
    json.member("digest_coef", static_cast<double>(base.digest.coefficient));
    json.member("dense_layers", std::int64_t{base.dense_layers});
    json.member("sink_pages", base.selection.pinned.sink);
    json.member("recent_pages", base.selection.pinned.recent);
    json.member("sticky_steps", base.reselect_steps);
}

std::vector<std::string> policy_columns() {
    return {"policy", "budget_tokens", "digest", "select_per", "group_score"};
}

std::vector<std::string> policy_cells(const engine::KvPolicy* policy) {
    if (policy == nullptr) return {"dense", "", "", "", ""};
    const engine::SelectionConfig& selection = policy->selection;
    return {std::string(policy->variant->name), fmt::format("{}", selection.budget_tokens),
            kv::digest_kind_names()[static_cast<std::size_t>(policy->digest.kind)],
            std::string(kv::select_per_name(selection.select_per)),
            selection.select_per == kv::SelectPer::query_head
                ? ""
                : std::string(kv::group_score_name(selection.group_score))};
}

void write_policy_members(JsonWriter& json, const engine::KvPolicy* policy) {
    const std::vector<std::string> columns = policy_columns();
    const std::vector<std::string> cells = policy_cells(policy);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        json.key(columns[i]);
        if (cells[i].empty()) {
            json.null();
        } else if (columns[i] == "budget_tokens") {
            json.value(policy->selection.budget_tokens);
        } else {
            json.value(cells[i]);
        }
    }
}

}  // namespace memside::cli
