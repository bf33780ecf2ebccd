// The header of a GGUF file (version 3, little-endian) as bytes. The data is the caller's to write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memside::engine {

class GgufWriter {
  public:
    static constexpr std::uint64_t alignment = 32;  // of every tensor; the format's default

    // Metadata, in the order of the calls; a key once.
    void add_u32(std::string_view key, std::uint32_t value);
    void add_f32(std::string_view key, float value);
    void add_flag(std::string_view key, bool value);
    void add_text(std::string_view key, std::string_view value);
    void add_texts(std::string_view key, const std::vector<std::string>& values);
    void add_i32s(std::string_view key, const std::vector<std::int32_t>& values);

    // A tensor of a ggml type; dims[0] is the row length. Data follows the header in the order of
    // the calls, each tensor padded with zeros to the alignment.
    void add_tensor(std::string_view name, const std::vector<std::int64_t>& dims,
                    std::uint32_t type, std::uint64_t bytes);

    static std::uint64_t padded(std::uint64_t bytes) {
        return (bytes + alignment - 1) / alignment * alignment;
    }

    // Everything before the first tensor's data, its padding included.
    std::string header() const;
    std::uint64_t data_bytes() const { return data_bytes_; }  // of all tensors, padded

  private:
    template <typename T>
    static void put(std::string& out, T value);
    static void put_text(std::string& out, std::string_view text);
    void begin_pair(std::string_view key, std::uint32_t type);

    std::string pairs_;
    std::uint64_t pair_count_ = 0;
    std::string tensors_;
    std::uint64_t tensor_count_ = 0;
    std::uint64_t data_bytes_ = 0;
};

}  // namespace memside::engine
