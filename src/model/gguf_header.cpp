#include "model/gguf_header.h"

#include <bit>
#include <unordered_set>

#include "base/text.h"
#include "model/gguf_cursor.h"
#include "model/gguf_parse.h"
#include "model/gguf_types.h"

namespace memside {
namespace {

constexpr std::size_t max_key_bytes = 65535;       // of the specification
constexpr std::size_t max_tensor_name_bytes = 64;  // of the specification
constexpr std::uint32_t max_dims = 4;
constexpr std::uint64_t max_alignment = std::uint64_t{1} << 30;
// 16 TiB. Keeps sums over the tensors of a thousand parts far inside 64 bits.
constexpr std::uint64_t max_file_bytes = std::uint64_t{1} << 44;

// Metadata value types, by their number in the file.
enum class ValueType : std::uint32_t {
    u8 = 0,
    i8 = 1,
    u16 = 2,
    i16 = 3,
    u32 = 4,
    i32 = 5,
    f32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    u64 = 10,
    i64 = 11,
    f64 = 12,
};

// The fewest bytes that a value of the type takes; 0 for an unknown type.
std::uint64_t smallest_size(ValueType type) {
    switch (type) {
        case ValueType::u8:
        case ValueType::i8:
        case ValueType::boolean:
            return 1;
        case ValueType::u16:
        case ValueType::i16:
            return 2;
        case ValueType::u32:
        case ValueType::i32:
        case ValueType::f32:
            return 4;
        case ValueType::string:
        case ValueType::u64:
        case ValueType::i64:
        case ValueType::f64:
            return 8;
        case ValueType::array:
            return 12;
    }
    return 0;
}

class HeaderParser {
  public:
    HeaderParser(std::string_view bytes, std::uint64_t file_bytes, const std::string& file)
        : cursor_(bytes, file_bytes), file_bytes_(file_bytes), file_(file) {}

    Result<GgufHeader> parse() {
        if (file_bytes_ > max_file_bytes) return error("is larger than 16 TiB");
        std::uint64_t tensor_count = 0;
        std::uint64_t key_count = 0;
        MEMSIDE_CHECK(read_preamble());
        if (!cursor_.read(tensor_count)) return ends_inside("the tensor count");
        if (!cursor_.read(key_count)) return ends_inside("the metadata count");
        constexpr std::uint64_t smallest_pair = 8 + 1 + 4 + 1;  // key of one byte, type, value
        if (!cursor_.has(key_count, smallest_pair)) {
            return too_many(key_count, "metadata keys");
        }
        for (std::uint64_t i = 0; i < key_count; ++i) MEMSIDE_CHECK(read_pair());
        constexpr std::uint64_t smallest_info = 8 + 1 + 4 + 8 + 4 + 8;  // one dimension
        if (!cursor_.has(tensor_count, smallest_info)) return too_many(tensor_count, "tensors");
        header_.tensors.reserve(tensor_count);
        for (std::uint64_t i = 0; i < tensor_count; ++i) MEMSIDE_CHECK(read_tensor_info());
        MEMSIDE_CHECK(place_tensors());
        header_.file_bytes = file_bytes_;
        return std::move(header_);
    }

    bool wants_more() const { return cursor_.wants_more(); }

  private:
    Error error(std::string what) const { return bad_input(file_, std::move(what)); }

    Error ends_inside(std::string_view what) const {
        return error(fmt::format("the header is cut off inside {}, at byte {} of {}", what,
                                 cursor_.position(), file_bytes_));
    }

    Error too_many(std::uint64_t count, std::string_view what) const {
        return error(
            fmt::format("claims {} {}, more than its {} bytes can hold", count, what, file_bytes_));
    }

    Status read_preamble() {
        std::uint32_t magic = 0;
        constexpr std::uint32_t gguf = 0x46554747;  // "GGUF"
        if (!cursor_.read(magic) || magic != gguf) {
            return error("not a GGUF file: it does not begin with the letters GGUF");
        }
        if (!cursor_.read(header_.version)) return ends_inside("the version");
        if (header_.version != 0 && (header_.version & 0xffff) == 0) {
            return error(
                "a big-endian GGUF file, which is not supported; convert it again as "
                "little-endian");
        }
        if (header_.version != 2 && header_.version != 3) {
            return error(
                fmt::format("GGUF version {} is not supported; supported: 2, 3", header_.version));
        }
        return {};
    }

    Status read_pair() {
        std::string key;
        if (!cursor_.read(key)) {
            return ends_inside(fmt::format("metadata key {}", header_.metadata.size() + 1));
        }
        if (key.empty() || key.size() > max_key_bytes) {
            return error(fmt::format("metadata key {} has {} bytes; allowed: 1 to {}",
                                     header_.metadata.size() + 1, key.size(), max_key_bytes));
        }
        std::uint32_t type = 0;
        if (!cursor_.read(type)) return ends_inside(fmt::format("the type of {}", in_quotes(key)));
        MEMSIDE_TRY(GgufValue value, read_value(static_cast<ValueType>(type), key));
        if (header_.metadata.contains(key)) {
            return error(fmt::format("metadata key {} is given twice", in_quotes(key)));
        }
        header_.metadata.emplace(std::move(key), std::move(value));
        return {};
    }

