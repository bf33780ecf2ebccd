// memside aim run: a program's cycles, commands and energy.
#include "base/file.h"
#include "cli/aim.h"
#include "cli/terminal.h"
#include "pim/run_names.h"
#include "report/pim_run.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside aim run kernel.aim\n"
    "  memside aim run kernel.aim --refresh off --scheduler dcs\n"
    "  memside aim run kernel.bin --from-binary --json - --trace timeline.json\n"
    "  memside aim run layer.bin --from-binary --tokens 131072 --scheduler dcs\n";

void declare(Options& options) {
    options.add_positional("program", "the program to run", false);
    options.add_flag("--from-binary", "the program is in binary form");
    options.add("--scheduler", "NAME", "in-order (default), ping-pong or dcs");
    options.add("--refresh", "MODE", "on (default: all-bank), off, all-bank or per-bank");
    options.add("--timing", "FILE", "timing constraints (default: systems/timing/gddr6-aim.yaml)");
    options.add("--tokens", "N",
                "of a dynamic program (memside compile): the step of a request's token N");
    options.add("--hub", "FILE", "of a dynamic program: latencies (default: systems/pim/hub.yaml)");
    options.add("--energy", "FILE",
                "energy constants (default: systems/pim/gddr6-aim-energy.yaml)");
    options.add("--json", "FILE", "the result; '-' for standard output");
    options.add("--trace", "FILE", "a timeline for Perfetto or chrome://tracing");
}

Result<pim::SimulationOptions> simulation_options(const Options& options) {
    pim::SimulationOptions result;
    MEMSIDE_TRY(const std::size_t scheduler,
                options.choice("--scheduler", "in-order",
                               {pim::scheduler_names.begin(), pim::scheduler_names.end()}));
    result.scheduler = static_cast<pim::Scheduler>(scheduler);
    // The first is another name of the third.
    static constexpr pim::RefreshMode modes[] = {pim::RefreshMode::all_bank, pim::RefreshMode::off,
                                                 pim::RefreshMode::all_bank,
                                                 pim::RefreshMode::per_bank};
    MEMSIDE_TRY(const std::size_t refresh,
                options.choice("--refresh", "on", {"on", "off", "all-bank", "per-bank"}));
    result.refresh = modes[refresh];
    result.record_trace = options.text("--trace").has_value();
    return result;
}

// The file of an option, or the one that ships with Memside.
Result<std::string> file_of(const Options& options, const char* name,
                            Result<std::string> (*shipped)()) {
    if (const auto given = options.text(name)) return *given;
    return shipped();
}

Result<PimRun> execute(const Options& options) {
    PimRun run;
    MEMSIDE_TRY(run.program, only_argument(options, "program"));
    MEMSIDE_TRY(run.options, simulation_options(options));
    MEMSIDE_TRY(const std::string timing, file_of(options, "--timing", pim::default_timing_path));
    MEMSIDE_TRY(const std::string energy, file_of(options, "--energy", pim::default_energy_path));
    MEMSIDE_CHECK(
        check_outputs(options, {"--json", "--trace"},
                      {{"program", run.program}, {"--timing", timing}, {"--energy", energy}}));
    MEMSIDE_TRY(run.timing, pim::read_timing(timing));
    MEMSIDE_TRY(run.energy_model, pim::read_energy_model(energy));
    if (options.flag("--from-binary")) {
        MEMSIDE_TRY(const bool dynamic, is_dynamic_program(run.program));
        if (dynamic) {
            MEMSIDE_CHECK(run_dynamic(options, run));
            run.energy =
                pim::run_energy(run.energy_model, run.result, run.timing, 0, run.options.scheduler);
            return run;
        }
    }
    for (const char* name : {"--tokens", "--hub"}) {
        if (options.text(name)) return bad_input(name, "is of dynamic programs in binary form");
    }
    MEMSIDE_TRY(const pim::Program program,
                read_program(run.program, options.flag("--from-binary")));
    run.instructions = program.unrolled_count();
    if (run.options.record_trace) {
        MEMSIDE_CHECK(check_pim_trace_size(run.instructions, "--trace"));
    }
    MEMSIDE_TRY(run.result, pim::simulate(program, run.timing, run.options));
    run.energy = pim::run_energy(run.energy_model, run.result, run.timing, pim::host_tiles(program),
                                 run.options.scheduler);
    return run;
}

// Every output is rendered before the first byte is written.
Status write_outputs(const Options& options, const PimRun& run) {
    MEMSIDE_TRY(const bool on_standard_output, check_outputs(options, {"--json", "--trace"}, {}));
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(run));
    if (const auto path = options.text("--trace")) {
        MEMSIDE_CHECK(check_pim_trace_size(run.result.trace.size(), "--trace"));
        outputs.add(*path, to_trace(run));
    }
    if (!on_standard_output) outputs.add("-", summary(run, wants_colour()));
    return outputs.commit();
}

}  // namespace

int run_aim_run(const std::vector<std::string>& arguments) {
    Options options("aim run",
                    "Runs a program on a modelled DRAM-PIM module. All figures are "
                    "modelled.",
                    examples);
    declare(options);
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("aim run", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<PimRun> run = execute(options);
    if (!run.ok()) return fail("aim run", run.error());
    const Status written = write_outputs(options, *run);
    return written.ok() ? 0 : fail("aim run", written.error());
}

}  // namespace memside::cli
