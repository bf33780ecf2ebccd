// memside eval associative: recall of known answers from a constructed cache.
#include "cli/eval_associative.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/eval.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/token_progress.h"
#include "engine/decoder.h"
#include "engine/tokenizer.h"
#include "kv/group_scores.h"
#include "kv/layout.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside eval associative --model gemma.gguf --text book.txt\n"
    "  memside eval associative --model gemma.gguf --text book.txt --tokens 128K \\\n"
    "      --digest centre-mad --budgets 1K,4K --margins 4,2,1 --trials 20 --json -\n";

constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

Result<std::vector<eval::AssociativeDigest>> read_digests(const Options& options) {
    std::vector<eval::AssociativeDigest> digests;
    MEMSIDE_TRY(const double coefficient,
                parse_number(options.text_or("--digest-coef", "1"), "--digest-coef"));
    const auto number = [](const std::string& name, const std::vector<std::string>& allowed,
                           const std::string& where) -> Result<std::size_t> {
        const auto found = std::ranges::find(allowed, name);
        if (found != allowed.end()) return static_cast<std::size_t>(found - allowed.begin());
        return bad_input(
            where, fmt::format("{} is unknown; allowed: {}", in_quotes(name), join(allowed, ", ")));
    };
    const std::string kinds = options.text_or("--digest", join(kv::digest_kind_names(), ","));
    const std::string types = options.text_or("--digest-type", join(kv::digest_type_names(), ","));
    for (const std::string& kind_name : split(kinds, ',')) {
        MEMSIDE_TRY(const std::size_t kind, number(kind_name, kv::digest_kind_names(), "--digest"));
        const auto chosen = static_cast<kv::DigestKind>(kind);
        MEMSIDE_CHECK(kv::check_coefficient(chosen, coefficient, "--digest-coef"));
        for (const std::string& type_name : split(types, ',')) {
            MEMSIDE_TRY(const std::size_t type,
                        number(type_name, kv::digest_type_names(), "--digest-type"));
            digests.push_back(
                {chosen, static_cast<kv::DigestType>(type), static_cast<float>(coefficient)});
        }
    }
    return digests;
}

Result<std::vector<eval::Grouping>> read_groupings(const Options& options) {
    std::vector<eval::Grouping> groupings;
    for (const std::string& per :
         split(options.text_or("--select-per", "kv-head,query-head"), ',')) {
        MEMSIDE_TRY(const kv::SelectPer unit, kv::parse_select_per(per, "--select-per"));
        for (const std::string& how : split(options.text_or("--group-score", "mean,max"), ',')) {
            MEMSIDE_TRY(const kv::GroupScore score, kv::parse_group_score(how, "--group-score"));
            groupings.push_back({unit, score});
            // Of a head alone there is nothing to put together.
            if (unit == kv::SelectPer::query_head) break;
        }
    }
    return groupings;
}

