// Reads little-endian values one after the other from the start of a GGUF file, of which only a
// prefix may be in memory. Every step is checked against both the prefix and the file.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace memside {

class GgufCursor {
  public:
    // `bytes` is the beginning of a file of `file_bytes` bytes.
    GgufCursor(std::string_view bytes, std::uint64_t file_bytes)
        : bytes_(bytes), file_bytes_(file_bytes) {}

    // Both return false, and leave the cursor where it is, when the value does not fit.
    template <typename T>
    [[nodiscard]] bool read(T& value) {
        static_assert(std::endian::native == std::endian::little);
        if (!has(1, sizeof(T))) return false;
        std::memcpy(&value, bytes_.data() + position_, sizeof(T));
        position_ += sizeof(T);
        return true;
    }
    [[nodiscard]] bool read(std::string& value) {
        const std::uint64_t start = position_;
        std::uint64_t length = 0;
        if (!read(length)) return false;
        if (!has(length, 1)) {
            position_ = start;
            return false;
        }
        value.assign(bytes_.substr(position_, length));
        position_ += length;
        return true;
    }

    // Whether `count` values of at least `size` bytes each can follow. Ask before allocating for
    // them: memory then stays within a small multiple of what the input really holds.
    [[nodiscard]] bool has(std::uint64_t count, std::uint64_t size) {
        if (count > (file_bytes_ - position_) / size) return false;
        if (count <= (bytes_.size() - position_) / size) return true;
        wants_more_ = true;
        return false;
    }

    // The last refusal was for want of a longer prefix; the file itself is long enough.
    bool wants_more() const { return wants_more_; }
    std::uint64_t position() const { return position_; }

  private:
    std::string_view bytes_;
    std::uint64_t file_bytes_;
    std::uint64_t position_ = 0;  // never beyond bytes_
    bool wants_more_ = false;
};

}  // namespace memside
