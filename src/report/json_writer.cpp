#include "report/json_writer.h"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace memside {

std::string shortest(double number) {
    std::array<char, 32> buffer;  // the longest shortest double has 24 characters
    const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    assert(code == std::errc{});
    return {buffer.data(), end};
}

void JsonWriter::new_line() {
    out_ += '\n';
    out_.append(2 * levels_.size(), ' ');
}

void JsonWriter::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (levels_.empty()) return;
    Level& level = levels_.back();
    if (!level.empty) out_ += ',';
    if (level.layout == Layout::lines) {
        new_line();
    } else if (!level.empty) {
        out_ += ' ';
    }
    level.empty = false;
}

void JsonWriter::begin(char bracket, Layout layout) {
    separate();
    if (!levels_.empty() && levels_.back().layout == Layout::one_line) layout = Layout::one_line;
    out_ += bracket;
    levels_.push_back({layout, true});
}

void JsonWriter::end(char bracket) {
    assert(!levels_.empty() && !after_key_);
    const Level level = levels_.back();
    levels_.pop_back();
    if (level.layout == Layout::lines && !level.empty) new_line();
    out_ += bracket;
}

void JsonWriter::item(std::string_view text) {
    separate();
    out_ += text;
}

void JsonWriter::key(std::string_view name) {
    assert(!levels_.empty() && !after_key_);
    value(name);
    out_ += ": ";
    after_key_ = true;
}

void JsonWriter::value(std::string_view text) {
    using nlohmann::json;
    item(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
}

void JsonWriter::value(double number) {
    assert(std::isfinite(number));
    // JSON has no infinity: without asserts, a broken model still writes a readable file.
    if (!std::isfinite(number)) return null();
    item(shortest(number));
}

void JsonWriter::value(std::int64_t number) {
    item(fmt::format("{}", number));
}
void JsonWriter::value(std::uint64_t number) {
    item(fmt::format("{}", number));
}
void JsonWriter::value(bool flag) {
    item(flag ? "true" : "false");
}
void JsonWriter::null() {
    item("null");
}

std::string JsonWriter::finish() && {
    assert(levels_.empty() && !after_key_);
    out_ += '\n';
    return std::move(out_);
}

}  // namespace memside