    // Reads a T and widens it to Wide.
    template <typename T, typename Wide>
    Result<GgufValue> read_number(const std::string& key) {
        T value{};
        if (!cursor_.read(value)) return cut_off_value(key);
        return GgufValue{static_cast<Wide>(value)};
    }

    template <typename T, typename Wide>
    Result<GgufValue> read_numbers(const std::string& key, std::uint64_t count) {
        std::vector<Wide> values(count);
        for (Wide& wide : values) {
            T value{};
            if (!cursor_.read(value)) return cut_off_value(key);
            wide = static_cast<Wide>(value);
        }
        return GgufValue{GgufArray(std::move(values))};
    }

    Error cut_off_value(const std::string& key) const {
        return ends_inside(fmt::format("the value of {}", in_quotes(key)));
    }

    Result<bool> read_boolean(const std::string& key) {
        std::uint8_t value = 0;
        if (!cursor_.read(value)) return cut_off_value(key);
        if (value > 1) {
            return error(fmt::format("{} is a boolean with the value {}; allowed: 0, 1",
                                     in_quotes(key), value));
        }
        return value == 1;
    }

    Result<GgufValue> read_value(ValueType type, const std::string& key) {
        switch (type) {
            case ValueType::u8:
                return read_number<std::uint8_t, std::uint64_t>(key);
            case ValueType::i8:
                return read_number<std::int8_t, std::int64_t>(key);
            case ValueType::u16:
                return read_number<std::uint16_t, std::uint64_t>(key);
            case ValueType::i16:
                return read_number<std::int16_t, std::int64_t>(key);
            case ValueType::u32:
                return read_number<std::uint32_t, std::uint64_t>(key);
            case ValueType::i32:
                return read_number<std::int32_t, std::int64_t>(key);
            case ValueType::u64:
                return read_number<std::uint64_t, std::uint64_t>(key);
            case ValueType::i64:
                return read_number<std::int64_t, std::int64_t>(key);
            case ValueType::f32:
                return read_number<float, double>(key);
            case ValueType::f64:
                return read_number<double, double>(key);
            case ValueType::boolean: {
                MEMSIDE_TRY(const bool value, read_boolean(key));
                return GgufValue{value};
            }
            case ValueType::string: {
                std::string value;
                if (!cursor_.read(value)) return cut_off_value(key);
                return GgufValue{std::move(value)};
            }
            case ValueType::array:
                return read_array(key);
        }
        return error(fmt::format("the value of {} has type {}; allowed: 0 to 12", in_quotes(key),
                                 static_cast<std::uint32_t>(type)));
    }

    Result<GgufValue> read_array(const std::string& key) {
        std::uint32_t number = 0;
        std::uint64_t count = 0;
        if (!cursor_.read(number) || !cursor_.read(count)) return cut_off_value(key);
        const auto type = static_cast<ValueType>(number);
        const std::uint64_t size = smallest_size(type);
        if (size == 0 || type == ValueType::array) {
            return error(fmt::format("{} is an array of type {}; allowed: 0 to 8, 10 to 12",
                                     in_quotes(key), number));
        }
        if (!cursor_.has(count, size)) {
            return too_many(count, fmt::format("elements of {}", in_quotes(key)));
        }
        switch (type) {
            case ValueType::u8:
                return read_numbers<std::uint8_t, std::uint64_t>(key, count);
            case ValueType::i8:
                return read_numbers<std::int8_t, std::int64_t>(key, count);
            case ValueType::u16:
                return read_numbers<std::uint16_t, std::uint64_t>(key, count);
            case ValueType::i16:
                return read_numbers<std::int16_t, std::int64_t>(key, count);
            case ValueType::u32:
                return read_numbers<std::uint32_t, std::uint64_t>(key, count);
            case ValueType::i32:
                return read_numbers<std::int32_t, std::int64_t>(key, count);
            case ValueType::u64:
                return read_numbers<std::uint64_t, std::uint64_t>(key, count);
            case ValueType::i64:
                return read_numbers<std::int64_t, std::int64_t>(key, count);
            case ValueType::f32:
                return read_numbers<float, double>(key, count);
            case ValueType::f64:
                return read_numbers<double, double>(key, count);
            case ValueType::boolean: {
                std::vector<bool> values;
                values.reserve(count);
                for (std::uint64_t i = 0; i < count; ++i) {
                    MEMSIDE_TRY(const bool value, read_boolean(key));
                    values.push_back(value);
                }
                return GgufValue{GgufArray(std::move(values))};
            }
            case ValueType::string: {
                std::vector<std::string> values(count);
                for (std::string& value : values) {
                    if (!cursor_.read(value)) return cut_off_value(key);
                }
                return GgufValue{GgufArray(std::move(values))};
            }
            case ValueType::array:
                break;
        }
        assert(false);
        return cut_off_value(key);
    }

