// What the controller is asked for, and where the requests come from.
#pragma once

#include <vector>

#include "dram/command.h"

namespace memside::dram {

// One burst.
struct Request {
    int bank = 0;  // flat index in the channel
    int row = 0;
    int column = 0;  // burst in the row
    bool write = false;
    Cycle arrival = 0;  // not offered before; never decreases from one request to the next
};

// A stream of requests in order. The controller takes the next one as soon as it has arrived and
// its queue has room; a request that waits for room holds up those behind it.
class RequestSource {
  public:
    virtual ~RequestSource() = default;
    // False when there are no more.
    virtual bool next(Request& request) = 0;
};

class RequestList final : public RequestSource {
  public:
    explicit RequestList(std::vector<Request> requests) : requests_(std::move(requests)) {}
    bool next(Request& request) override {
        if (position_ == requests_.size()) return false;
        request = requests_[position_++];
        return true;
    }

  private:
    std::vector<Request> requests_;
    std::size_t position_ = 0;
};

}  // namespace memside::dram
