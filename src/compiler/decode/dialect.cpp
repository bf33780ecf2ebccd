#include <llvm/ADT/TypeSwitch.h>
#include <mlir/IR/DialectImplementation.h>

#include "compiler/decode/decode.h"

namespace memside::decode {

// custom<Size> of the tables: a number, or `?`.
static mlir::ParseResult parseSize(mlir::AsmParser& parser, std::int64_t& size) {
    size = mlir::ShapedType::kDynamic;
    if (mlir::succeeded(parser.parseOptionalQuestion())) return mlir::success();
    return parser.parseInteger(size);
}

static void printSize(mlir::AsmPrinter& printer, std::int64_t size) {
    if (mlir::ShapedType::isDynamic(size)) {
        printer << '?';
    } else {
        printer << size;
    }
}

}  // namespace memside::decode

// Each needs those before it.
// clang-format off
#include <compiler/decode/Dialect.cpp.inc>
#include <compiler/decode/Enums.cpp.inc>
#define GET_ATTRDEF_CLASSES
#include <compiler/decode/Attributes.cpp.inc>
#define GET_TYPEDEF_CLASSES
#include <compiler/decode/Types.cpp.inc>
#include <compiler/decode/Interfaces.cpp.inc>
// clang-format on

namespace memside::decode {

void DecodeDialect::initialize() {
    addOperations<
#define GET_OP_LIST
#include <compiler/decode/Ops.cpp.inc>
        >();
    addAttributes<
#define GET_ATTRDEF_LIST
#include <compiler/decode/Attributes.cpp.inc>
        >();
    addTypes<
#define GET_TYPEDEF_LIST
#include <compiler/decode/Types.cpp.inc>
        >();
}

mlir::Attribute AxesAttr::parse(mlir::AsmParser& parser, mlir::Type) {
    llvm::SmallVector<Axis> names;
    const auto one = [&]() -> mlir::ParseResult {
        llvm::StringRef word;
        const llvm::SMLoc place = parser.getCurrentLocation();
        if (parser.parseKeyword(&word)) return mlir::failure();
        const std::optional<Axis> name = symbolizeAxis(word);
        if (!name) {
            return parser.emitError(place) << "unknown axis '" << word
                                           << "'; batch, head, token, page, channel, row or column";
        }
        names.push_back(*name);
        return mlir::success();
    };
    if (parser.parseLess() ||
        parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Square, one) ||
        parser.parseGreater()) {
        return {};
    }
    return AxesAttr::get(parser.getContext(), names);
}

void AxesAttr::print(mlir::AsmPrinter& printer) const {
    printer << "<[";
    llvm::interleaveComma(getNames(), printer, [&](Axis axis) { printer << stringifyAxis(axis); });
    printer << "]>";
}

mlir::LogicalResult AxesAttr::verifyEncoding(
    mlir::ArrayRef<std::int64_t> shape, mlir::Type,
    llvm::function_ref<mlir::InFlightDiagnostic()> error) const {
    if (shape.size() != getNames().size()) {
        return error() << "a tensor of " << shape.size() << " dimensions has " << getNames().size()
                       << " named axes; name each dimension once";
    }
    for (std::size_t i = 0; i < getNames().size(); ++i) {
        if (llvm::is_contained(getNames().take_front(i), getNames()[i])) {
            return error() << "two axes are named '" << stringifyAxis(getNames()[i]) << "'";
        }
    }
    return mlir::success();
}

mlir::LogicalResult CacheType::verify(llvm::function_ref<mlir::InFlightDiagnostic()> error,
                                      std::int64_t kv_heads, std::int64_t head_dim, CacheKind) {
    const auto fine = [](std::int64_t size) {
        return size >= 1 || mlir::ShapedType::isDynamic(size);
    };
    if (fine(kv_heads) && fine(head_dim)) return mlir::success();
    return error() << "a cache of " << kv_heads << " KV heads x " << head_dim
                   << " values; both must be 1 or more";
}

bool has_axes(mlir::Type type) {
    const auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
    if (!tensor || !mlir::isa_and_nonnull<AxesAttr>(tensor.getEncoding())) return false;
    return mlir::isa<mlir::FloatType>(tensor.getElementType()) ||
           tensor.getElementType().isInteger(32);
}

llvm::ArrayRef<Axis> axes(mlir::Type type) {
    const auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    return mlir::cast<AxesAttr>(tensor.getEncoding()).getNames();
}

std::optional<std::int64_t> extent(mlir::Type type, Axis axis) {
    const auto names = axes(type);
    const auto* const place = llvm::find(names, axis);
    if (place == names.end()) return std::nullopt;
    return mlir::cast<mlir::RankedTensorType>(type).getDimSize(
        static_cast<unsigned>(place - names.begin()));
}

std::int64_t values_per_request(mlir::Type type) {
    std::int64_t result = 1;
    for (const auto [name, size] :
         llvm::zip_equal(axes(type), mlir::cast<mlir::RankedTensorType>(type).getShape())) {
        if (name == Axis::batch) continue;
        if (mlir::ShapedType::isDynamic(size)) return mlir::ShapedType::kDynamic;
        result *= size;
    }
    return result;
}

mlir::RankedTensorType named_tensor(llvm::ArrayRef<std::int64_t> shape, llvm::ArrayRef<Axis> names,
                                    mlir::Type element) {
    return mlir::RankedTensorType::get(shape, element, AxesAttr::get(element.getContext(), names));
}

}  // namespace memside::decode
