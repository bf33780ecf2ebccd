#include "report/bakeoff.h"

#include "report/csv.h"
#include "report/format.h"
#include "report/json_writer.h"
#include "report/text_table.h"

namespace memside {
namespace {

constexpr std::string_view level_names[] = {"95", "99", "100"};
static_assert(std::size(level_names) == tune::replay_levels.size());

std::string cell(std::optional<double> value) {
    return value ? shortest(*value) : "";
}

void write_quartiles(JsonWriter& json, const tune::ReplaySummary& summary) {
    for (std::size_t level = 0; level < std::size(level_names); ++level) {
        const tune::Quartiles& q = summary.trials[level];
        json.member(fmt::format("trials_to_{}_low", level_names[level]), q.low);
        json.member(fmt::format("trials_to_{}_median", level_names[level]), q.median);
        json.member(fmt::format("trials_to_{}_high", level_names[level]), q.high);
    }
}

}  // namespace

std::size_t Bakeoff::base() const {
    for (std::size_t m = 0; m < options.methods.size(); ++m) {
        if (options.methods[m].text == "annealing") return m;
    }
    return 0;
}

std::string quartile_text(const tune::Quartiles& quartiles) {
    const auto text = [](std::optional<double> value) { return value ? figure(*value) : "-"; };
    return fmt::format("{} ({} to {})", text(quartiles.median), text(quartiles.low),
                       text(quartiles.high));
}

std::string bakeoff_runs_csv(const Bakeoff& bakeoff) {
    std::string text = csv_line(
        {"truth", "method", "plan", "seed", "trials_to_95", "trials_to_99", "trials_to_100"});
    for (const tune::Replay& run : bakeoff.replays) {
        std::vector<std::string> cells{bakeoff.truths[run.truth].name,
                                       bakeoff.options.methods[run.method].text,
                                       fmt::format("{}", run.plan), fmt::format("{}", run.seed)};
        for (const auto& reached : run.reached) {
            cells.push_back(reached ? fmt::format("{}", *reached) : "");
        }
        text += csv_line(cells);
    }
    return text;
}

std::string bakeoff_summary_csv(const Bakeoff& bakeoff) {
    std::vector<std::string> heads{"truth", "points", "method", "plan", "seeds"};
    for (const std::string_view level : level_names) {
        for (const char* part : {"low", "median", "high"}) {
            heads.push_back(fmt::format("trials_to_{}_{}", level, part));
        }
    }
    std::string text = csv_line(heads);
    for (const tune::ReplaySummary& summary : tune::summarise(bakeoff.replays)) {
        const tune::Truth& truth = bakeoff.truths[summary.truth];
        std::vector<std::string> cells{truth.name, fmt::format("{}", truth.candidates->size()),
                                       bakeoff.options.methods[summary.method].text,
                                       fmt::format("{}", summary.plan),
                                       fmt::format("{}", bakeoff.options.seeds)};
        for (const tune::Quartiles& q : summary.trials) {
            for (const auto& value : {q.low, q.median, q.high}) cells.push_back(cell(value));
        }
        text += csv_line(cells);
    }
    return text;
}

std::string bakeoff_json(const Bakeoff& bakeoff) {
    const auto summaries = tune::summarise(bakeoff.replays);
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("seeds", std::uint64_t{bakeoff.options.seeds});
    json.member("noise", bakeoff.options.noise);
    json.member("base", bakeoff.options.methods[bakeoff.base()].text);
    json.key("truths");
    json.begin_array();
    for (const tune::Truth& truth : bakeoff.truths) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("name", truth.name);
        json.member("points", std::uint64_t{truth.candidates->size()});
        json.member("best_time_ns", truth.best_time_ns);
        json.end_object();
    }
    json.end_array();
    json.key("searches");
    json.begin_array();
    for (const tune::ReplaySummary& summary : summaries) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("truth", bakeoff.truths[summary.truth].name);
        json.member("method", bakeoff.options.methods[summary.method].text);
        json.member("plan", std::uint64_t{summary.plan});
        write_quartiles(json, summary);
        json.end_object();
    }
    json.end_array();
    json.key("trials_to_99_against_base");
    json.begin_array();
    for (const tune::Comparison& one :
         tune::compare(summaries, bakeoff.base(), compared_level, least_counted_trials)) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("method", bakeoff.options.methods[one.method].text);
        json.member("plan", std::uint64_t{one.plan});
        json.member("geometric_mean", one.ratio);
        json.member("truths_counted", std::uint64_t{one.counted.size()});
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

std::string bakeoff_text(const Bakeoff& bakeoff, bool colour) {
    const auto summaries = tune::summarise(bakeoff.replays);
    using Align = TextTable::Align;
    TextTable table(
        {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right});
    table.add({{"space", Tone::strong},
               {"method", Tone::strong},
               {"plan", Tone::strong},
               {"to 95 %", Tone::strong},
               {"to 99 %", Tone::strong},
               {"to 100 %", Tone::strong}});
    for (const tune::ReplaySummary& s : summaries) {
        table.add({{bakeoff.truths[s.truth].name},
                   {bakeoff.options.methods[s.method].text},
                   {fmt::format("{}", s.plan)},
                   {quartile_text(s.trials[0])},
                   {quartile_text(s.trials[1])},
                   {quartile_text(s.trials[2])}});
    }
    std::string text =
        fmt::format("Trials, median (quartiles) of {} seeds\n", bakeoff.options.seeds);
    text += table.render(100, 2, colour);
    TextTable ratios({Align::left, Align::right, Align::right, Align::right});
    ratios.add({{"method", Tone::strong},
                {"plan", Tone::strong},
                {"share", Tone::strong},
                {"spaces counted", Tone::strong}});
    for (const tune::Comparison& one :
         tune::compare(summaries, bakeoff.base(), compared_level, least_counted_trials)) {
        ratios.add({{bakeoff.options.methods[one.method].text},
                    {fmt::format("{}", one.plan)},
                    {one.ratio ? figure(*one.ratio) : "-"},
                    {fmt::format("{} of {}", one.counted.size(), bakeoff.truths.size())}});
    }
    text += fmt::format(
        "\nTrials to 99 % as a share of those of {}: geometric mean over the spaces where it needs "
        "{} or more\n",
        bakeoff.options.methods[bakeoff.base()].text, least_counted_trials);
    return text + ratios.render(100, 2, colour);
}

}  // namespace memside
