#include "cluster/serving.h"

#include <algorithm>
#include <cassert>
#include <deque>

#include "base/number.h"
#include "cluster/serving_statistics.h"

namespace memside {
namespace {

class Serving {
  public:
    Serving(const Workload& workload, StepModel& model, const ServingOptions& options)
        : workload_(workload), model_(model), options_(options) {
        requests_.resize(workload.requests.size());
    }

    Result<ServedResult> run() {
        ServedResult result;
        result.reason = who_never_fits();
        if (!result.reason.empty()) return result;
        while (ended_ < requests_.size()) {
            receive();
            admit();
            if (running_.empty()) {
                wait();
                continue;
            }
            grow();
            MEMSIDE_CHECK(step());
        }
        statistics_.finish(result);
        result.preemptions = preemptions_;
        result.requests.reserve(requests_.size());
        for (const State& state : requests_) result.requests.push_back(state.times);
        return result;
    }

  private:
    struct State {
        std::int64_t tokens = 0;  // that it holds
        std::int64_t left = 0;    // output tokens to come
        double last_s = 0.0;      // of its last token, or of its join
        bool sent_back = false;   // since its last token
        ServedRequestTimes times;
    };

    // The longest request alone; empty when it fits, and so do the others.
    std::string who_never_fits() {
        const std::int64_t most = workload_.longest();
        ServingMemory& memory = model_.memory();
        const bool fits = memory.admit(0, most);
        if (fits) memory.release(0);
        if (fits) return "";
        return fmt::format("the longest request ends with {} tokens, which do not fit alone",
                           format_tokens(most));
    }

    void receive() {
        while (next_ < requests_.size() && workload_.requests[next_].arrival_s <= now_s_) {
            requests_[next_].tokens = workload_.requests[next_].context_tokens;
            requests_[next_].left = workload_.requests[next_].output_tokens;
            waiting_.push_back(next_++);
        }
    }

    // In the order of the queue: a request that does not fit holds up those behind it.
    void admit() {
        bool any = false;
        while (!waiting_.empty()) {
            const std::size_t id = waiting_.front();
            State& state = requests_[id];
            if (std::ssize(running_) == options_.most_requests.value_or(INT64_MAX)) break;
            if (!model_.memory().admit(id, state.tokens + 1)) break;
            waiting_.pop_front();
            running_.push_back(id);
            any = true;
            if (state.sent_back) continue;
            state.times.join_s = state.last_s = now_s_;
            statistics_.queued(now_s_ - workload_.requests[id].arrival_s);
        }
        if (!any) return;
        model_.memory().settle();
        steps_left_ = 0;
    }

    void wait() {
        assert(waiting_.empty() && next_ < requests_.size());
        const double until_s = workload_.requests[next_].arrival_s;
        statistics_.idle(until_s - now_s_, model_.idle_energy_j(until_s - now_s_));
        now_s_ = until_s;
    }

    // Room for the token of the step.
    void grow() {
        for (std::size_t i = 0; i < running_.size();) {
            const std::size_t id = running_[i];
            if (model_.memory().grow(id, requests_[id].tokens + 1)) {
                ++i;
            } else {
                send_back(last_beside(id));
            }
        }
    }

    // Who came in last of those in the same memory: perhaps the request itself.
    std::size_t last_beside(std::size_t id) {
        const ServingMemory& memory = model_.memory();
        std::size_t last = running_.size() - 1;
        while (memory.device_of(running_[last]) != memory.device_of(id)) --last;
        return last;
    }

    void send_back(std::size_t place) {
        const std::size_t id = running_[place];
        model_.memory().release(id);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(place));
        waiting_.push_front(id);
        requests_[id].sent_back = true;
        ++preemptions_;
        steps_left_ = 0;
    }

    Status step() {
        if (steps_left_ == 0) MEMSIDE_CHECK(plan());
        --steps_left_;
        const auto batch = std::ssize(running_);
        statistics_.step(cost_, batch, std::ssize(waiting_), model_.memory().load_imbalance());
        now_s_ += cost_.step_s;
        std::int64_t alike = 0;
        for (const std::size_t id : running_) {
            State& state = requests_[id];
            ++state.tokens;
            --state.left;
            state.times.running_s += cost_.step_s;
            if (state.sent_back) {
                statistics_.tokens(now_s_ - state.last_s, 1);
            } else {
                ++alike;
            }
            state.sent_back = false;
            state.last_s = now_s_;
        }
        statistics_.tokens(cost_.step_s, alike);
        leave();
        return {};
    }

    void leave() {
        std::erase_if(running_, [this](std::size_t id) {
            if (requests_[id].left > 0) return false;
            requests_[id].times.end_s = now_s_;
            model_.memory().release(id);
            ++ended_;
            steps_left_ = 0;
            return true;
        });
    }

    // The cost of the coming steps, as far as the same requests are sure to run: of their middle.
    Status plan() {
        steps_left_ = options_.granule_steps;
        for (const std::size_t id : running_) {
            steps_left_ = std::min(steps_left_, requests_[id].left);
        }
        std::vector<ActiveRequest> active;
        for (const std::size_t id : running_) {
            active.push_back({id, requests_[id].tokens + (steps_left_ - 1) / 2});
        }
        MEMSIDE_TRY(cost_, model_.step(active));
        assert(cost_.step_s > 0.0);
        return {};
    }

    const Workload& workload_;
    StepModel& model_;
    const ServingOptions options_;
    std::vector<State> requests_;
    std::deque<std::size_t> waiting_;
    std::vector<std::size_t> running_;  // in the order in which they came in
    std::size_t next_ = 0;              // to arrive
    std::size_t ended_ = 0;
    std::int64_t preemptions_ = 0;
    double now_s_ = 0.0;
    StepCost cost_;
    std::int64_t steps_left_ = 0;  // for which cost_ holds
    ServingStatistics statistics_;
};

}  // namespace

Result<ServedResult> serve(const Workload& workload, StepModel& model,
                           const ServingOptions& options) {
    assert(!workload.empty() && options.granule_steps > 0);
    return Serving(workload, model, options).run();
}

}  // namespace memside
