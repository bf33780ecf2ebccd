// Stop strings in text that comes in pieces: what may be the beginning of one is held back until it
// is clear that it is not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memside::engine {

class StopText {
  public:
    // None of the stop strings may be empty.
    explicit StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    // Adds a piece and returns the text that can be shown. Once a stop string is complete, what
    // came before it is shown and nothing after.
    std::string push(std::string_view piece);

    // Whether a stop string has appeared.
    bool stopped() const { return stopped_; }

    // What was held back, when the text ends otherwise.
    std::string finish();

  private:
    std::vector<std::string> stops_;
    std::string held_;
    bool stopped_ = false;
};

}  // namespace memside::engine
