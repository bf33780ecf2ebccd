// memside aim asm, disasm: from one form of a program to the other.
#include "base/file.h"
#include "cli/aim.h"
#include "cli/terminal.h"
#include "pim/binary_form.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/dynamic/dynamic_text.h"
#include "pim/text_reader.h"
#include "pim/text_writer.h"

namespace memside::cli {
namespace {

struct Direction {
    const char* command;
    const char* summary;
    const char* examples;
    const char* input;
    bool from_binary;
    const char* default_output;  // nullptr: must be named
    std::string (*write)(const pim::Program&);
};

constexpr Direction assemble{
    "aim asm",
    "Checks a program in text and writes it in binary form, loops kept.",
    "  memside aim asm kernel.aim -o kernel.bin\n",
    "program",
    false,
    nullptr,
    pim::to_binary,
};
constexpr Direction disassemble{
    "aim disasm",
    "Writes a program in binary form as text, loops kept.",
    "  memside aim disasm kernel.bin\n"
    "  memside aim disasm kernel.bin -o kernel.aim\n",
    "program",
    true,
    "-",
    pim::to_text,
};

Status convert(const Options& options, const Direction& direction) {
    MEMSIDE_TRY(const std::string input, only_argument(options, direction.input));
    const auto output = options.text("-o");
    if (!output && direction.default_output == nullptr) return options.required("-o").error();
    MEMSIDE_CHECK(check_outputs(options, {"-o"}, {{direction.input, input}}));
    OutputSet outputs;
    if (direction.from_binary) {
        MEMSIDE_TRY(const bool dynamic, is_dynamic_program(input));
        if (dynamic) {
            MEMSIDE_TRY(const std::string bytes, read_file(input, pim::max_program_bytes));
            MEMSIDE_TRY(const pim::DynamicProgram program, pim::parse_dynamic_binary(bytes, input));
            outputs.add(output ? *output : direction.default_output, pim::to_text(program));
            return outputs.commit();
        }
    }
    MEMSIDE_TRY(const pim::Program program, read_program(input, direction.from_binary));
    outputs.add(output ? *output : direction.default_output, direction.write(program));
    return outputs.commit();
}

int run(const std::vector<std::string>& arguments, const Direction& direction) {
    Options options(direction.command, direction.summary, direction.examples);
    options.add_positional(direction.input, "the file to read", false);
    options.add("-o", "FILE", "where to write; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail(direction.command, parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status converted = convert(options, direction);
    return converted.ok() ? 0 : fail(direction.command, converted.error());
}

}  // namespace

int run_aim_asm(const std::vector<std::string>& arguments) {
    return run(arguments, assemble);
}

int run_aim_disasm(const std::vector<std::string>& arguments) {
    return run(arguments, disassemble);
}

}  // namespace memside::cli
