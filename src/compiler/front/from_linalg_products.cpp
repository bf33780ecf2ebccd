// Products of linalg: with weights they are linear layers, with caches QK^T and SV.
#include "compiler/front/linalg_function.h"

namespace memside::compiler {

using decode::Axis;
using mlir::Value;
using mlir::linalg::LinalgOp;

namespace {

constexpr std::int64_t unknown = mlir::ShapedType::kDynamic;

// Dimensions that are not of size 1.
std::int64_t rank_of(mlir::RankedTensorType type) {
    return llvm::count_if(type.getShape(), [](std::int64_t size) { return size != 1; });
}
std::int64_t known_values(mlir::RankedTensorType type) {
    std::int64_t result = 1;
    for (const std::int64_t size : type.getShape()) result *= size == unknown ? 1 : size;
    return result;
}

// The one of some loops that is not of size 1; nothing where there are several.
struct Loop {
    std::optional<unsigned> index;  // nothing: all are of size 1
    std::int64_t size = 1;
};
std::optional<Loop> only(llvm::ArrayRef<unsigned> loops, llvm::ArrayRef<std::int64_t> sizes) {
    Loop result;
    for (const unsigned loop : loops) {
        if (sizes[loop] == 1) continue;
        if (result.index) return std::nullopt;
        result = {loop, sizes[loop]};
    }
    return result;
}

// Whether an argument can be a cache: of KV heads x tokens x channels, or of one head, left out,
// and tokens whose number is not known.
bool may_be_cache(const ExpressionRef& expression, mlir::RankedTensorType type) {
    return is(expression, ExpressionKind::cache) || type.getRank() >= 3 ||
           (type.getRank() == 2 && !type.hasStaticShape());
}

bool holds_weights_of_tokens(const ExpressionRef& expression, std::int64_t summed) {
    if (is(expression, ExpressionKind::argument)) return summed == unknown;
    if (is(expression, ExpressionKind::value)) {
        return decode::extent(expression->value.getType(), Axis::token).has_value();
    }
    return match_softmax(expression).has_value();
}

}  // namespace

mlir::LogicalResult LinalgFunction::visit_contraction(LinalgOp op) {
    std::array<ExpressionRef, 2> sides;
    std::optional<std::size_t> cache;
    std::pair<bool, std::int64_t> most{false, 0};
    for (const std::size_t side : {0U, 1U}) {
        const Value operand = op.getDpsInputOperand(static_cast<std::int64_t>(side))->get();
        sides[side] = at(operand, op);
        if (!sides[side]) return mlir::failure();
        const bool argument = is(sides[side], ExpressionKind::argument);
        if (!argument && !is(sides[side], ExpressionKind::cache)) continue;
        const auto type = old_type(sides[side]->argument);
        // Queries and weights of tokens that are arguments look like a cache. A cache has tokens
        // whose number is not known, or more values.
        const std::pair<bool, std::int64_t> size{!type.hasStaticShape(), known_values(type)};
        if (may_be_cache(sides[side], type) && size > most) {
            cache = side;
            most = size;
        }
    }
    // What the products are added to: 0, or a bias.
    const ExpressionRef init = at(op.getDpsInits()[0], op);
    if (!init) return mlir::failure();
    const bool zero = is_number(init, 0);
    if (!zero && (cache || !is(init, ExpressionKind::argument))) {
        return op->emitOpError("adds to a tensor that is neither 0 nor a bias");
    }
    if (cache) return with_cache(op, sides[1 - *cache], sides[*cache], *cache);

    const auto dims = mlir::linalg::inferContractionDims(op);
    const auto summed = only(dims->k, op.getStaticLoopRanges());
    for (const std::size_t side : {1U, 0U}) {
        const ExpressionRef& weight = sides[side];
        if (!is(weight, ExpressionKind::argument)) continue;
        const auto type = old_type(weight->argument);
        if (rank_of(type) != 2 || !type.hasStaticShape() || !summed || !summed->index) continue;
        // Which of the argument's own dimensions is summed over: the first, or the last.
        std::optional<unsigned> position;
        const auto map = op.getIndexingMapsArray()[side];
        for (unsigned i = 0; i < map.getNumResults(); ++i) {
            if (!map.getResult(i).isFunctionOfDim(*summed->index)) continue;
            position = weight->axes.empty() ? i : static_cast<unsigned>(weight->axes[i]);
        }
        if (!position) continue;
        const bool first = llvm::all_of(type.getShape().take_front(*position),
                                        [](std::int64_t size) { return size == 1; });
        if (mlir::failed(linear(op, sides[1 - side], weight->argument, first))) {
            return mlir::failure();
        }
        ExpressionRef& made = known_[op->getResult(0)];
        if (!zero) made = make(ExpressionKind::add, *op, {made, init});
        return mlir::success();
    }
    return op->emitOpError(
        "multiplies neither with a weight, which is a matrix among the function's arguments, nor "
        "with a cache, which is an argument of KV heads x tokens x channels");
}

mlir::LogicalResult LinalgFunction::linear(LinalgOp op, const ExpressionRef& x, unsigned index,
                                           bool transposed) {
    llvm::SmallVector<std::int64_t, 2> shape;
    for (const std::int64_t size : old_type(index).getShape()) {
        if (size != 1) shape.push_back(size);
    }
    if (transposed) std::swap(shape[0], shape[1]);
    const Value vector = materialize(x);
    if (!vector) return mlir::failure();
    const auto type = mlir::cast<mlir::RankedTensorType>(vector.getType());
    const std::int64_t values = decode::values_per_request(type);
    if (values != shape[1]) {
        auto error = op->emitOpError() << "multiplies " << values << " values with a weight of "
                                       << shape[1] << " columns";
        if (values % shape[1] == 0) error << "; a step is of one request: no batch but 1";
        return error;
    }
    const auto result = decode::named_tensor({shape[0]}, {Axis::channel}, type.getElementType());
    known_[op->getResult(0)] = of(decode::create<decode::LinearOp>(
        builder_, op.getLoc(), result, vector, weight(index, shape, transposed), Value()));
    return mlir::success();
}

Value LinalgFunction::cache_value(mlir::Operation* user, unsigned index, decode::CacheKind kind) {
    Cache& cache = caches_[index];
    if (cache.kind && *cache.kind != kind) {
        user->emitOpError() << "takes argument " << index << " for a cache of "
                            << decode::stringifyCacheKind(kind) << "s, which is one of "
                            << decode::stringifyCacheKind(*cache.kind) << "s";
        return nullptr;
    }
    const mlir::Type type =
        decode::CacheType::get(builder_.getContext(), cache.kv_heads, cache.head_dim, kind);
    if (!cache.kind) {
        cache.kind = kind;
        cache.now = argument(index, type);
    }
    if (!cache.appended) return cache.now;
    const Value added = shaped(materialize(cache.appended), cache.head_dim, user->getLoc());
    if (!added) return nullptr;
    Value vectors = added;
    if (mlir::cast<mlir::RankedTensorType>(added.getType()).getRank() == 1) {
        // One KV head.
        vectors.setType(decode::named_tensor(
            {1, cache.head_dim}, {Axis::head, Axis::channel},
            mlir::cast<mlir::RankedTensorType>(added.getType()).getElementType()));
    }
    cache.now = decode::create<decode::AppendOp>(builder_, cache.appended->location, type,
                                                 cache.now, vectors);
    cache.appended = nullptr;
    return cache.now;
}

mlir::LogicalResult LinalgFunction::with_cache(LinalgOp op, const ExpressionRef& other,
                                               const ExpressionRef& cache, std::size_t side) {
    const auto dims = mlir::linalg::inferContractionDims(op);
    const auto sizes = op.getStaticLoopRanges();
    const auto summed = only(dims->k, sizes);
    const auto shared = only(dims->batch, sizes);
    const auto own = only(side == 0 ? dims->m : dims->n, sizes);
    const auto others = only(side == 0 ? dims->n : dims->m, sizes);
    if (!summed || !shared || !own || !others) {
        return op->emitOpError(
            "has a product with a cache of more axes than KV heads, queries of "
            "each, tokens and channels");
    }
    const bool sv = holds_weights_of_tokens(other, summed->size);
    const std::int64_t head_dim = sv ? own->size : summed->size;
    const std::int64_t tokens = sv ? summed->size : own->size;
    if (head_dim == unknown) {
        return op->emitOpError(
            "has vectors whose size is not known; only that of the tokens may be");
    }
    const auto type = old_type(cache->argument);
    Cache& state = caches_[cache->argument];
    state.head_dim = head_dim;
    state.kv_heads = type.hasStaticShape() ? shared->size : known_values(type) / head_dim;
    const std::int64_t heads = shared->size * others->size;
    if (state.kv_heads < 1 || heads % state.kv_heads != 0) {
        return op->emitOpError() << "has " << heads << " query heads, which are no multiple of "
                                 << state.kv_heads << " KV heads";
    }
    const Value cached =
        cache_value(op, cache->argument, sv ? decode::CacheKind::value : decode::CacheKind::key);
    if (!cached) return mlir::failure();

    if (sv) {
        Value weights;
        if (is(other, ExpressionKind::argument)) {
            weights = argument(other->argument,
                               decode::named_tensor({heads, tokens}, {Axis::head, Axis::token},
                                                    old_type(other->argument).getElementType()));
        } else {
            weights = materialize(other);
        }
        if (!weights) return mlir::failure();
        const auto element = mlir::cast<mlir::RankedTensorType>(weights.getType()).getElementType();
        known_[op->getResult(0)] = of(decode::create<decode::SvOp>(
            builder_, op.getLoc(),
            decode::named_tensor({heads, head_dim}, {Axis::head, Axis::channel}, element), weights,
            cached));
        return mlir::success();
    }
    // A number that queries were multiplied with goes to the scores.
    Factors factors = factors_of(other);
    const bool scaled = factors.above.size() == 1 && factors.below.empty();
    Value query = shaped(materialize(scaled ? factors.above[0] : other), head_dim, op.getLoc());
    if (!query) return mlir::failure();
    const auto element = mlir::cast<mlir::RankedTensorType>(query.getType()).getElementType();
    if (mlir::cast<mlir::RankedTensorType>(query.getType()).getRank() == 1) {
        query.setType(decode::named_tensor({1, head_dim}, {Axis::head, Axis::channel}, element));
    }
    const ExpressionRef scores = of(decode::create<decode::QkOp>(
        builder_, op.getLoc(),
        decode::named_tensor({heads, tokens}, {Axis::head, Axis::token}, element), query, cached));
    known_[op->getResult(0)] =
        scaled && factors.number != 1
            ? make(ExpressionKind::multiply, *op,
                   {scores, make(ExpressionKind::constant, *op, {}, factors.number)})
            : scores;
    return mlir::success();
}

}  // namespace memside::compiler
