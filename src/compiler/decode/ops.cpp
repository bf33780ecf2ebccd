// Verifiers of `decode`: shapes that belong together, and what to write instead.
#include "compiler/decode/decode.h"

#define GET_OP_CLASSES
#include <compiler/decode/Ops.cpp.inc>

namespace memside::decode {
namespace {

using mlir::LogicalResult;
using mlir::Operation;
using mlir::Type;

std::string text(llvm::ArrayRef<Axis> names) {
    std::string result = "[";
    for (const Axis name : names) {
        if (result.size() > 1) result += ", ";
        result += stringifyAxis(name).str();
    }
    return result + "]";
}

// Axes apart from a leading batch.
llvm::ArrayRef<Axis> of_a_request(Type type) {
    const auto names = axes(type);
    return !names.empty() && names.front() == Axis::batch ? names.drop_front() : names;
}

LogicalResult check_axes(Operation* op, llvm::StringRef what, Type type,
                         llvm::ArrayRef<Axis> wanted) {
    if (of_a_request(type) == wanted) return mlir::success();
    return op->emitOpError() << what << " must have the axes " << text(wanted)
                             << ", with or without batch before them, and has " << text(axes(type));
}

// Sizes that must agree; an unknown one agrees with any.
LogicalResult check_equal(Operation* op, llvm::StringRef what, std::int64_t is, std::int64_t wanted,
                          llvm::StringRef of) {
    if (is == wanted || mlir::ShapedType::isDynamic(is) || mlir::ShapedType::isDynamic(wanted)) {
        return mlir::success();
    }
    return op->emitOpError() << what << " is " << is << ", but " << of << " is " << wanted;
}

LogicalResult check_same(Operation* op, llvm::StringRef first, Type a, llvm::StringRef second,
                         Type b) {
    if (a == b) return mlir::success();
    return op->emitOpError() << first << " and " << second << " must have one type: " << a
                             << " and " << b;
}

std::int64_t size(Type type, Axis axis) {
    return extent(type, axis).value_or(mlir::ShapedType::kDynamic);
}

// A batch is of both or of neither.
LogicalResult check_batch(Operation* op, Type a, Type b) {
    const auto first = extent(a, Axis::batch);
    const auto second = extent(b, Axis::batch);
    if (first.has_value() != second.has_value()) {
        return op->emitOpError() << "one of operand and result has the axis batch: " << a << " and "
                                 << b << "; give it to both or to neither";
    }
    return first ? check_equal(op, "the result's batch", *second, *first, "the operand's")
                 : mlir::success();
}

LogicalResult check_kind(Operation* op, CacheType cache, CacheKind wanted) {
    if (cache.getKind() == wanted) return mlir::success();
    return op->emitOpError() << "needs a cache of " << stringifyCacheKind(wanted) << "s, not "
                             << cache;
}

// Heads and channels of vectors against a cache.
LogicalResult check_heads(Operation* op, llvm::StringRef what, Type vectors, CacheType cache,
                          Axis last) {
    if (failed(check_axes(op, what, vectors, {Axis::head, last}))) return mlir::failure();
    const std::int64_t heads = size(vectors, Axis::head);
    if (!mlir::ShapedType::isDynamic(heads) && !mlir::ShapedType::isDynamic(cache.getKvHeads()) &&
        heads % cache.getKvHeads() != 0) {
        return op->emitOpError() << heads << " query heads are no multiple of the "
                                 << cache.getKvHeads() << " KV heads of " << cache;
    }
    if (last != Axis::channel) return mlir::success();
    return check_equal(op, (what + "'s vector").str(), size(vectors, Axis::channel),
                       cache.getHeadDim(), "the cache's head dimension");
}

LogicalResult check_window(Operation* op, std::int64_t window) {
    if (window >= 0) return mlir::success();
    return op->emitOpError() << "window " << window << " is negative; 0 sees all tokens";
}

// A size that is left out is known when the step runs.
LogicalResult check_positive(Operation* op, llvm::StringRef what,
                             std::optional<std::int64_t> value) {
    if (value.value_or(1) >= 1) return mlir::success();
    return op->emitOpError() << what << " " << *value << " is below 1";
}

// Of every KV head, or the same for all of them.
LogicalResult check_page_axes(Operation* op, llvm::StringRef what, Type type) {
    if (axes(type) == llvm::ArrayRef<Axis>{Axis::page}) return mlir::success();
    return check_axes(op, what, type, {Axis::head, Axis::page});
}

}  // namespace

LogicalResult WeightOp::verify() {
    const auto names = axes(getType());
    const bool matrix = names == llvm::ArrayRef<Axis>{Axis::row, Axis::column};
    const bool vector = names == llvm::ArrayRef<Axis>{Axis::channel};
    if (getName().empty()) return emitOpError("needs the name of a tensor");
    if (!matrix && !vector) {
        return emitOpError() << "has the axes " << text(names)
                             << "; a matrix has [row, column], a vector [channel]";
    }
    if (!getType().hasStaticShape()) {
        return emitOpError() << "has a size that is not known: " << getType();
    }
    if (!getValues()) return mlir::success();
    return check_equal(*this, "the number of values",
                       static_cast<std::int64_t>(getValues()->size()),
                       values_per_request(getType()), "the vector's size");
}

LogicalResult LinearOp::verify() {
    const Type weight = getWeight().getType();
    if (axes(weight) != llvm::ArrayRef<Axis>{Axis::row, Axis::column}) {
        return emitOpError() << "weight must have the axes [row, column], and has "
                             << text(axes(weight));
    }
    if (failed(check_equal(*this, "the number of values of x", values_per_request(getX().getType()),
                           size(weight, Axis::column), "the weight's number of columns")) ||
        failed(check_equal(*this, "the number of values of the result",
                           values_per_request(getType()), size(weight, Axis::row),
                           "the weight's number of rows")) ||
        failed(check_batch(*this, getX().getType(), getType()))) {
        return mlir::failure();
    }
    if (!getBias()) return mlir::success();
    return check_equal(*this, "the number of values of the bias",
                       values_per_request(getBias().getType()), size(weight, Axis::row),
                       "the weight's number of rows");
}

LogicalResult RmsNormOp::verify() {
    const Type x = getX().getType();
    if (axes(x).empty() || axes(x).back() != Axis::channel) {
        return emitOpError() << "normalises along channel, which must be the last axis of x: "
                             << text(axes(x));
    }
    if (axes(getWeight().getType()) != llvm::ArrayRef<Axis>{Axis::channel}) {
        return emitOpError() << "weight must have the axes [channel], and has "
                             << text(axes(getWeight().getType()));
    }
    if (getEps().isNegative()) return emitOpError("eps is negative");
    if (failed(check_same(*this, "x", x, "the result", getType()))) return mlir::failure();
    return check_equal(*this, "the number of weights", size(getWeight().getType(), Axis::channel),
                       size(x, Axis::channel), "the number of channels");
}

LogicalResult RopeOp::verify() {
    const Type x = getX().getType();
    if (failed(check_axes(*this, "x", x, {Axis::head, Axis::channel})) ||
        failed(check_same(*this, "x", x, "the result", getType()))) {
        return mlir::failure();
    }
    const std::int64_t channels = size(x, Axis::channel);
    if (!mlir::ShapedType::isDynamic(channels) && channels % 2 != 0) {
        return emitOpError() << "rotates pairs of channels, and there are " << channels;
    }
    if (!(getTheta().convertToFloat() > 0)) return emitOpError("theta must be above 0");
    if (!getDivisors()) return mlir::success();
    return check_equal(*this, "the number of divisors", values_per_request(getDivisors().getType()),
                       channels / 2, "the number of pairs");
}

LogicalResult GateOp::verify() {
    if (failed(check_same(*this, "gate", getGate().getType(), "up", getUp().getType()))) {
        return mlir::failure();
    }
    return check_same(*this, "gate", getGate().getType(), "the result", getType());
}

LogicalResult AddOp::verify() {
    if (failed(check_same(*this, "lhs", getLhs().getType(), "rhs", getRhs().getType()))) {
        return mlir::failure();
    }
    return check_same(*this, "lhs", getLhs().getType(), "the result", getType());
}

LogicalResult AppendOp::verify() {
    const CacheType cache = getCache().getType();
    const Type x = getX().getType();
    if (failed(check_same(*this, "the cache", cache, "the result", getType())) ||
        failed(check_axes(*this, "x", x, {Axis::head, Axis::channel})) ||
        failed(check_equal(*this, "the number of heads of x", size(x, Axis::head),
                           cache.getKvHeads(), "the cache's number of KV heads"))) {
        return mlir::failure();
    }
    return check_equal(*this, "the number of channels of x", size(x, Axis::channel),
                       cache.getHeadDim(), "the cache's head dimension");
}

LogicalResult QkOp::verify() {
    const CacheType keys = getKeys().getType();
    const Type query = getQuery().getType();
    if (failed(check_kind(*this, keys, CacheKind::key)) ||
        failed(check_heads(*this, "query", query, keys, Axis::channel)) ||
        failed(check_axes(*this, "the result", getType(), {Axis::head, Axis::token})) ||
        failed(check_batch(*this, query, getType()))) {
        return mlir::failure();
    }
    return check_equal(*this, "the result's number of heads", size(getType(), Axis::head),
                       size(query, Axis::head), "the query's");
}

LogicalResult SoftmaxOp::verify() {
    const Type scores = getScores().getType();
    if (failed(check_axes(*this, "scores", scores, {Axis::head, Axis::token})) ||
        failed(check_window(*this, getWindow()))) {
        return mlir::failure();
    }
    return check_same(*this, "scores", scores, "the result", getType());
}

LogicalResult SvOp::verify() {
    const CacheType values = getValues().getType();
    const Type weights = getWeights().getType();
    if (failed(check_kind(*this, values, CacheKind::value)) ||
        failed(check_heads(*this, "weights", weights, values, Axis::token)) ||
        failed(check_heads(*this, "the result", getType(), values, Axis::channel)) ||
        failed(check_batch(*this, weights, getType()))) {
        return mlir::failure();
    }
    return check_equal(*this, "the result's number of heads", size(getType(), Axis::head),
                       size(weights, Axis::head), "the weights'");
}

LogicalResult AttentionOp::verify() {
    const CacheType keys = getKeys().getType();
    const CacheType values = getValues().getType();
    const Type query = getQuery().getType();
    if (failed(check_kind(*this, keys, CacheKind::key)) ||
        failed(check_kind(*this, values, CacheKind::value)) ||
        failed(check_equal(*this, "the number of KV heads of the values", values.getKvHeads(),
                           keys.getKvHeads(), "that of the keys")) ||
        failed(check_heads(*this, "query", query, keys, Axis::channel)) ||
        failed(check_heads(*this, "the result", getType(), values, Axis::channel)) ||
        failed(check_batch(*this, query, getType())) ||
        failed(check_equal(*this, "the result's number of heads", size(getType(), Axis::head),
                           size(query, Axis::head), "the query's")) ||
        failed(check_window(*this, getWindow()))) {
        return mlir::failure();
    }
    if (!getPages() && getPageTokens()) {
        return emitOpError("page_tokens are those of selected pages: give pages as well");
    }
    if (!getPages()) return mlir::success();
    if (failed(check_page_axes(*this, "pages", getPages().getType())) ||
        failed(check_positive(*this, "page_tokens", getPageTokens()))) {
        return mlir::failure();
    }
    return check_equal(*this, "the number of heads of the pages",
                       size(getPages().getType(), Axis::head), keys.getKvHeads(),
                       "the number of KV heads");
}

LogicalResult DigestOp::verify() {
    const CacheType keys = getKeys().getType();
    const Type first = getFirst().getType();
    if (failed(check_kind(*this, keys, CacheKind::key)) ||
        failed(check_positive(*this, "page_tokens", getPageTokens())) ||
        failed(check_axes(*this, "a digest", first, {Axis::head, Axis::page, Axis::channel})) ||
        failed(check_same(*this, "the first", first, "the second result", getSecond().getType())) ||
        failed(check_equal(*this, "the digest's number of heads", size(first, Axis::head),
                           keys.getKvHeads(), "the cache's"))) {
        return mlir::failure();
    }
    return check_equal(*this, "the digest's number of channels", size(first, Axis::channel),
                       keys.getHeadDim(), "the cache's head dimension");
}

LogicalResult ScorePagesOp::verify() {
    const Type query = getQuery().getType();
    const Type first = getFirst().getType();
    if (failed(check_axes(*this, "query", query, {Axis::head, Axis::channel})) ||
        failed(check_axes(*this, "a digest", first, {Axis::head, Axis::page, Axis::channel})) ||
        failed(check_same(*this, "the first", first, "the second digest", getSecond().getType())) ||
        failed(check_page_axes(*this, "the result", getType())) ||
        failed(check_equal(*this, "the query's number of channels", size(query, Axis::channel),
                           size(first, Axis::channel), "the digest's"))) {
        return mlir::failure();
    }
    return check_equal(*this, "the result's number of heads", size(getType(), Axis::head),
                       size(first, Axis::head), "the digest's");
}

LogicalResult TopKOp::verify() {
    const Type scores = getScores().getType();
    if (failed(check_page_axes(*this, "scores", scores)) ||
        failed(check_page_axes(*this, "the result", getType())) ||
        failed(check_positive(*this, "k", getK())) ||
        failed(check_equal(*this, "the result's number of heads", size(getType(), Axis::head),
                           size(scores, Axis::head), "the scores'"))) {
        return mlir::failure();
    }
    if (axes(scores) != axes(getType())) {
        return emitOpError() << "chooses for what the scores are for: scores have the axes "
                             << text(axes(scores)) << ", the result " << text(axes(getType()));
    }
    if (!getType().getElementType().isInteger(32)) {
        return emitOpError() << "gives page numbers of i32, not " << getType().getElementType();
    }
    return check_equal(*this, "the result's number of pages", size(getType(), Axis::page),
                       getK().value_or(mlir::ShapedType::kDynamic), "k");
}

LogicalResult AllReduceOp::verify() {
    return check_same(*this, "x", getX().getType(), "the result", getType());
}

LogicalResult AllGatherOp::verify() {
    const Type x = getX().getType();
    if (axes(x) != axes(getType())) {
        return emitOpError() << "keeps the axes: " << text(axes(x)) << " and "
                             << text(axes(getType()));
    }
    for (const Axis name : axes(x)) {
        const std::int64_t part = size(x, name);
        const std::int64_t whole = size(getType(), name);
        if (name != getAxis()) {
            if (failed(check_equal(*this, "the result's size", whole, part, "that of a part"))) {
                return mlir::failure();
            }
        } else if (part == 0 ||
                   (whole != part && (mlir::ShapedType::isDynamic(part) ||
                                      mlir::ShapedType::isDynamic(whole) || whole % part != 0))) {
            return emitOpError() << "puts whole parts of " << part << " together; " << whole
                                 << " is no multiple";
        }
    }
    if (extent(x, getAxis())) return mlir::success();
    return emitOpError() << "has no axis " << stringifyAxis(getAxis()) << " to gather along";
}

}  // namespace memside::decode
