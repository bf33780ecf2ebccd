#include "engine/gguf_writer.h"

#include <bit>

namespace memside::engine {
namespace {

// Numbers of metadata value types.
enum : std::uint32_t {
    type_u32 = 4,
    type_i32 = 5,
    type_f32 = 6,
    type_bool = 7,
    type_text = 8,
    type_array = 9
};

}  // namespace

template <typename T>
void GgufWriter::put(std::string& out, T value) {
    static_assert(std::endian::native == std::endian::little);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void GgufWriter::put_text(std::string& out, std::string_view text) {
    put(out, std::uint64_t{text.size()});
    out += text;
}

void GgufWriter::begin_pair(std::string_view key, std::uint32_t type) {
    put_text(pairs_, key);
    put(pairs_, type);
    ++pair_count_;
}

void GgufWriter::add_u32(std::string_view key, std::uint32_t value) {
    begin_pair(key, type_u32);
    put(pairs_, value);
}

void GgufWriter::add_f32(std::string_view key, float value) {
    begin_pair(key, type_f32);
    put(pairs_, value);
}

void GgufWriter::add_flag(std::string_view key, bool value) {
    begin_pair(key, type_bool);
    put(pairs_, static_cast<std::uint8_t>(value));
}

void GgufWriter::add_text(std::string_view key, std::string_view value) {
    begin_pair(key, type_text);
    put_text(pairs_, value);
}

void GgufWriter::add_texts(std::string_view key, const std::vector<std::string>& values) {
    begin_pair(key, type_array);
    put(pairs_, std::uint32_t{type_text});
    put(pairs_, std::uint64_t{values.size()});
    for (const std::string& value : values) put_text(pairs_, value);
}

void GgufWriter::add_i32s(std::string_view key, const std::vector<std::int32_t>& values) {
    begin_pair(key, type_array);
    put(pairs_, std::uint32_t{type_i32});
    put(pairs_, std::uint64_t{values.size()});
    for (const std::int32_t value : values) put(pairs_, value);
}

void GgufWriter::add_tensor(std::string_view name, const std::vector<std::int64_t>& dims,
                            std::uint32_t type, std::uint64_t bytes) {
    put_text(tensors_, name);
    put(tensors_, static_cast<std::uint32_t>(dims.size()));
    for (const std::int64_t dim : dims) put(tensors_, dim);
    put(tensors_, type);
    put(tensors_, data_bytes_);
    ++tensor_count_;
    data_bytes_ += padded(bytes);
}

std::string GgufWriter::header() const {
    std::string out = "GGUF";
    put(out, std::uint32_t{3});
    put(out, tensor_count_);
    put(out, pair_count_);
    out += pairs_;
    out += tensors_;
    out.resize(padded(out.size()), '\0');
    return out;
}

}  // namespace memside::engine
