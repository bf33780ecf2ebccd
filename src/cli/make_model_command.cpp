// memside make-model: a GGUF file with random weights.
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "engine/make_model.h"
#include "model/catalog.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside make-model --shape llama-3.2-1b --type q8_0 --seed 1 -o random-1b.gguf\n"
    "  memside make-model --shape ./config.json --type f16 -o random.gguf\n";

constexpr std::int64_t max_threads = 4096;

Status make(const Options& options) {
    MEMSIDE_TRY(const std::string shape, options.required("--shape"));
    MEMSIDE_TRY(const std::string path, options.required("-o"));
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 1, max_threads));
    std::vector<std::string> types;
    for (const engine::WeightFormat& format : engine::weight_formats()) {
        types.emplace_back(format.name);
    }
    MEMSIDE_TRY(const std::size_t type, options.choice("--type", "q8_0", types));
    if (path.empty()) return bad_input("-o", "needs a file name, or '-' for standard output");
    engine::RandomModel model{.spec = {},
                              .config = {},
                              .format = engine::weight_formats()[type],
                              .seed = static_cast<std::uint64_t>(seed)};
    MEMSIDE_TRY(model.spec, load_model(shape));
    if (model.spec.source.ends_with(".gguf")) {
        return bad_input("--shape", fmt::format("{} is a model already; allowed: a name that "
                                                "'memside list models' shows, or a config.json",
                                                in_quotes(shape)));
    }
    MEMSIDE_TRY(model.config, engine::load_decoding_config(model.spec));
    MEMSIDE_TRY(const bool on_standard_output,
                check_outputs(options, {"-o"}, {{"the shape", model.spec.source}}));

    // A line that is written over, for files that take more than a moment.
    constexpr std::uint64_t shown_from = std::uint64_t{1} << 28;
    const bool shown = ::isatty(STDERR_FILENO) != 0;
    int percent = -1;
    std::uint64_t bytes = 0;
    const Status made = engine::make_model(model, path, static_cast<unsigned>(threads),
                                           [&](std::uint64_t done, std::uint64_t total) {
                                               bytes = total;
                                               const int now = static_cast<int>(100 * done / total);
                                               if (!shown || total < shown_from || now == percent)
                                                   return;
                                               percent = now;
                                               fmt::print(stderr, "\rmake-model: {} %", percent);
                                               if (percent == 100) fmt::print(stderr, "\n");
                                           });
    if (percent >= 0 && percent < 100) fmt::print(stderr, "\n");
    MEMSIDE_CHECK(made);
    if (on_standard_output) return {};
    return write_standard_output(fmt::format("{}: {} parameters of {} at random, {}\n", path,
                                             model.spec.weights.parameters(), model.spec.name,
                                             format_bytes(static_cast<double>(bytes))));
}

}  // namespace

int run_make_model(const std::vector<std::string>& arguments) {
    Options options("make-model", "Writes a GGUF file of any shape with random weights.", examples);
    options.add("--shape", "NAME|FILE", "model name, or a Hugging Face config.json");
    options.add("--type", "TYPE", "of the matrices: f32, f16, q8_0 (default), q4_0");
    options.add("--seed", "N", "of the weights (default 1)");
    options.add("-o", "FILE", "the GGUF file; '-' for standard output");
    options.add("--threads", "N", "threads (default: all cores)");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("make-model", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status made = make(options);
    return made.ok() ? 0 : fail("make-model", made.error());
}

}  // namespace memside::cli