    Status read_tensor_info() {
        GgufTensor tensor;
        const std::size_t number = header_.tensors.size() + 1;
        const auto cut_off = [&] { return ends_inside(fmt::format("tensor info {}", number)); };
        if (!cursor_.read(tensor.name)) return cut_off();
        if (tensor.name.empty() || tensor.name.size() > max_tensor_name_bytes) {
            return error(fmt::format("the name of tensor {} has {} bytes; allowed: 1 to {}", number,
                                     tensor.name.size(), max_tensor_name_bytes));
        }
        const std::string shown = in_quotes(tensor.name);
        if (!names_.insert(tensor.name).second) {
            return error(fmt::format("tensor {} is given twice", shown));
        }
        std::uint32_t dims = 0;
        if (!cursor_.read(dims)) return cut_off();
        if (dims < 1 || dims > max_dims) {
            return error(fmt::format("tensor {} has {} dimensions; allowed: 1 to {}", shown, dims,
                                     max_dims));
        }
        tensor.elements = 1;
        for (std::uint32_t i = 0; i < dims; ++i) {
            std::int64_t size = 0;
            if (!cursor_.read(size)) return cut_off();
            // 2^50 elements are beyond any file within the limit, and leave room to multiply.
            constexpr std::int64_t max_elements = std::int64_t{1} << 50;
            if (size < 1 || size > max_elements / tensor.elements) {
                return error(fmt::format("dimension {} of tensor {} is {}, out of range", i, shown,
                                         static_cast<std::uint64_t>(size)));
            }
            tensor.dims.push_back(size);
            tensor.elements *= size;
        }
        if (!cursor_.read(tensor.type)) return cut_off();
        const GgmlType* type = find_ggml_type(tensor.type);
        if (type == nullptr) {
            return error(fmt::format("tensor {} has the unknown type {}", shown, tensor.type));
        }
        if (tensor.dims[0] % type->block_elements != 0) {
            return error(
                fmt::format("rows of tensor {} have {} elements, not a multiple of the "
                            "{} in a block of {}",
                            shown, tensor.dims[0], type->block_elements, type->name));
        }
        tensor.bytes = tensor.elements / type->block_elements * type->block_bytes;
        if (!cursor_.read(tensor.offset)) return cut_off();
        header_.tensors.push_back(std::move(tensor));
        return {};
    }

    Result<std::uint64_t> alignment() const {
        const auto found = header_.metadata.find("general.alignment");
        if (found == header_.metadata.end()) return std::uint64_t{32};
        std::uint64_t value = 0;
        if (const auto* u = std::get_if<std::uint64_t>(&found->second.data)) value = *u;
        if (const auto* i = std::get_if<std::int64_t>(&found->second.data)) {
            value = static_cast<std::uint64_t>(*i);
        }
        if (!std::has_single_bit(value) || value > max_alignment) {
            return error(
                fmt::format("general.alignment is not a power of two from 1 to {}", max_alignment));
        }
        return value;
    }

    // Tensors follow each other in the order of the table, each padded to the alignment.
    Status place_tensors() {
        MEMSIDE_TRY(const std::uint64_t align, alignment());
        const auto align_up = [align](std::uint64_t n) { return (n + align - 1) / align * align; };
        header_.data_start = align_up(cursor_.position());
        std::uint64_t next = 0;
        for (const GgufTensor& tensor : header_.tensors) {
            if (tensor.offset != next) {
                return error(fmt::format("tensor {} is at offset {} where {} is expected",
                                         in_quotes(tensor.name), tensor.offset, next));
            }
            const std::uint64_t end =
                header_.data_start + next + static_cast<std::uint64_t>(tensor.bytes);
            if (end > file_bytes_) {
                return error(
                    fmt::format("tensor {} ends at byte {}, but the file has {}; is it "
                                "truncated?",
                                in_quotes(tensor.name), end, file_bytes_));
            }
            next = align_up(next + static_cast<std::uint64_t>(tensor.bytes));
        }
        return {};
    }

    GgufCursor cursor_;
    std::uint64_t file_bytes_;
    const std::string& file_;
    GgufHeader header_;
    std::unordered_set<std::string> names_;
};

}  // namespace

Result<GgufHeader> parse_gguf_prefix(std::string_view bytes, std::uint64_t file_bytes,
                                     const std::string& file, bool& wants_more) {
    // What lies beyond the end of the file is none of it.
    HeaderParser parser(bytes.substr(0, file_bytes), file_bytes, file);
    Result<GgufHeader> header = parser.parse();
    wants_more = !header.ok() && parser.wants_more();
    return header;
}

Result<GgufHeader> parse_gguf_header(std::string_view bytes, std::uint64_t file_bytes,
                                     const std::string& file) {
    bool wants_more = false;
    Result<GgufHeader> header = parse_gguf_prefix(bytes, file_bytes, file, wants_more);
    if (!wants_more) return header;
    return bad_input(file, fmt::format("the header is longer than {} bytes", bytes.size()));
}

}  // namespace memside
