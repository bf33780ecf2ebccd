#include "dram/controller.h"

#include <algorithm>
#include <cassert>

#include "dram/controller_core.h"

namespace memside::dram {

Controller::Controller(const Spec& spec, const ControllerOptions& options, RequestSource& source)
    : spec_(spec),
      options_(options),
      source_(source),
      timing_(spec),
      refresh_(spec, options.refresh),
      reads_(options.read_queue, spec.banks()),
      writes_(options.write_queue, spec.banks()),
      drain_from_(static_cast<int>(options.drain_from * options.write_queue)),
      drain_to_(static_cast<int>(options.drain_to * options.write_queue)),
      opened_(static_cast<std::size_t>(spec.banks())),
      open_row_(static_cast<std::size_t>(spec.banks()), -1) {
    more_ = source_.next(waiting_);
}

ControllerStats Controller::run() {
    Cycle now = 0;
    accept(now);
    consider_event(refresh_.next_due());
    while (more_ || !reads_.empty() || !writes_.empty() || opened_banks_ != 0) {
        now = next_event_;
        assert(now != never);
        next_event_ = never;
        refresh_.advance(now);
        update_drain();
        if (schedule(now)) consider_event(now + 1);
        accept(now);
        consider_event(refresh_.next_due());
    }
    stats_.cycles = last_column_ - measured_from_;
    return stats_;
}

// Only the fill of the queues decides, so nothing is missed at cycles that are skipped.
void Controller::update_drain() {
    if (draining_) {
        draining_ = !writes_.empty() && (writes_.size() > drain_to_ || reads_.empty());
    } else {
        draining_ = !writes_.empty() && (writes_.size() >= drain_from_ || reads_.empty());
    }
}

// Moves requests that have arrived into the queues. They may be served from the next cycle on.
void Controller::accept(Cycle now) {
    while (more_ && waiting_.arrival <= now) {
        assert(waiting_.bank >= 0 && waiting_.bank < spec_.banks() && waiting_.row >= 0);
        const bool opened = (opened_banks_ & bit(waiting_.bank)) != 0;
        const Request& holder = opened_[at(waiting_.bank)].request;
        if (writes_.holds(waiting_) ||
            (opened && !waiting_.write && holder.write && holder.row == waiting_.row &&
             holder.column == waiting_.column)) {
            if (waiting_.write) {
                ++stats_.merged;
            } else {
                ++stats_.forwarded;
                ++stats_.read_latency_sum;
                stats_.read_latency_max = std::max<Cycle>(stats_.read_latency_max, 1);
            }
            served(now);
        } else {
            RequestQueue& queue = waiting_.write ? writes_ : reads_;
            if (queue.full()) return;
            queue.push({waiting_, now, accepted_++, false}, open_row_[at(waiting_.bank)]);
            consider_event(now + 1);
        }
        more_ = source_.next(waiting_);
    }
    if (more_ && waiting_.arrival > now) consider_event(waiting_.arrival);
}

// The statistics begin anew with the last request of the warm-up.
void Controller::served(Cycle now) {
    if (++served_ != options_.warmup_requests) return;
    const Cycle end = stats_.end;
    stats_ = {};
    stats_.end = end;
    measured_from_ = now;
}

Result<ControllerStats> simulate(const Spec& spec, const ControllerOptions& options,
                                 RequestSource& source) {
    if (options.read_queue < 1 || options.write_queue < 1 || options.read_queue > 4096 ||
        options.write_queue > 4096) {
        return bad_input("controller", "a queue holds 1 to 4096 requests");
    }
    if (options.refresh == RefreshMode::per_bank && spec.refresh_bank_interval == 0) {
        return bad_input(
            "controller",
            fmt::format("{} has no per-bank refresh; allowed: none, all-bank", spec.name));
    }
    return Controller(spec, options, source).run();
}

}  // namespace memside::dram
