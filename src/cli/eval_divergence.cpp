// memside eval divergence: how far are the distributions over the next token under selection from
// those of dense, over real text?
#include "base/number.h"
#include "base/text.h"
#include "cli/eval.h"
#include "cli/eval_options.h"
#include "cli/status_line.h"
#include "cli/terminal.h"
#include "eval/divergence_run.h"
#include "report/csv.h"
#include "report/table.h"
#include "report/text_table.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside eval divergence --model gemma-3-270m-q4_k_m.gguf --text kjv.txt --csv kl.csv\n"
    "  memside eval divergence --model model.gguf --text book.txt --contexts 16K,32K \\\n"
    "      --budgets 1K,4K --group-score mean,max --tokens 256 --passages 4\n";

constexpr const char* default_contexts = "4K,8K,16K,32K";

struct Report {
    const EvalRequest& request;
    const eval::DivergenceSetup& setup;
    std::vector<eval::DivergenceTotal> totals;

    const engine::KvPolicy* policy_of(const eval::DivergenceTotal& total) const {
        return total.policy == 0 ? nullptr : &request.policies[total.policy - 1];
    }
};

struct Figure {
    const char* key;
    double value;
};

std::vector<Figure> figures_of(const eval::DivergenceTotal& total) {
    return {{"kl_mean_nats", total.kl_mean},
            {"kl_p50_nats", total.kl_p50},
            {"kl_p95_nats", total.kl_p95},
            {"kl_p99_nats", total.kl_p99},
            {"kl_max_nats", total.kl_max},
            {"top1_agreement", total.top1_agreement},
            {"surprise_nats", total.surprise},
            {"dense_surprise_nats", total.dense_surprise},
            {"mass_selected", total.mass.selected},
            {"mass_best", total.mass.best},
            {"kv_bytes_read_per_step", total.cost.kv_bytes_per_step()},
            {"digest_bytes_read_per_step", total.cost.digest_bytes_per_step()}};
}

