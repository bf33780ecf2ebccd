#include "tune/task.h"

#include <sched.h>

#include <fstream>

#include "base/number.h"
#include "base/text.h"

namespace memside::tune {
namespace {

constexpr std::int64_t largest = 65536;
constexpr std::size_t fewest_numbers = 9;  // the dilation may be left out

struct Part {
    const char* name;
    std::int64_t ConvolutionShape::* field;
    std::int64_t least;
};
constexpr Part parts[] = {
    {"N", &ConvolutionShape::n, 1},     {"C", &ConvolutionShape::c, 1},
    {"H", &ConvolutionShape::h, 1},     {"W", &ConvolutionShape::w, 1},
    {"K", &ConvolutionShape::k, 1},     {"R", &ConvolutionShape::r, 1},
    {"S", &ConvolutionShape::s, 1},     {"STRIDE", &ConvolutionShape::stride, 1},
    {"PAD", &ConvolutionShape::pad, 0}, {"DILATION", &ConvolutionShape::dilation, 1},
};

}  // namespace

double ConvolutionShape::operations() const {
    double product = 2;
    for (const std::int64_t size : {n, out_h(), out_w(), k, c, r, s}) {
        product *= static_cast<double>(size);
    }
    return product;
}

Result<ConvolutionShape> parse_convolution(const std::string& text, const std::string& where) {
    ConvolutionShape shape;
    std::string_view left = text;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
        if (count == std::size(parts)) {
            return bad_input(where,
                             "has more than 10 numbers; allowed: "
                             "N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]");
        }
        const std::size_t comma = left.find(',');
        more = comma != std::string_view::npos;
        MEMSIDE_TRY(shape.*parts[count].field,
                    parse_integer(left.substr(0, comma), parts[count].least, largest,
                                  fmt::format("{}: {}", where, parts[count].name)));
        if (more) left.remove_prefix(comma + 1);
    }
    if (count < fewest_numbers) {
        return bad_input(where, fmt::format("has {} numbers; allowed: "
                                            "N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]",
                                            count));
    }
    if (shape.h + 2 * shape.pad < shape.dilation * (shape.r - 1) + 1 ||
        shape.w + 2 * shape.pad < shape.dilation * (shape.s - 1) + 1) {
        return bad_input(where, fmt::format("a kernel of {}x{} does not fit into {}x{} with "
                                            "padding {}",
                                            shape.r, shape.s, shape.h, shape.w, shape.pad));
    }
    return shape;
}

std::string convolution_text(const ConvolutionShape& shape) {
    std::string text;
    for (const Part& part : parts) {
        text += fmt::format("{}{}", text.empty() ? "" : ",", shape.*part.field);
    }
    return text;
}

std::string this_machine() {
    std::string name = "unknown processor";
    std::ifstream stream("/proc/cpuinfo");
    for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with("model name") || colon == std::string::npos) continue;
        name = std::string(trim(std::string_view(line).substr(colon + 1)));
        break;
    }
    cpu_set_t set;
    const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
    return known ? fmt::format("{}, {} threads", name, CPU_COUNT(&set)) : name;
}

}  // namespace memside::tune
