// memside aim exec: a program on data, from a memory image to a memory image.
#include "base/file.h"
#include "cli/aim.h"
#include "cli/terminal.h"
#include "pim/memory_image.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside aim exec kernel.aim --memory in.img --out out.img\n"
    "  memside aim exec kernel.aim --memory in.img --out out.img --dump regions.json\n"
    "  memside aim exec kernel.bin --from-binary --memory in.img --out out.img --json -\n";

void declare(Options& options) {
    options.add_positional("program", "the program to run", false);
    options.add_flag("--from-binary", "the program is in binary form");
    options.add("--memory", "FILE", "memory image: what is written before the program starts");
    options.add("--out", "FILE", "memory image: what is there when it has ended");
    options.add("--dump", "FILE", "JSON header with the regions of --out (default: of --memory)");
    options.add("--json", "FILE",
                "what was read without having been written; '-' for standard output");
}

struct Execution {
    std::string program;
    std::uint64_t executed = 0;
    pim::MemoryImage after;
    // By instructions, then by the dump.
    std::vector<pim::UninitialisedReads> reads;

    std::uint64_t read_count() const {
        std::uint64_t count = 0;
        for (const pim::UninitialisedReads& some : reads) count += some.count;
        return count;
    }
    // A line each for the first reads, and one for how many more there were.
    std::vector<std::string> warnings() const {
        std::vector<std::string> lines;
        for (const pim::UninitialisedReads& some : reads) {
            for (const auto& read : some.first) lines.push_back(read.message());
        }
        const std::uint64_t more = read_count() - lines.size();
        if (more > 0) {
            lines.push_back(
                fmt::format("and {} more reads of what was never written; read as 0", more));
        }
        return lines;
    }
};

Result<std::vector<pim::ImageRegion>> regions_after(const Options& options,
                                                    const pim::MemoryImage& before) {
    const auto path = options.text("--dump");
    if (!path) return before.regions;
    MEMSIDE_TRY(const std::string text, read_file(*path, pim::max_header_bytes));
    return pim::parse_regions(text, *path);
}

Result<Execution> execute(const Options& options) {
    Execution execution;
    MEMSIDE_TRY(execution.program, only_argument(options, "program"));
    MEMSIDE_TRY(const std::string memory, options.required("--memory"));
    MEMSIDE_TRY(const std::string out, options.required("--out"));
    std::vector<NamedPath> inputs{{"program", execution.program}, {"--memory", memory}};
    if (const auto dump = options.text("--dump")) inputs.push_back({"--dump", *dump});
    MEMSIDE_CHECK(check_outputs(options, {"--out", "--json"}, inputs));

    MEMSIDE_TRY(const pim::Program program,
                read_program(execution.program, options.flag("--from-binary")));
    MEMSIDE_TRY(const std::string bytes, read_file(memory, pim::max_image_bytes));
    MEMSIDE_TRY(const pim::MemoryImage before, pim::parse_memory_image(bytes, memory));
    MEMSIDE_TRY(const std::vector<pim::ImageRegion> regions, regions_after(options, before));

    pim::Machine machine;
    pim::load_image(before, machine.memory());
    MEMSIDE_CHECK(machine.run(program));
    execution.executed = machine.executed();
    pim::UninitialisedReads of_dump;
    execution.after = pim::take_image(regions, machine.memory(), of_dump);
    execution.reads = {machine.uninitialised(), of_dump};
    return execution;
}

std::string to_json(const Execution& execution) {
    JsonWriter json;
    json.begin_object();
    json.key("version");
    json.value(MEMSIDE_VERSION);
    json.key("program");
    json.value(execution.program);
    json.key("instructions_executed");
    json.value(execution.executed);
    json.key("uninitialized_reads");
    json.value(execution.read_count());
    json.key("warnings");
    json.begin_array();
    for (const std::string& line : execution.warnings()) json.value(line);
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

Status write_outputs(const Options& options, const Execution& execution) {
    OutputSet outputs;
    outputs.add(*options.text("--out"), pim::encode_memory_image(execution.after));
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(execution));
    return outputs.commit();
}

}  // namespace

int run_aim_exec(const std::vector<std::string>& arguments) {
    Options options("aim exec", "Runs a program on data; docs/pim-function.md has the arithmetic.",
                    examples);
    declare(options);
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("aim exec", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<Execution> execution = execute(options);
    if (!execution.ok()) return fail("aim exec", execution.error());
    const Status written = write_outputs(options, *execution);
    if (!written.ok()) return fail("aim exec", written.error());
    for (const std::string& line : execution->warnings()) {
        note("aim exec", fmt::format("warning: {}", line));
    }
    return 0;
}

}  // namespace memside::cli
