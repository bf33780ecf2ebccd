// memside eval needle: are facts planted in a long text found under selection, where dense finds
// them?
#include "base/number.h"
#include "base/text.h"
#include "cli/eval.h"
#include "cli/eval_needle_report.h"
#include "cli/status_line.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside eval needle --model gemma-3-270m-q4_k_m.gguf --text kjv.txt --csv needle.csv\n"
    "  memside eval needle --model model.gguf --text book.txt --contexts 16K,32K,64K \\\n"
    "      --budgets 4K --digest minmax,centre-std --trials 20\n";

constexpr const char* default_contexts = "4K,8K,16K,32K";
constexpr const char* default_depths = "0.125,0.25,0.375,0.5,0.625,0.75,0.875";

Result<eval::NeedleSetup> read_setup(const Options& options, const EvalRequest& request) {
    eval::NeedleSetup setup;
    setup.contexts = request.contexts;
    setup.seed = request.seed;
    MEMSIDE_TRY(const std::vector<std::string> depths,
                list_of(options, "--depths", default_depths));
    for (const std::string& item : depths) {
        MEMSIDE_TRY(const double depth, parse_number(item, "--depths"));
        setup.depths.push_back(depth);
    }
    MEMSIDE_TRY(setup.trials, options.integer("--trials", setup.trials, 1, 1 << 20));
    MEMSIDE_TRY(setup.first_trial, options.integer("--first-trial", 0, 0, 1 << 20));
    eval::NeedleWording& wording = setup.wording;
    wording.needle = options.text_or("--needle", wording.needle);
    wording.question = options.text_or("--question", wording.question);
    MEMSIDE_TRY(wording.value_digits, options.integer("--digits", wording.value_digits, 0, 18));
    return setup;
}

Result<NeedleReport> run(const EvalRequest& request, const eval::NeedleSetup& setup) {
    MEMSIDE_TRY(const EvalModel model, open_eval_model(request));
    MEMSIDE_CHECK(eval::check_setup(setup, *model.tokenizer));
    MEMSIDE_TRY(const std::string text, read_eval_text(request));
    const eval::Haystack haystack(*model.tokenizer, text);
    MEMSIDE_CHECK(eval::make_trial(setup, *model.tokenizer, haystack, setup.first_trial));
    note_window(request, model, "eval");
    engine::DecoderOptions options = request.decoder;
    options.capacity_tokens = setup.contexts.back();
    options.rewind_tokens = eval::reserved_tokens(*model.tokenizer, setup.wording);
    MEMSIDE_TRY(const auto decoder, engine::Decoder::make(model.file, options));

    NeedleReport report{request, setup, {}, {}, {}};
    StatusLine status("eval");
    std::int64_t trial = 0;
    const eval::NeedleRun run{
        setup, *model.tokenizer, haystack, request.policies,
        [&](std::int64_t tokens, std::int64_t asked, std::int64_t questions) {
            status.show([&] {
                return fmt::format("trial {} of {}: {} tokens read, {} of {} questions answered",
                                   trial + 1, setup.trials, tokens, asked, questions);
            });
        }};
    for (; trial < setup.trials; ++trial) {
        MEMSIDE_TRY(std::vector<eval::NeedleAnswer> answers,
                    eval::run_trial(run, setup.first_trial + trial, *decoder));
        std::ranges::move(answers, std::back_inserter(report.answers));
    }
    report.cells = eval::count_cells(setup, request.policies, report.answers);
    report.totals = eval::add_up(report.cells, request.policies.size());
    return report;
}

}  // namespace

int run_eval_needle(const std::vector<std::string>& arguments) {
    Options options(
        "eval needle",
        "Plants facts in a long text and asks for them: dense, and with selected pages.", examples);
    declare_eval_options(options, default_contexts);
    options.add("--depths", "LIST",
                fmt::format("of a needle in its context, 0 to 1 (default: {})", default_depths));
    options.add("--trials", "N", "texts, each with a needle per context and depth (default: 10)");
    options.add("--first-trial", "N", "number of the first, to run trials one by one (default: 0)");
    options.add("--needle", "TEXT", "what is planted, with {key} and {value} in it");
    options.add("--question", "TEXT", "what is asked, with {key}; its answer is the value");
    options.add("--digits", "N", "of a value that is a number; 0: it is a word (default)");
    declare_selection_lists(options);
    declare_eval_outputs(options);
    return run_evaluation(options, arguments, default_contexts, read_setup, run);
}

}  // namespace memside::cli
