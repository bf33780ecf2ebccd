// Writes JSON byte for byte the same on every machine: keys in the order of the calls, doubles in
// their shortest form that reads back to the same value, strings as valid UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memside {

class JsonWriter {
  public:
    // How a container is laid out: its members each on a line of their own, or all on one line.
    // What is inside a one-line container is on that line too.
    enum class Layout { lines, one_line };

    void begin_object(Layout layout = Layout::lines) { begin('{', layout); }
    void end_object() { end('}'); }
    void begin_array(Layout layout = Layout::lines) { begin('[', layout); }
    void end_array() { end(']'); }

    // Between begin_object() and end_object(), every value needs its key first.
    void key(std::string_view name);

    void value(std::string_view text);  // invalid UTF-8 becomes U+FFFD
    void value(const std::string& text) { value(std::string_view(text)); }
    void value(const char* text) { value(std::string_view(text)); }
    void value(double number);  // must be finite
    void value(std::int64_t number);
    void value(std::uint64_t number);
    void value(bool flag);
    void null();

    template <typename T>
    void value(const std::optional<T>& maybe) {
        if (maybe) {
            value(*maybe);
        } else {
            null();
        }
    }

    template <typename T>
    void member(std::string_view name, const T& content) {
        key(name);
        value(content);
    }

    // A number written by the caller, such as "1.500" where the digits after the point matter.
    void number_text(std::string_view text) { item(text); }

    // The document, with a newline at the end. Every container must be closed.
    std::string finish() &&;

  private:
    struct Level {
        Layout layout;
        bool empty;
    };

    void begin(char bracket, Layout layout);
    void end(char bracket);
    void item(std::string_view text);
    void separate();
    void new_line();

    std::string out_;
    std::vector<Level> levels_;
    bool after_key_ = false;
};

// A double in its shortest form that reads back to the same value: "0.1", "3", "1e+22".
std::string shortest(double number);

}  // namespace memside