Result<AssociativeRequest> read_request(const Options& options) {
    AssociativeRequest request;
    MEMSIDE_TRY(request.model, options.required("--model"));
    MEMSIDE_TRY(request.text, options.required("--text"));
    eval::AssociativeOptions& run = request.run;
    MEMSIDE_TRY(run.shape.tokens, parse_tokens(options.text_or("--tokens", "1M"), "--tokens"));
    if (run.shape.tokens % eval::KeyGenerator::run_tokens != 0) {
        return bad_input("--tokens", fmt::format("{} is no multiple of {}", run.shape.tokens,
                                                 eval::KeyGenerator::run_tokens));
    }
    MEMSIDE_TRY(request.statistics_tokens,
                parse_tokens(options.text_or("--statistics-tokens", "8K"), "--statistics-tokens"));
    MEMSIDE_TRY(run.shape.page_tokens, options.integer("--page-size", 64, 16, 256));
    if ((run.shape.page_tokens & (run.shape.page_tokens - 1)) != 0) {
        return bad_input("--page-size", "is not a power of two; allowed: 16, 32, 64, 128, 256");
    }
    if (request.statistics_tokens < 8 * run.shape.page_tokens) {
        return bad_input("--statistics-tokens", "are fewer than eight pages");
    }
    if (options.text("--layer")) {
        MEMSIDE_TRY(request.layer, options.integer("--layer", 0, 0, 1 << 16));
    }
    MEMSIDE_TRY(const std::int64_t head, options.integer("--kv-head", 0, 0, 1 << 16));
    request.kv_head = static_cast<int>(head);
    for (const std::string& part :
         split(options.text_or("--margins", "24,16,12,8,6,4,3,2,1,0.5,0,-1"), ',')) {
        MEMSIDE_TRY(const double margin, parse_number(part, "--margins"));
        run.margins.push_back(margin);
    }
    std::ranges::sort(run.margins, std::greater<>());
    for (const std::string& part : split(options.text_or("--budgets", "512,1K,4K"), ',')) {
        MEMSIDE_TRY(const std::int64_t budget, parse_tokens(part, "--budgets"));
        MEMSIDE_CHECK(kv::check_budget(budget, run.shape.page_tokens, run.pinned, "--budgets"));
        run.budget_tokens.push_back(budget);
    }
    MEMSIDE_TRY(run.digests, read_digests(options));
    MEMSIDE_TRY(run.groupings, read_groupings(options));
    MEMSIDE_TRY(run.trials, options.integer("--trials", 100, 1, 1 << 16));
    MEMSIDE_TRY(run.shape.distractors, options.integer("--distractors", 16, 0, 512));
    if ((run.shape.distractors + 1) * 4 > run.shape.tokens / run.shape.page_tokens) {
        return bad_input("--distractors", "need a page each, and three times as many others");
    }
    MEMSIDE_TRY(run.shape.passage_tokens,
                options.integer("--passage", 1, 1, run.shape.page_tokens));
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    run.shape.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    run.threads = static_cast<unsigned>(threads);
    return request;
}

// Keeps the queries that a KV head's group asks in a layer.
class QueryKeeper final : public engine::DecoderObserver {
  public:
    QueryKeeper(int layer, int first_head, int heads, int all_heads, int dim)
        : layer_(layer), first_(first_head), heads_(heads), all_(all_heads), dim_(dim) {}

    Status seen(const engine::AttentionCall& call, bool) override {
        if (call.layer != layer_) return {};
        scale = call.scale;
        for (std::int64_t t = 0; t < call.tokens; ++t) {
            const float* from = call.queries + (t * all_ + first_) * dim_;
            queries.emplace_back(from, from + std::ptrdiff_t(heads_) * dim_);
        }
        return {};
    }

    float scale = 1.0F;
    std::vector<std::vector<float>> queries;  // [tokens], f32 [heads][dim]

  private:
    int layer_;
    int first_;
    int heads_;
    int all_;
    int dim_;
};

Status compare_recall(const AssociativeRequest& request, std::span<const float> keys,
                      AssociativeRecord& recorded) {
    const int dim = recorded.source.keys.dim;
    const std::int64_t page = request.run.shape.page_tokens;
    const std::int64_t half = request.statistics_tokens / 2 / page * page;
    std::vector<std::vector<float>> queries;
    for (const std::vector<float>& group : recorded.source.queries) {
        for (int h = 0; h < recorded.source.heads; ++h) {
            const auto from = group.begin() + std::ptrdiff_t(h) * dim;
            queries.emplace_back(from, from + dim);
        }
    }
    engine::ThreadPool pool(request.run.threads);
    const auto values = static_cast<std::size_t>(half * dim);
    MEMSIDE_TRY(recorded.recall, eval::measure_key_recall(keys.first(values), dim, page, queries,
                                                          request.run.digests, pool));
    std::vector<float> drawn;
    const eval::KeyGenerator generator(recorded.source.keys);
    std::vector<float> run(static_cast<std::size_t>(eval::KeyGenerator::run_tokens * dim));
    for (std::int64_t i = 0; drawn.size() < values; ++i) {
        generator.draw(request.run.shape.seed, i, run);
        drawn.insert(drawn.end(), run.begin(), run.end());
    }
    drawn.resize(values);
    MEMSIDE_TRY(recorded.drawn_recall,
                eval::measure_key_recall(drawn, dim, page, queries, request.run.digests, pool));
    return {};
}

