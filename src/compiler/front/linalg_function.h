// One function of linalg on its way to `decode`: what its values are, and the function that is
// made.
#pragma once

#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/Linalg/IR/Linalg.h>

#include <map>

#include "compiler/decode/decode.h"
#include "compiler/front/expression.h"

namespace memside::compiler {

class LinalgFunction {
  public:
    explicit LinalgFunction(mlir::func::FuncOp old);

    // Makes the new function in place of the old one; failure with a diagnostic.
    mlir::LogicalResult convert();

  private:
    // A cache that is an argument. What it holds is known at its first product.
    struct Cache {
        std::optional<decode::CacheKind> kind;
        std::int64_t kv_heads = 1;
        std::int64_t head_dim = 0;
        mlir::Value now;         // after what was appended
        ExpressionRef appended;  // not in `now` yet
    };

    // from_linalg.cpp: a value's expression from its operation.
    mlir::LogicalResult visit(mlir::Operation& op);
    mlir::LogicalResult visit_linalg(mlir::linalg::LinalgOp op);
    mlir::LogicalResult visit_insert(mlir::Operation& op, mlir::Value into, mlir::Value from);
    mlir::LogicalResult visit_concat(mlir::Operation& op);
    mlir::LogicalResult visit_slice(mlir::Operation& op);
    mlir::LogicalResult visit_return(mlir::func::ReturnOp op);
    ExpressionRef body_value(mlir::Operation& outer, mlir::Operation& op,
                             llvm::DenseMap<mlir::Value, ExpressionRef>& known);
    // Of a value of the old function; null with a diagnostic at `user`.
    ExpressionRef at(mlir::Value value, mlir::Operation* user);
    ExpressionRef make(ExpressionKind kind, mlir::Operation& op,
                       llvm::SmallVector<ExpressionRef, 2> parts, double number = 0) const {
        return std::make_shared<Expression>(Expression{
            .kind = kind, .location = op.getLoc(), .parts = std::move(parts), .number = number});
    }
    ExpressionRef of(mlir::Value made) const {
        return std::make_shared<Expression>(
            Expression{.kind = ExpressionKind::value, .location = made.getLoc(), .value = made});
    }

    // from_linalg_products.cpp: products that sum over an axis.
    mlir::LogicalResult visit_contraction(mlir::linalg::LinalgOp op);
    mlir::LogicalResult linear(mlir::linalg::LinalgOp op, const ExpressionRef& x, unsigned weight,
                               bool transposed);
    mlir::LogicalResult with_cache(mlir::linalg::LinalgOp op, const ExpressionRef& other,
                                   const ExpressionRef& cache, std::size_t side);
    // The cache with what was appended; null with a diagnostic.
    mlir::Value cache_value(mlir::Operation* user, unsigned argument, decode::CacheKind kind);

    // from_linalg_vectors.cpp: values of decode from expressions.
    // Null with a diagnostic where the expression is no operation of a decode step.
    mlir::Value materialize(const ExpressionRef& expression);
    mlir::Value scaled_scores(const ExpressionRef& expression, double* scale);
    mlir::Value norm(const ExpressionRef& expression, const NormPattern& pattern);
    mlir::Value gate(const ExpressionRef& expression, const GatePattern& pattern);
    mlir::Value rotation(const ExpressionRef& expression, const RotationPattern& pattern);
    mlir::Value softmax(const ExpressionRef& expression, const ExpressionRef& scores);
    mlir::Value sum(const ExpressionRef& expression);
    // A vector with `channels` values along its last axis: [channel] or [head, channel]. The result
    // of a linear layer and an argument take that form; others have it or are an error.
    mlir::Value shaped(mlir::Value vector, std::int64_t channels, mlir::Location location);

    // Arguments of the new function, made at their first use.
    mlir::Value argument(unsigned index, mlir::Type type);
    mlir::Value vector_argument(unsigned index, mlir::Location location);
    mlir::Value weight(unsigned index, llvm::ArrayRef<std::int64_t> shape, bool transposed);
    std::string name_of(unsigned index);
    mlir::RankedTensorType old_type(unsigned index) {
        return mlir::cast<mlir::RankedTensorType>(old_.getArgumentTypes()[index]);
    }

    mlir::func::FuncOp old_;
    mlir::func::FuncOp made_;
    mlir::OpBuilder builder_;
    llvm::DenseMap<mlir::Value, ExpressionRef> known_;
    std::map<unsigned, mlir::Value> arguments_;  // of made_, by the index in old_
    std::map<unsigned, mlir::Value> weights_;
    std::map<unsigned, Cache> caches_;
    llvm::DenseMap<const Expression*, mlir::Value> materialized_;
    // Keeps what materialized_ points to.
    llvm::SmallVector<ExpressionRef> kept_;
};

}  // namespace memside::compiler
