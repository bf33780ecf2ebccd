// memside tune network: the fastest program of every convolution of a network.
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "cli/tune.h"
#include "report/json_writer.h"
#include "report/text_table.h"
#include "tune/network.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside tune network --model resnet50 --target x86-vnni --batch 1 --trials 256 \\\n"
    "    --db tuned.sqlite --resume --json resnet50.json\n";

struct TunedLayer {
    tune::Network::Layer layer;
    tune::TaskOutcome outcome;

    std::optional<double> time_ns() const {
        return outcome.search.best ? std::optional(outcome.search.best_time_ns()) : std::nullopt;
    }
};

// Of the whole network; nothing when a layer has no program.
struct Total {
    double operations = 0;
    std::optional<double> time_ns = 0;
};

Total total_of(const std::vector<TunedLayer>& layers) {
    Total total;
    for (const TunedLayer& tuned : layers) {
        total.operations += tuned.layer.count * tuned.layer.shape.operations();
        const auto time_ns = tuned.time_ns();
        if (!time_ns) total.time_ns.reset();
        if (total.time_ns) *total.time_ns += tuned.layer.count * *time_ns;
    }
    return total;
}

std::string to_json(const tune::Network& network, const std::vector<TunedLayer>& layers,
                    const tune::TuneOptions& how) {
    const tune::Task& task = layers.front().outcome.task;
    const Total total = total_of(layers);
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("model", network.name);
    json.member("batch", task.shape.n);
    json.member("dtype", task.dtype);
    json.member("target", task.target);
    json.member("threads", std::int64_t{task.threads});
    json.member("search", how.method.text);
    json.member("seed", how.search.seed);
    json.member("total_time_ns", total.time_ns);
    json.member("total_gops",
                total.time_ns ? std::optional(total.operations / *total.time_ns) : std::nullopt);
    json.member("measured_on", task.machine);
    json.member("source", network.source);
    json.member("left_out", network.left_out);
    json.key("layers");
    json.begin_array();
    for (const TunedLayer& tuned : layers) {
        const tune::TaskOutcome& outcome = tuned.outcome;
        const auto time_ns = tuned.time_ns();
        json.begin_object();
        json.member("name", tuned.layer.name);
        json.member("shape", conv::format_shape(tuned.layer.shape));
        json.member("count", std::int64_t{tuned.layer.count});
        json.member("best_config", time_ns
                                       ? std::optional(outcome.candidates->text(
                                             outcome.search.trials[*outcome.search.best].candidate))
                                       : std::nullopt);
        json.member("best_gops", time_ns ? std::optional(outcome.gops(*time_ns)) : std::nullopt);
        json.member("best_time_ns", time_ns);
        json.member("trials", std::uint64_t{outcome.search.trials.size()});
        json.member("failures", std::uint64_t{outcome.search.failures});
        json.member("exhaustive_best_gops",
                    outcome.exhaustive_best_ns
                        ? std::optional(outcome.gops(*outcome.exhaustive_best_ns))
                        : std::nullopt);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

std::string to_text(const tune::Network& network, const std::vector<TunedLayer>& layers) {
    using Align = TextTable::Align;
    TextTable table(
        {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right});
    table.add({{"layer", Tone::strong},
               {"shape", Tone::strong},
               {"times", Tone::strong},
               {"us", Tone::strong},
               {"GOPS", Tone::strong},
               {"trials", Tone::strong}});
    for (const TunedLayer& tuned : layers) {
        const auto time_ns = tuned.time_ns();
        table.add({{tuned.layer.name},
                   {conv::format_shape(tuned.layer.shape)},
                   {fmt::format("{}", tuned.layer.count)},
                   {time_ns ? fmt::format("{:.1f}", *time_ns / 1e3) : "-"},
                   {time_ns ? fmt::format("{:.1f}", tuned.outcome.gops(*time_ns)) : "-"},
                   {fmt::format("{}", tuned.outcome.search.trials.size())}});
    }
    std::string text = table.render(100, 0, wants_colour());
    const Total total = total_of(layers);
    if (total.time_ns) {
        text += fmt::format("all convolutions: {} at {:.1f} GOPS (measured on {})\n",
                            format_seconds(*total.time_ns * 1e-9),
                            total.operations / *total.time_ns, layers[0].outcome.task.machine);
    }
    if (!network.left_out.empty()) text += fmt::format("left out: {}\n", network.left_out);
    return text;
}

Status run(const Options& options) {
    MEMSIDE_TRY(const std::string model, options.required("--model"));
    MEMSIDE_TRY(const std::int64_t batch, options.integer("--batch", 1, 1, 1024));
    MEMSIDE_TRY(const tune::Network network, tune::load_network(model, batch));
    MEMSIDE_TRY(tune::Task task, read_task(options));
    MEMSIDE_TRY(tune::TuneOptions how, read_tune_options(options));
    MEMSIDE_TRY(const bool on_standard_output, check_outputs(options, {"--json"}, {}));
    MEMSIDE_TRY(const auto target, tune::find_target(task.target, "--target"));
    MEMSIDE_TRY(const auto database, open_database(options));
    std::vector<TunedLayer> layers;
    std::vector<std::string> without;
    for (const tune::Network::Layer& layer : network.layers) {
        task.shape = layer.shape;
        TuneProgress progress(fmt::format("tune network: {}", layer.name),
                              layer.shape.operations());
        how.search.progress = [&](const tune::SearchProgress& now) { progress.show(now); };
        auto outcome = tune::tune_task(*target, task, how, database.get());
        progress.finish();
        if (!outcome.ok()) return outcome.error();
        layers.push_back({layer, std::move(*outcome)});
        if (!layers.back().time_ns()) without.push_back(layer.name);
    }
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(network, layers, how));
    if (!on_standard_output) outputs.add("-", to_text(network, layers));
    MEMSIDE_CHECK(outputs.commit());
    if (!without.empty()) {
        return Error{"tune network",
                     fmt::format("no candidate of {} could be measured", join(without, ", ")),
                     Error::Kind::infeasible};
    }
    return {};
}

}  // namespace

int run_tune_network(const std::vector<std::string>& arguments) {
    Options options("tune network", "Searches for the fastest programs of a network.", examples);
    options.group("What is tuned");
    options.add("--model", "NAME", "resnet50, vgg16, mobilenet-v1");
    options.add("--batch", "N", "images (default: 1)");
    add_task_options(options);
    add_search_options(options);
    options.group("Output");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("tune network", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("tune network", done.error());
}

}  // namespace memside::cli
