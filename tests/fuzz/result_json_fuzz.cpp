// Any bytes as a saved result: from_json returns a result that is written and read back alike, and
// that every report can show, or an Error of one line.
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace memside;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto result = from_json(text, "fuzz.json");
    if (!result.ok()) {
        fuzz::require_one_line(result.error());
        return 0;
    }
    const std::string written = to_json(*result);
    const auto again = from_json(written, "written.json");
    fuzz::require(again.ok(), "what is written is read");
    fuzz::require(to_json(*again) == written, "what is read is written alike");
    fuzz::require(again->settings == result->settings, "settings survive");
    fuzz::require(!to_csv({*result}).empty(), "a table shows it");
    fuzz::require(!summary(*result, false).empty(), "the terminal shows it");
    fuzz::require(html_report({*result}).ok(), "a page shows it");
    return 0;
}
