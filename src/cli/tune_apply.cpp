// memside tune apply: the fastest programs of a database, for other programs to link.
#include <filesystem>

#include "base/file.h"
#include "cli/terminal.h"
#include "cli/tune.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

constexpr const char* examples = "  memside tune apply --db tuned.sqlite --out kernels\n";

namespace fs = std::filesystem;

// "conv_int8_8x64x56x56x64x3x3x1x1x1_x86_vnni_1t": of C, and of files.
std::string symbol_of(const tune::Task& task) {
    std::string text = fmt::format("conv_{}_{}_{}_{}t", task.dtype, conv::format_shape(task.shape),
                                   task.target, task.threads);
    std::replace(text.begin(), text.end(), ',', 'x');
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
}

std::string manifest_of(const std::vector<tune::Database::Best>& kernels) {
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.key("kernels");
    json.begin_array();
    for (const tune::Database::Best& best : kernels) {
        const std::string symbol = symbol_of(best.task);
        json.begin_object();
        json.member("symbol", symbol);
        json.member("object", fmt::format("{}.o", symbol));
        json.member("header", fmt::format("{}.h", symbol));
        json.member("shape", conv::format_shape(best.task.shape));
        json.member("dtype", best.task.dtype);
        json.member("target", best.task.target);
        json.member("threads", std::int64_t{best.task.threads});
        json.member("config", best.config);
        json.member("time_ns", best.time_ns);
        json.member("gops", best.task.shape.operations() / best.time_ns);
        json.member("measured_on", best.task.machine);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

// Those of this machine, if the database has any of another one.
Result<std::vector<tune::Database::Best>> kernels_here(tune::Database& database,
                                                       const std::string& path) {
    MEMSIDE_TRY(std::vector<tune::Database::Best> all, database.best());
    if (all.empty()) return bad_input(path, "has no candidate that works");
    const std::string machine = tune::this_machine();
    const std::size_t count = all.size();
    std::erase_if(all,
                  [&](const tune::Database::Best& best) { return best.task.machine != machine; });
    if (all.empty()) {
        return bad_input(path, fmt::format("has {} tuned kernels, none of them measured on this "
                                           "machine ({})",
                                           count, machine));
    }
    if (all.size() < count) {
        note("tune apply",
             fmt::format("{} kernels of other machines are left out", count - all.size()));
    }
    return all;
}

Status run(const Options& options) {
    MEMSIDE_TRY(const std::string path, options.required("--db"));
    MEMSIDE_TRY(const std::string folder, options.required("--out"));
    std::error_code code;
    // Opening would make it.
    if (!fs::is_regular_file(path, code)) return bad_input(path, "no such file");
    MEMSIDE_TRY(const auto database, tune::Database::open(path));
    MEMSIDE_TRY(const std::vector<tune::Database::Best> kernels, kernels_here(*database, path));
    OutputSet outputs;
    for (const tune::Database::Best& best : kernels) {
        MEMSIDE_TRY(const auto target, tune::find_target(best.task.target, path));
        const std::string symbol = symbol_of(best.task);
        MEMSIDE_TRY(tune::KernelFiles files, target->emit(best.task, best.config, symbol));
        outputs.add((fs::path(folder) / fmt::format("{}.o", symbol)).string(),
                    std::move(files.object));
        outputs.add((fs::path(folder) / fmt::format("{}.h", symbol)).string(),
                    std::move(files.header));
    }
    const std::string manifest = (fs::path(folder) / "manifest.json").string();
    outputs.add(manifest, manifest_of(kernels));
    outputs.add("-", fmt::format("{} kernels: {}\n", kernels.size(), manifest));
    fs::create_directories(folder, code);
    return outputs.commit();
}

}  // namespace

int run_tune_apply(const std::vector<std::string>& arguments) {
    Options options("tune apply",
                    "Writes the fastest program of every task of a database: an object file, a C "
                    "header, and one manifest.",
                    examples);
    options.add("--db", "FILE", "SQLite database of searches on this machine");
    options.add("--out", "DIR", "where the files go");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("tune apply", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("tune apply", done.error());
}

}  // namespace memside::cli