Result<AssociativeRecord> record(const AssociativeRequest& request) {
    MEMSIDE_TRY(const engine::ModelFile model, engine::open_model(request.model));
    MEMSIDE_TRY(const auto tokenizer, engine::Tokenizer::make(model.header, request.model));
    MEMSIDE_TRY(const std::string text, read_file(request.text, max_text_bytes));
    // A token takes some bytes: more text than is needed would only be cut into tokens for nothing.
    const auto bytes = static_cast<std::size_t>(request.statistics_tokens) * 16;
    std::vector<engine::TokenId> tokens = tokenizer->encode(text.substr(0, bytes), false);
    tokenizer->prepend_bos(tokens);
    if (std::ssize(tokens) < request.statistics_tokens) {
        return bad_input(
            "--text", fmt::format("{} has {} tokens; statistics are of {}", in_quotes(request.text),
                                  tokens.size(), request.statistics_tokens));
    }
    tokens.resize(static_cast<std::size_t>(request.statistics_tokens));
    const ModelSpec& spec = model.config.spec;
    for (const engine::TokenId token : tokens) {
        if (token >= spec.vocab) {
            return bad_input(request.model, "has tokens without a row of the embedding");
        }
    }
    AssociativeRecord recorded;
    recorded.model = spec.name;
    std::vector<std::string> selecting;
    for (int layer = 0; layer < spec.layers; ++layer) {
        if (!spec.slides(layer)) selecting.push_back(std::to_string(layer));
    }
    if (selecting.empty()) return bad_input(request.model, "has no layer that sees all tokens");
    // Half way up: the first layers are the ones that attend everything.
    const std::string chosen =
        request.layer ? std::to_string(*request.layer) : selecting[selecting.size() / 2];
    if (std::ranges::find(selecting, chosen) == selecting.end()) {
        return bad_input("--layer", fmt::format("{} does not see all tokens; allowed: {}", chosen,
                                                join(selecting, ", ")));
    }
    recorded.layer = std::stoi(chosen);
    if (request.kv_head >= spec.kv_heads) {
        return bad_input("--kv-head", fmt::format("allowed: 0 to {}", spec.kv_heads - 1));
    }
    engine::DecoderOptions options;
    options.capacity_tokens = request.statistics_tokens;
    options.page_tokens = request.run.shape.page_tokens;
    options.threads = request.run.threads;
    MEMSIDE_TRY(const auto decoder, engine::Decoder::make(model, options));
    const int group = spec.heads / spec.kv_heads;
    QueryKeeper keeper(recorded.layer, request.kv_head * group, group, spec.heads, spec.head_dim);
    decoder->observe(&keeper);
    TokenProgress progress("eval associative", request.statistics_tokens);
    MEMSIDE_CHECK(decoder->feed(tokens, [&](std::int64_t fed) { progress.show(fed); }));

    // The first page holds the sinks, whose keys are like no others.
    const std::int64_t page = options.page_tokens;
    const std::int64_t pages = request.statistics_tokens / page;
    std::vector<float> keys(static_cast<std::size_t>((pages - 1) * page * spec.head_dim));
    for (std::int64_t p = 1; p < pages; ++p) {
        decoder->store().read_keys(recorded.layer, p, request.kv_head, 0, page,
                                   keys.data() + (p - 1) * page * spec.head_dim);
    }
    recorded.source.keys = eval::measure_keys(keys, spec.head_dim, page);
    recorded.source.scale = keeper.scale;
    recorded.source.heads = group;
    // Of the second half of the text, evenly.
    const std::int64_t half = request.statistics_tokens / 2;
    for (std::int64_t trial = 0; trial < request.run.trials; ++trial) {
        const std::int64_t at = half + trial * half / request.run.trials;
        recorded.source.queries.push_back(keeper.queries[static_cast<std::size_t>(at)]);
    }
    MEMSIDE_CHECK(compare_recall(request, keys, recorded));
    return recorded;
}

}  // namespace

