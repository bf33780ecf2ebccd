// memside aim run of a dynamic program: one step of a request at a given context.
#include <algorithm>

#include "base/file.h"
#include "cli/aim.h"
#include "pim/dynamic/dispatcher.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/text_reader.h"
#include "report/pim_run.h"

namespace memside::cli {
namespace {

constexpr pim::Dispatcher::RequestId request = 0;

// Chunks of regions that nothing is appended to: as many rows as the program may name.
Status reserve_others(pim::Dispatcher& dispatcher) {
    const std::vector<pim::Region>& regions = dispatcher.program().regions;
    for (std::uint32_t i = 0; i < regions.size(); ++i) {
        if (!regions[i].per_request || dispatcher.rows(i, 1)) continue;
        MEMSIDE_CHECK(dispatcher.reserve(request, i, regions[i].rows));
    }
    return {};
}

}  // namespace

Result<bool> is_dynamic_program(const std::string& path) {
    MEMSIDE_TRY(const std::string bytes, read_file(path, pim::max_program_bytes));
    return pim::is_dynamic_binary(bytes);
}

Status run_dynamic(const Options& options, PimRun& run) {
    if (run.options.record_trace) {
        return bad_input("--trace", "is not there for dynamic programs");
    }
    MEMSIDE_CHECK(options.required("--tokens"));
    MEMSIDE_TRY(
        const std::int64_t tokens,
        options.integer("--tokens", 1, 1, static_cast<std::int64_t>(pim::max_request_tokens)));
    DynamicRun dynamic;
    MEMSIDE_TRY(const std::string shipped, pim::default_hub_timing_path());
    MEMSIDE_TRY(dynamic.hub_timing, pim::read_hub_timing(options.text("--hub").value_or(shipped)));
    MEMSIDE_TRY(const std::string bytes, read_file(run.program, pim::max_program_bytes));
    MEMSIDE_TRY(pim::DynamicProgram program, pim::parse_dynamic_binary(bytes, run.program));
    dynamic.tokens = static_cast<std::uint64_t>(tokens);
    dynamic.items = program.items.size();
    dynamic.program_bytes = bytes.size();
    const bool exchanges = std::any_of(
        program.entries.begin(), program.entries.end(),
        [](const auto& entry) { return entry.communication != pim::Communication::none; });
    const pim::ChunkPool chunks = pim::free_chunks(program);
    MEMSIDE_TRY(pim::Dispatcher dispatcher, pim::Dispatcher::create(std::move(program), chunks));
    const auto at_tokens = [&](Status status) -> Status {
        if (status.ok()) return status;
        Error error = status.error();
        error.where = fmt::format("{} at {} tokens", run.program, tokens);
        return error;
    };
    MEMSIDE_CHECK(at_tokens(dispatcher.admit(request, dynamic.tokens - 1)));
    MEMSIDE_CHECK(at_tokens(reserve_others(dispatcher)));
    pim::TimeSink sink(run.timing, dynamic.hub_timing, run.options);
    MEMSIDE_CHECK(at_tokens(dispatcher.step(request, sink)));
    MEMSIDE_TRY(dynamic.time, sink.finish());
    run.instructions = dynamic.time.instructions;
    run.result = std::move(dynamic.time.result);
    run.result.warnings.emplace_back(
        "the energy of the hub's processing unit is not modelled; its time costs standby power");
    if (exchanges) {
        run.result.warnings.emplace_back(
            "what modules exchange takes no time here: this is one module of several");
    }
    run.dynamic = std::move(dynamic);
    return {};
}

}  // namespace memside::cli
