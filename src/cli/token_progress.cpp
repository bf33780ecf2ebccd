#include "cli/token_progress.h"

namespace memside::cli {

TokenProgress::TokenProgress(std::string what, std::int64_t total, std::string unit)
    : total_(total), unit_(std::move(unit)), line_(std::move(what)) {}

void TokenProgress::show(std::int64_t tokens) {
    if (tokens == total_) return line_.clear();
    // No time that is left: a token costs more the more tokens are before it.
    line_.show([&] { return fmt::format("{} of {} {}", tokens, total_, unit_); });
}

}  // namespace memside::cli
