#include "conv/conv_shape.h"

#include <array>

#include "base/number.h"
#include "base/text.h"

namespace memside::conv {
namespace {

constexpr std::int64_t max_size = 65536;
constexpr std::int64_t max_values = (std::int64_t{1} << 31) - 1;
// So many products of at most 255 x 128 stay within 2^31 - 1.
constexpr std::int64_t max_reduction = max_values / (255 * 128);

struct Field {
    const char* name;
    std::int64_t ConvShape::* value;
    std::int64_t low;
};
constexpr std::array fields{
    Field{"N", &ConvShape::n, 1},     Field{"C", &ConvShape::c, 1},
    Field{"H", &ConvShape::h, 1},     Field{"W", &ConvShape::w, 1},
    Field{"K", &ConvShape::k, 1},     Field{"R", &ConvShape::r, 1},
    Field{"S", &ConvShape::s, 1},     Field{"STRIDE", &ConvShape::stride, 1},
    Field{"PAD", &ConvShape::pad, 0}, Field{"DILATION", &ConvShape::dilation, 1},
};
constexpr const char* form = "N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]";

// a x b x c x d for factors up to max_size, capped just above max_values.
std::int64_t product(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
    std::int64_t result = a;
    for (const std::int64_t factor : {b, c, d}) {
        result = std::min(result * factor, max_values + 1);
    }
    return result;
}

std::string sides(std::int64_t height, std::int64_t width) {
    return fmt::format("{} x {}", height, width);
}

}  // namespace

Status check(const ConvShape& shape, const std::string& where) {
    for (const Field& field : fields) {
        const std::int64_t value = shape.*field.value;
        if (value < field.low || value > max_size) {
            return bad_input(where, fmt::format("{} is {}; allowed: {} to {}", field.name, value,
                                                field.low, max_size));
        }
    }
    const std::int64_t reach_h = shape.dilation * (shape.r - 1) + 1;
    const std::int64_t reach_w = shape.dilation * (shape.s - 1) + 1;
    if (reach_h > shape.h + 2 * shape.pad || reach_w > shape.w + 2 * shape.pad) {
        return bad_input(where,
                         fmt::format("a kernel that spans {} pixels does not fit into the "
                                     "padded image of {}",
                                     sides(reach_h, reach_w),
                                     sides(shape.h + 2 * shape.pad, shape.w + 2 * shape.pad)));
    }
    if (product(shape.c, shape.r, shape.s, 1) > max_reduction) {
        return bad_input(where, fmt::format("one output sums {} products; at most {} stay within "
                                            "32 bits",
                                            shape.reduction(), max_reduction));
    }
    const struct {
        const char* name;
        std::int64_t values;
    } tensors[] = {
        {"input", product(shape.n, shape.c, shape.h + 2 * shape.pad, shape.w + 2 * shape.pad)},
        {"weights", product(shape.k, shape.c, shape.r, shape.s)},
        {"output", product(shape.n, shape.k, shape.out_h(), shape.out_w())},
    };
    for (const auto& tensor : tensors) {
        if (tensor.values > max_values) {
            return bad_input(
                where, fmt::format("the {} would have more than 2^31 - 1 values", tensor.name));
        }
    }
    return {};
}

Result<ConvShape> parse_shape(std::string_view text, const std::string& where) {
    std::vector<std::string_view> parts;
    for (std::string_view rest = text;;) {
        const std::size_t comma = rest.find(',');
        parts.push_back(trim(rest.substr(0, comma)));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    if (parts.size() != fields.size() && parts.size() != fields.size() - 1) {
        return bad_input(where, fmt::format("{} has {} numbers; expected {}", in_quotes(text),
                                            parts.size(), form));
    }
    ConvShape shape;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Field& field = fields[i];
        MEMSIDE_TRY(shape.*field.value,
                    parse_integer(parts[i], field.low, max_size,
                                  fmt::format("{}, {} of {}", where, field.name, form)));
    }
    MEMSIDE_CHECK(check(shape, where));
    return shape;
}

std::string format_shape(const ConvShape& shape) {
    std::string text;
    for (const Field& field : fields) {
        if (field.value == &ConvShape::dilation && shape.dilation == 1) break;
        if (!text.empty()) text += ',';
        text += std::to_string(shape.*field.value);
    }
    return text;
}

}  // namespace memside::conv
