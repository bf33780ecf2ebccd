#include "engine/stop_text.h"

namespace memside::engine {

std::string StopText::push(std::string_view piece) {
    if (stopped_) return "";
    held_ += piece;
    // The string that is complete first, of several the longest: so it does not matter how the text
    // was cut into pieces.
    std::size_t begin = std::string::npos;
    std::size_t end = std::string::npos;
    for (const std::string& stop : stops_) {
        const std::size_t at = held_.find(stop);
        if (at == std::string::npos) continue;
        if (at + stop.size() < end || (at + stop.size() == end && at < begin)) {
            begin = at;
            end = at + stop.size();
        }
    }
    if (begin != std::string::npos) {
        stopped_ = true;
        return std::exchange(held_, "").substr(0, begin);
    }
    // The longest end of the text that is the beginning of a stop string stays.
    std::size_t kept = 0;
    for (const std::string& stop : stops_) {
        for (std::size_t length = std::min(stop.size() - 1, held_.size()); length > kept;
             --length) {
            if (held_.ends_with(std::string_view(stop).substr(0, length))) kept = length;
        }
    }
    std::string shown = held_.substr(0, held_.size() - kept);
    held_.erase(0, held_.size() - kept);
    return shown;
}

std::string StopText::finish() {
    return std::exchange(held_, "");
}

}  // namespace memside::engine
