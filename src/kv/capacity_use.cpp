#include "kv/capacity_use.h"

#include <cassert>
#include <deque>

#include "base/number.h"
#include "base/quantity.h"

namespace memside::kv {
namespace {

struct Request {
    RequestId id = 0;
    std::int64_t tokens = 0;  // that it holds
    std::int64_t end = 0;     // when it leaves
};

class Run {
  public:
    Run(KvAllocator& allocator, const CapacityRun& run) : allocator_(allocator), run_(run) {}

    // A step; false when a request does not fit into an empty memory.
    bool step() {
        std::erase_if(running_, [this](const Request& request) {
            if (request.tokens < request.end) return false;
            allocator_.release(request.id);
            ++ended_;
            return true;
        });
        while (admit()) {
        }
        if (running_.empty()) return false;
        for (std::size_t i = 0; i < running_.size(); ++i) {
            while (!allocator_.grow(running_[i].id, bytes(running_[i].tokens + 1))) {
                if (running_.size() == 1) return false;
                send_back();
                if (i == running_.size()) return true;
            }
            ++running_[i].tokens;
        }
        return true;
    }

    std::int64_t running() const { return static_cast<std::int64_t>(running_.size()); }
    std::int64_t ended() const { return ended_; }
    std::int64_t sent_back() const { return sent_back_; }

  private:
    std::int64_t bytes(std::int64_t tokens) const { return tokens * run_.bytes_per_token; }

    // The next in the queue, or a new one. One token must be free to grow by.
    bool admit() {
        if (waiting_.empty()) {
            Request request;
            request.id = static_cast<RequestId>(came_);
            request.tokens = std::min(run_.prompt_tokens(came_++), run_.window_tokens - 1);
            request.end = std::min(request.tokens + run_.output_tokens, run_.window_tokens);
            waiting_.push_back(request);
        }
        const Request& next = waiting_.front();
        if (!allocator_.admit(next.id, bytes(next.tokens))) return false;
        running_.push_back(next);
        waiting_.pop_front();
        return true;
    }

    void send_back() {
        allocator_.release(running_.back().id);
        waiting_.push_front(running_.back());
        running_.pop_back();
        ++sent_back_;
    }

    KvAllocator& allocator_;
    const CapacityRun& run_;
    std::vector<Request> running_;  // in the order in which they came in
    std::deque<Request> waiting_;
    std::int64_t came_ = 0;
    std::int64_t ended_ = 0;
    std::int64_t sent_back_ = 0;
};

}  // namespace

Result<CapacityUse> capacity_use(KvAllocator& allocator, const CapacityRun& run,
                                 const std::string& where) {
    assert(run.bytes_per_token > 0 && run.output_tokens > 0 && run.window_tokens > 1);
    Run requests(allocator, run);
    CapacityUse use;
    const auto counted = static_cast<double>(run.steps);
    const auto capacity = static_cast<double>(allocator.capacity_bytes());
    std::int64_t ended_before = 0;
    std::int64_t sent_back_before = 0;
    for (std::int64_t step = -run.steps; step < run.steps; ++step) {
        if (!requests.step()) {
            return bad_input(
                where, fmt::format("a request does not fit {} alone", format_bytes(capacity)));
        }
        if (step < 0) {
            ended_before = requests.ended();
            sent_back_before = requests.sent_back();
            continue;
        }
        use.live_share += static_cast<double>(allocator.live_bytes()) / capacity / counted;
        use.reserved_share += static_cast<double>(allocator.reserved_bytes()) / capacity / counted;
        use.requests += static_cast<double>(requests.running()) / counted;
    }
    const std::int64_t ended = requests.ended() - ended_before;
    if (ended > 0) {
        use.preemptions = static_cast<double>(requests.sent_back() - sent_back_before) /
                          static_cast<double>(ended);
    }
    return use;
}

}  // namespace memside::kv
