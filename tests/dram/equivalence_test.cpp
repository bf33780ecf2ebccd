// The event-driven controller against the ticking one, command by command, on random streams.
#include <rapidcheck/gtest.h>

#include "dram/controller.h"
#include "dram/reference_controller.h"
#include "dram/specs.h"

namespace memside::dram {
namespace {

std::string name_of(const IssuedCommand& issued) {
    return std::string(name(issued.command)) + " on bank " + std::to_string(issued.bank) + " at " +
           std::to_string(issued.cycle);
}

// Streams with few rows and banks, so that hits, conflicts, forwarding and merging all happen, and
// with pauses, so that refresh meets idle and busy banks.
std::vector<Request> random_requests(const Spec& spec, int count) {
    const int banks = *rc::gen::element(1, 2, 5, spec.banks());
    const int rows = *rc::gen::element(1, 2, 4, 100);
    const int columns = *rc::gen::element(1, 4, spec.bursts_per_row);
    const int write_percent = *rc::gen::element(0, 10, 50, 100);
    const int pause_percent = *rc::gen::element(0, 0, 5, 50);
    const auto longest_pause = *rc::gen::element<Cycle>(10, 200, 3000);
    std::vector<Request> requests;
    Cycle arrival = 0;
    for (int i = 0; i < count; ++i) {
        Request request;
        // Bank 0 and every fifth: over groups, ranks and pseudo-channels.
        request.bank = *rc::gen::inRange(0, banks) * 5 % spec.banks();
        request.row = *rc::gen::inRange(0, rows);
        request.column = *rc::gen::inRange(0, columns);
        request.write = *rc::gen::inRange(0, 100) < write_percent;
        if (*rc::gen::inRange(0, 100) < pause_percent) {
            arrival += *rc::gen::inRange<Cycle>(0, longest_pause);
        }
        request.arrival = arrival;
        requests.push_back(request);
    }
    return requests;
}

void expect_equal(const char* spec_name) {
    Spec spec = shipped(spec_name);
    ControllerOptions options;
    options.read_queue = *rc::gen::element(1, 4, 32);
    options.write_queue = *rc::gen::element(1, 4, 32);
    options.refresh = *rc::gen::element(RefreshMode::none, RefreshMode::all_bank,
                                        RefreshMode::all_bank, RefreshMode::per_bank);
    if (options.refresh == RefreshMode::per_bank && spec.refresh_bank_interval == 0) {
        options.refresh = RefreshMode::all_bank;
    }
    const auto requests = random_requests(spec, *rc::gen::inRange(1, 250));
    // Refresh as often as it can be, so that a short stream meets many.
    spec.refresh_interval = std::min<Cycle>(spec.refresh_interval, 1500);

    std::vector<IssuedCommand> log;
    options.log = &log;
    RequestList source(requests);
    const auto fast = simulate(spec, options, source);
    RC_ASSERT(fast.ok());
    const ReferenceResult slow = reference_simulate(spec, options, requests);
    for (std::size_t i = 0; i < std::min(log.size(), slow.log.size()); ++i) {
        if (log[i] == slow.log[i]) continue;
        RC_LOG() << "command " << i << ": " << name_of(log[i]) << ", reference "
                 << name_of(slow.log[i]);
        break;
    }
    RC_ASSERT(log == slow.log);
    RC_ASSERT(broken_rule(spec, log) == "");
    RC_ASSERT(fast->reads == slow.reads);
    RC_ASSERT(fast->writes == slow.writes);
    RC_ASSERT(fast->forwarded == slow.forwarded);
    RC_ASSERT(fast->merged == slow.merged);
    RC_ASSERT(fast->row_hits == slow.row_hits);
    RC_ASSERT(fast->row_misses == slow.row_misses);
    RC_ASSERT(fast->row_conflicts == slow.row_conflicts);
    RC_ASSERT(fast->read_latency_sum == slow.read_latency_sum);
}

RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_lpddr5, ()) {
    expect_equal("lpddr5-6400");
}
RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_lpddr5x_with_two_ranks, ()) {
    expect_equal("lpddr5x-8533");
}
RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_gddr6, ()) {
    expect_equal("gddr6-14000");
}
RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_hbm2, ()) {
    expect_equal("hbm2-2000");
}
RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_hbm3, ()) {
    expect_equal("hbm3-6400");
}
RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_ddr5, ()) {
    expect_equal("ddr5-4800");
}
RC_GTEST_PROP(Controller, skipping_events_equals_ticking_for_ddr4, ()) {
    expect_equal("ddr4-3200");
}

}  // namespace
}  // namespace memside::dram
