// memside compile: a decoder layer to the program of a near-memory device. The compiler is a
// library that is opened here and by no other command.
#include "base/file.h"
#include "base/number.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "compiler/compiler.h"
#include "model/catalog.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside compile --model llama-3.1-8b --kernel attention --context dynamic -o attention.bin "
    "--emit bin\n"
    "  memside compile --model gemma-3-270m --layer 5 --kernel layer --context 4K --access static\n"
    "  memside compile --input layer.mlir --emit mlir --print-after=linalg-to-decode\n";

constexpr std::size_t max_input_bytes = std::size_t{64} << 20;
constexpr std::int64_t most_modules = 1024;

// The values that the options of cli.md name, in the order of the enums.
const std::vector<std::string> kernels{"qk", "sv", "attention", "ffn", "layer"};
const std::vector<std::string> targets{"aim", "pnm"};
const std::vector<std::string> partitions{"hfp", "tcp"};
const std::vector<std::string> accesses{"static", "dpa"};
const std::vector<std::string> forms{"mlir", "asm", "bin"};

void add_options(Options& options) {
    options.group("What");
    options.add("--model", "NAME|FILE", "a model's layer: preset, config.json or .gguf");
    options.add("--layer", "N", "the layer, from 0 on (default 0)");
    options.add("--input", "F.mlir", "a layer in linalg on tensors, or in the dialect decode");
    options.add("--kernel", "KERNEL", "qk, sv, attention, ffn or layer (default)");
    options.add("--context", "TOKENS|dynamic", "a fixed context, or any (default)");
    options.group("For what");
    options.add("--target", "DEVICE", "aim (default) or pnm");
    options.add("--modules", "N", "near-memory modules (default --tp times --pp)");
    options.add("--tp", "N", "modules that share a layer (default --modules over --pp)");
    options.add("--pp", "N", "stages of layers (default 1)");
    options.add("--channels", "N", "channels of a module, 1 to 32 (default)");
    options.add("--partition", "WAY", "hfp or tcp (default): a head's channels");
    options.add("--access", "WAY", "static or dpa (default): where keys and values lie");
    options.add_flag("--row-reuse", "query heads of a KV head share an open row");
    options.group("Output");
    options.add("--emit", "FORM", "mlir, asm (default) or bin");
    options.add("-o", "FILE", "where to write; '-' for standard output (default)");
    options.add("--print-after", "PASS", "show the program after a pass, or after 'front'");
    options.add_flag("--pass-statistics", "show time and operations after every pass");
}

// --modules is --tp times --pp; what is not given follows.
Status read_grid(const Options& options, compiler::CompileRequest& request) {
    MEMSIDE_TRY(const std::int64_t pp, options.integer("--pp", 1, 1, most_modules));
    MEMSIDE_TRY(const std::int64_t given, options.integer("--modules", 0, 1, most_modules));
    MEMSIDE_TRY(const std::int64_t tp,
                options.integer("--tp", given == 0 ? 1 : std::max<std::int64_t>(1, given / pp), 1,
                                most_modules));
    if (given != 0 && given != tp * pp) {
        return bad_input("--modules", fmt::format("{} is not --tp {} x --pp {}", given, tp, pp));
    }
    request.tensor = static_cast<unsigned>(tp);
    request.pipeline = static_cast<unsigned>(pp);
    if (request.target == compiler::DeviceTarget::pnm) {
        if (tp > 1)
            return bad_input("--tp", "a layer is not split over CXL-PNM devices; allowed: 1");
        if (pp > 1)
            return bad_input("--pp", "CXL-PNM devices have no stages of layers; allowed: 1");
    }
    return {};
}

Status read_target(const Options& options, compiler::CompileRequest& request) {
    MEMSIDE_TRY(const std::size_t target, options.choice("--target", "aim", targets));
    request.target = static_cast<compiler::DeviceTarget>(target);
    MEMSIDE_TRY(const std::int64_t channels, options.integer("--channels", 32, 1, 32));
    request.channels = static_cast<unsigned>(channels);
    MEMSIDE_TRY(const std::size_t partition, options.choice("--partition", "tcp", partitions));
    request.tokens_split = partitions[partition] == "tcp";
    MEMSIDE_TRY(const std::size_t access, options.choice("--access", "dpa", accesses));
    request.dynamic_access = accesses[access] == "dpa";
    request.row_reuse = options.flag("--row-reuse");
    if (const std::string context = options.text_or("--context", "dynamic"); context != "dynamic") {
        MEMSIDE_TRY(const std::int64_t tokens, parse_tokens(context, "--context"));
        request.context = static_cast<std::uint64_t>(tokens);
    }
    if (request.context == 0 && !request.dynamic_access) {
        return bad_input("--access", "static reserves rows for a context: give --context TOKENS");
    }
    return read_grid(options, request);
}

Status read_source(const Options& options, compiler::CompileRequest& request) {
    const auto model = options.text("--model");
    const auto input = options.text("--input");
    if (model.has_value() == input.has_value()) {
        return bad_input("", "one of --model and --input is required");
    }
    MEMSIDE_TRY(const std::size_t kernel, options.choice("--kernel", "layer", kernels));
    request.kernel = static_cast<compiler::KernelKind>(kernel);
    if (input) {
        for (const char* name : {"--layer", "--kernel"}) {
            if (options.text(name)) return bad_input(name, "goes with --model; a file has its own");
        }
        request.input_name = *input;
        MEMSIDE_TRY(request.input, read_file(*input, max_input_bytes));
        return {};
    }
    MEMSIDE_TRY(const ModelSpec spec, load_model(*model));
    MEMSIDE_TRY(const std::int64_t layer,
                options.integer("--layer", 0, 0, std::numeric_limits<int>::max()));
    MEMSIDE_TRY(request.layer, compiler::describe_layer(spec, layer));
    return {};
}

Status run(const Options& options) {
    compiler::CompileRequest request;
    MEMSIDE_CHECK(read_target(options, request));
    MEMSIDE_TRY(const std::size_t form, options.choice("--emit", "asm", forms));
    request.emit = static_cast<compiler::Emit>(form);
    request.print_after = options.text_or("--print-after", "");
    request.pass_statistics = options.flag("--pass-statistics");
    MEMSIDE_CHECK(read_source(options, request));
    std::vector<NamedPath> inputs;
    if (const auto input = options.text("--input")) inputs.push_back({"--input", *input});
    MEMSIDE_CHECK(check_outputs(options, {"-o"}, inputs));

    MEMSIDE_TRY(const compiler::Compiler library, compiler::Compiler::open());
    std::string log;
    auto compiled = library.compile(request, &log);
    fmt::print(stderr, "{}", log);
    MEMSIDE_TRY(compiler::Compilation made, std::move(compiled));
    OutputSet outputs;
    outputs.add(options.text_or("-o", "-"), std::move(made.output));
    return outputs.commit();
}

}  // namespace

int run_compile(const std::vector<std::string>& arguments) {
    Options options("compile",
                    "Compiles a decoder layer, or a kernel of it, to the program of a near-memory "
                    "device.",
                    examples);
    add_options(options);
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("compile", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("compile", done.error());
}

}  // namespace memside::cli