int run_eval_associative(const std::vector<std::string>& arguments) {
    const std::string name = "eval associative";
    Options options(name, "Recall of known answers from a constructed cache.", examples);
    options.group("What is recorded");
    options.add("--model", "FILE", "a .gguf file");
    options.add("--text", "FILE", "what it reads for statistics of keys, and for queries");
    options.add("--statistics-tokens", "TOKENS", "of the text (default: 8K)");
    options.add("--layer", "N", "whose keys (default: the middle one of those that see all)");
    options.add("--kv-head", "N", "likewise (default: 0)");
    options.group("What is asked");
    options.add("--tokens", "TOKENS", "of the constructed cache (default: 1M)");
    options.add("--page-size", "TOKENS", "a power of two from 16 to 256 (default: 64)");
    options.add("--trials", "N", "questions at each margin (default: 100)");
    options.add("--distractors", "N", "planted tokens just below the answer (default: 16)");
    options.add("--passage", "N", "tokens side by side that hold an answer each (default: 1)");
    options.add("--margins", "NATS,..",
                "how far the answer's logit is above all others (default: 24 to -1)");
    options.group("What is compared with dense");
    options.add("--budgets", "TOKENS,..", "attended by a page set (default: 512,1K,4K)");
    options.add("--digest", "KIND,..", "default: minmax,centre-max,centre-mad,centre-std");
    options.add("--digest-type", "TYPE,..", "default: f16,int8");
    options.add("--digest-coef", "C", "scales the radius of the centre kinds (default: 1)");
    options.add("--select-per", "UNIT,..", "default: kv-head,query-head");
    options.add("--group-score", "HOW,..", "default: mean,max");
    options.group("Running");
    options.add("--seed", "N", "of keys, values and places (default: 1)");
    options.add("--threads", "N", "0: all cores (default); never changes the result");
    options.add("--json", "FILE", "counts and ranks as JSON; '-' for standard output");
    options.add("--csv", "FILE", "a row per way of selecting and margin; '-' likewise");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail(name, parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<AssociativeRequest> request = read_request(options);
    if (!request.ok()) return fail(name, request.error());
    const Result<bool> on_standard_output = check_outputs(
        options, {"--json", "--csv"}, {{"--model", request->model}, {"--text", request->text}});
    if (!on_standard_output.ok()) return fail(name, on_standard_output.error());
    const Result<AssociativeRecord> recorded = record(*request);
    if (!recorded.ok()) return fail(name, recorded.error());
    TokenProgress progress(name, request->run.trials, "trials");
    eval::AssociativeOptions run = request->run;
    run.asked = [&](std::int64_t done) { progress.show(done); };
    const Result<eval::AssociativeResult> result = eval::run_associative(recorded->source, run);
    if (!result.ok()) return fail(name, result.error());
    OutputSet outputs;
    if (const auto path = options.text("--json")) {
        outputs.add(*path, associative_json(*request, *recorded, *result));
    }
    if (const auto path = options.text("--csv"))
        outputs.add(*path, associative_csv(*request, *result));
    if (const Status written = outputs.commit(); !written.ok()) return fail(name, written.error());
    return *on_standard_output ? 0 : print(name, associative_text(*request, *recorded, *result));
}

}  // namespace memside::cli
