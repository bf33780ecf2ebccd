#include "base/file.h"
#include "cli/aim.h"
#include "pim/binary_form.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/text_reader.h"

namespace memside::cli {

Result<std::string> only_argument(const Options& options, const std::string& name) {
    const std::vector<std::string> given = options.all(name);
    if (given.size() != 1) return bad_input("", fmt::format("name one {}", name));
    return given.front();
}

Result<pim::Program> read_program(const std::string& path, bool from_binary) {
    MEMSIDE_TRY(const std::string bytes, read_file(path, pim::max_program_bytes));
    if (pim::is_dynamic_binary(bytes)) {
        return bad_input(path,
                         "is a dynamic program; only aim run and aim disasm take it, with "
                         "--from-binary");
    }
    if (from_binary) return pim::parse_binary(bytes, path);
    if (pim::is_binary(bytes)) {
        return bad_input(path, "is a program in binary form; give --from-binary, or disasm first");
    }
    return pim::parse_text(bytes, path);
}

}  // namespace memside::cli
