#include "base/number.h"
#include "base/text.h"
#include "cli/eval_associative.h"
#include "engine/attention_kernel.h"
#include "kv/group_scores.h"
#include "kv/layout.h"
#include "report/csv.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

std::string grouping_name(const eval::Grouping& grouping) {
    if (grouping.select_per == kv::SelectPer::query_head) return "query-head";
    return fmt::format("{} {}", kv::select_per_name(grouping.select_per),
                       kv::group_score_name(grouping.group_score));
}

std::string digest_name(const eval::AssociativeDigest& digest) {
    return fmt::format("{} {}", kv::digest_kind_names()[static_cast<std::size_t>(digest.kind)],
                       kv::digest_type_names()[static_cast<std::size_t>(digest.type)]);
}

std::int64_t percentile(std::vector<std::int64_t> values, std::size_t percent) {
    std::ranges::sort(values);
    return values[std::min(values.size() - 1, values.size() * percent / 100)];
}

void write_counts(JsonWriter& json, std::string_view name,
                  const std::vector<std::int64_t>& counts) {
    json.key(name);
    json.begin_array(JsonWriter::Layout::one_line);
    for (const std::int64_t count : counts) json.value(count);
    json.end_array();
}

void write_digest(JsonWriter& json, const eval::AssociativeDigest& digest,
                  const eval::Grouping& grouping) {
    json.member("digest", kv::digest_kind_names()[static_cast<std::size_t>(digest.kind)]);
    json.member("digest_type", kv::digest_type_names()[static_cast<std::size_t>(digest.type)]);
    json.member("digest_coef", double{digest.coefficient});
    json.member("select_per", kv::select_per_name(grouping.select_per));
    json.member("group_score", kv::group_score_name(grouping.group_score));
}

// How often the page of the best key is among the best sixteenth of the pages.
void write_recall(JsonWriter& json, const AssociativeRecord& recorded) {
    json.key("key_recall");
    json.begin_array();
    for (std::size_t i = 0; i < recorded.recall.size(); ++i) {
        const eval::KeyRecall& real = recorded.recall[i];
        const eval::KeyRecall& drawn = recorded.drawn_recall[i];
        const std::int64_t few = std::max<std::int64_t>(real.pages / 16, 1);
        json.begin_object();
        json.member("digest", kv::digest_kind_names()[static_cast<std::size_t>(real.digest.kind)]);
        json.member("digest_type",
                    kv::digest_type_names()[static_cast<std::size_t>(real.digest.type)]);
        json.member("pages", real.pages);
        json.member("queries", static_cast<std::int64_t>(real.ranks.size()));
        json.member("first_recorded", real.among(1));
        json.member("first_drawn", drawn.among(1));
        json.member("first_sixteenth_recorded", real.among(few));
        json.member("first_sixteenth_drawn", drawn.among(few));
        json.end_object();
    }
    json.end_array();
}

}  // namespace