std::string to_json(const Report& report) {
    JsonWriter json;
    json.begin_object();
    json.member("evaluation", "divergence");
    write_eval_members(json, report.request);
    json.member("steps", report.setup.steps);
    json.member("passages", report.setup.passages);
    json.key("totals");
    json.begin_array();
    for (const eval::DivergenceTotal& total : report.totals) {
        json.begin_object(JsonWriter::Layout::one_line);
        write_policy_members(json, report.policy_of(total));
        json.member("context_tokens", report.setup.contexts[total.context]);
        json.member("steps", total.steps);
        for (const Figure& figure : figures_of(total)) json.member(figure.key, figure.value);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

std::string to_csv(const Report& report) {
    std::vector<std::string> columns = policy_columns();
    columns.insert(columns.end(), {"page_size_tokens", "context_tokens", "steps"});
    for (const Figure& figure : figures_of({})) columns.emplace_back(figure.key);
    columns.emplace_back("seed");
    std::string csv = csv_line(columns);
    for (const eval::DivergenceTotal& total : report.totals) {
        std::vector<std::string> cells = policy_cells(report.policy_of(total));
        cells.push_back(fmt::format("{}", report.request.decoder.page_tokens));
        cells.push_back(fmt::format("{}", report.setup.contexts[total.context]));
        cells.push_back(fmt::format("{}", total.steps));
        for (const Figure& figure : figures_of(total)) cells.push_back(shortest(figure.value));
        cells.push_back(fmt::format("{}", report.setup.seed));
        csv += csv_line(cells);
    }
    return csv;
}

std::string to_text(const Report& report, bool colour) {
    using Align = TextTable::Align;
    std::string text =
        fmt::format("KL(dense || policy) in nats a step, {} steps of each context ({} of text)\n",
                    report.setup.steps * report.setup.passages,
                    report.setup.passages == 1 ? "one passage"
                                               : fmt::format("{} passages", report.setup.passages));
    for (std::size_t c = 0; c < report.setup.contexts.size(); ++c) {
        TextTable table({Align::right, Align::left, Align::left, Align::left, Align::right,
                         Align::right, Align::right, Align::right, Align::right, Align::right});
        std::vector<Cell> head;
        for (const char* name : {"budget", "digest", "set per", "group", "mean", "p50", "p95",
                                 "same token", "mass", "read a step"}) {
            head.push_back({name, Tone::strong});
        }
        table.add(head);
        for (const eval::DivergenceTotal& total : report.totals) {
            if (total.context != c) continue;
            const engine::KvPolicy* policy = report.policy_of(total);
            const std::vector<std::string> names = policy_cells(policy);
            const auto shown = [](const std::string& name) {
                return name.empty() ? std::string("-") : name;
            };
            table.add(
                {{policy == nullptr ? "dense" : format_tokens(policy->selection.budget_tokens)},
                 {shown(names[2])},
                 {shown(names[3])},
                 {shown(names[4])},
                 {fmt::format("{:.4f}", total.kl_mean)},
                 {fmt::format("{:.4f}", total.kl_p50)},
                 {fmt::format("{:.4f}", total.kl_p95)},
                 {fmt::format("{:.1f} %", 100.0 * total.top1_agreement)},
                 {policy == nullptr ? "-" : fmt::format("{:.3f}", total.mass.selected)},
                 {format_bytes(total.cost.kv_bytes_per_step() +
                               total.cost.digest_bytes_per_step())}});
        }
        text += fmt::format("\nContext {}\n\n{}", format_tokens(report.setup.contexts[c]),
                            table.render(terminal_columns, 2, colour));
    }
    return text;
}

Result<eval::DivergenceSetup> read_setup(const Options& options, const EvalRequest& request) {
    eval::DivergenceSetup setup;
    setup.contexts = request.contexts;
    setup.seed = request.seed;
    // The logits of all dense steps are kept: 1 MB a step with a vocabulary of 262,144.
    MEMSIDE_TRY(setup.steps, options.integer("--tokens", setup.steps, 1, 4096));
    MEMSIDE_TRY(setup.passages, options.integer("--passages", setup.passages, 1, 1 << 20));
    return setup;
}

Result<Report> run(const EvalRequest& request, const eval::DivergenceSetup& setup) {
    MEMSIDE_TRY(const EvalModel model, open_eval_model(request));
    MEMSIDE_TRY(const std::string text, read_eval_text(request));
    const eval::Haystack haystack(*model.tokenizer, text);
    MEMSIDE_CHECK(eval::check_setup(setup, haystack));
    note_window(request, model, "eval");
    engine::DecoderOptions options = request.decoder;
    options.capacity_tokens = setup.contexts.back();
    options.rewind_tokens = setup.steps;
    MEMSIDE_TRY(const auto decoder, engine::Decoder::make(model.file, options));
    StatusLine status("eval");
    std::int64_t passage = 0;
    const eval::DivergenceRun run{
        setup, *model.tokenizer, haystack, request.policies,
        [&](std::int64_t tokens, std::int64_t samples, std::int64_t of) {
            status.show([&] {
                return fmt::format("passage {} of {}: {} tokens in, {} of {} comparisons",
                                   passage + 1, setup.passages, tokens, samples, of);
            });
        }};
    std::vector<eval::DivergenceSample> samples;
    for (; passage < setup.passages; ++passage) {
        MEMSIDE_TRY(std::vector<eval::DivergenceSample> more,
                    eval::run_passage(run, passage, *decoder));
        std::ranges::move(more, std::back_inserter(samples));
    }
    return Report{request, setup, eval::add_up(samples)};
}

}  // namespace

int run_eval_divergence(const std::vector<std::string>& arguments) {
    Options options("eval divergence",
                    "Compares what a model would say next: dense, and with selected pages.",
                    examples);
    declare_eval_options(options, default_contexts);
    options.add("--tokens", "N", "of text after each context, a step each (default: 128)");
    options.add("--passages", "N", "pieces of the text (default: 1)");
    declare_selection_lists(options);
    declare_eval_outputs(options);
    return run_evaluation(options, arguments, default_contexts, read_setup, run);
}

}  // namespace memside::cli