std::string associative_json(const AssociativeRequest& request, const AssociativeRecord& recorded,
                             const eval::AssociativeResult& result) {
    const eval::AssociativeOptions& run = request.run;
    const eval::KeyStatistics& keys = recorded.source.keys;
    double page_share = 0.0;
    double variance = 0.0;
    for (std::size_t a = 0; a < keys.variance.size(); ++a) {
        page_share += keys.variance[a] * keys.page_share[a];
        variance += keys.variance[a];
    }
    JsonWriter json;
    json.begin_object();
    json.member("model", recorded.model);
    json.member("layer", std::int64_t{recorded.layer});
    json.member("kv_head", std::int64_t{request.kv_head});
    json.member("query_heads", std::int64_t{recorded.source.heads});
    json.member("head_dim", std::int64_t{keys.dim});
    json.member("tokens", run.shape.tokens);
    json.member("page_size_tokens", run.shape.page_tokens);
    json.member("trials", run.trials);
    json.member("distractors", run.shape.distractors);
    json.member("passage_tokens", run.shape.passage_tokens);
    json.member("words", std::int64_t{run.shape.words});
    json.member("seed", run.shape.seed);
    json.member("kernels", std::string(engine::attention_variant().name));
    json.key("recorded_keys");
    json.begin_object();
    json.member("tokens", keys.tokens);
    json.member("effective_axes", keys.effective_axes());
    json.member("page_share", variance > 0.0 ? page_share / variance : 0.0);
    json.member("kurtosis", keys.kurtosis);
    json.member("box_width", keys.box_width);
    json.member("drawn_box_width", result.box_width);
    json.end_object();
    write_recall(json, recorded);
    json.member("largest_logit_mean", result.largest_logit);
    json.member("logit_deviation_mean", result.logit_deviation);
    json.key("margins");
    json.begin_array(JsonWriter::Layout::one_line);
    for (const double margin : run.margins) json.value(margin);
    json.end_array();
    write_counts(json, "dense_found", result.dense_found);
    json.key("cells");
    json.begin_array();
    for (const eval::AssociativeCell& cell : result.cells) {
        json.begin_object();
        write_digest(json, cell.digest, cell.grouping);
        json.member("budget_tokens", cell.budget_tokens);
        write_counts(json, "found", cell.found);
        write_counts(json, "lost", cell.lost);
        json.end_object();
    }
    json.end_array();
    json.key("answer_rank");
    json.begin_array();
    for (const eval::AssociativeRank& rank : result.ranks) {
        json.begin_object();
        write_digest(json, rank.digest, rank.grouping);
        for (const auto& [name, percent] :
             {std::pair{"p50_pages", 50}, {"p90_pages", 90}, {"max_pages", 100}}) {
            std::vector<std::int64_t> by_margin;
            for (const auto& ranks : rank.ranks) {
                by_margin.push_back(percentile(ranks, static_cast<std::size_t>(percent)));
            }
            write_counts(json, name, by_margin);
        }
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

std::string associative_csv(const AssociativeRequest& request,
                            const eval::AssociativeResult& result) {
    std::string text =
        csv_line({"digest", "digest_type", "select_per", "group_score", "budget_tokens", "margin",
                  "trials", "dense_found", "found", "lost"});
    for (const eval::AssociativeCell& cell : result.cells) {
        for (std::size_t m = 0; m < request.run.margins.size(); ++m) {
            text += csv_line(
                {std::string(kv::digest_kind_names()[static_cast<std::size_t>(cell.digest.kind)]),
                 std::string(kv::digest_type_names()[static_cast<std::size_t>(cell.digest.type)]),
                 std::string(kv::select_per_name(cell.grouping.select_per)),
                 std::string(kv::group_score_name(cell.grouping.group_score)),
                 std::to_string(cell.budget_tokens), shortest(request.run.margins[m]),
                 std::to_string(request.run.trials), std::to_string(result.dense_found[m]),
                 std::to_string(cell.found[m]), std::to_string(cell.lost[m])});
        }
    }
    return text;
}

std::string associative_text(const AssociativeRequest& request, const AssociativeRecord& recorded,
                             const eval::AssociativeResult& result) {
    const eval::AssociativeOptions& run = request.run;
    std::string text = fmt::format(
        "{} tokens, keys as layer {} of {} has them; answers found of {}, by margin of the "
        "answer's logit\n\n{:<17}{:<14}{:>7}",
        format_tokens(run.shape.tokens), recorded.layer, recorded.model, run.trials, "digest",
        "page set", "budget");
    for (const double margin : run.margins) text += fmt::format("{:>6}", margin);
    text += fmt::format("\n{:<17}{:<14}{:>7}", "dense", "", "all");
    for (const std::int64_t found : result.dense_found) text += fmt::format("{:>6}", found);
    text += "\n";
    for (const eval::AssociativeCell& cell : result.cells) {
        text += fmt::format("{:<17}{:<14}{:>7}", digest_name(cell.digest),
                            grouping_name(cell.grouping), format_tokens(cell.budget_tokens));
        for (const std::int64_t found : cell.found) text += fmt::format("{:>6}", found);
        text += "\n";
    }
    text += fmt::format("\nrank of the answer's page of {}, nine in ten at most\n",
                        run.shape.tokens / run.shape.page_tokens);
    for (const eval::AssociativeRank& rank : result.ranks) {
        text += fmt::format("{:<17}{:<21}", digest_name(rank.digest), grouping_name(rank.grouping));
        for (const auto& ranks : rank.ranks) text += fmt::format("{:>6}", percentile(ranks, 90));
        text += "\n";
    }
    text += fmt::format(
        "\nthe page of the key that a query likes best, of {}: first, and in the first sixteenth\n"
        "{:<17}{:>22}{:>22}\n",
        recorded.recall.front().pages, "digest", "keys of the text", "drawn keys");
    for (std::size_t i = 0; i < recorded.recall.size(); ++i) {
        const eval::KeyRecall& real = recorded.recall[i];
        const eval::KeyRecall& drawn = recorded.drawn_recall[i];
        const std::int64_t few = std::max<std::int64_t>(real.pages / 16, 1);
        text +=
            fmt::format("{:<17}{:>14.0f} %{:>4.0f} %{:>14.0f} %{:>4.0f} %\n",
                        digest_name(real.digest), 100.0 * real.among(1), 100.0 * real.among(few),
                        100.0 * drawn.among(1), 100.0 * drawn.among(few));
    }
    return text;
}

}  // namespace memside::cli
