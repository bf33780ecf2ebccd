// What tensors of linalg are in terms of a decode step, before it is known which operation they
// belong to: expressions over vectors, caches and arguments. Broadcasts and axes of size 1 are left
// out, so that one pattern finds an operation in whatever pieces it was exported.
#pragma once

#include <mlir/IR/Location.h>
#include <mlir/IR/Value.h>

#include <memory>
#include <optional>

namespace memside::compiler {

enum class ExpressionKind {
    argument,  // of the function: a weight, a vector or a cache, as its use will tell
    value,     // of decode: a vector or scores
    cache,     // the cache of an argument, with or without the new token
    constant,  // a number, everywhere
    negate,
    exp,
    square_root,
    tanh,
    add,
    subtract,
    multiply,
    divide,
    power,
    sum,          // along one axis of `number` values
    max,          // the same
    softmax,      // along the last axis
    first_half,   // of the last axis
    second_half,  // the same
    join          // one after another along the last axis
};

struct Expression;
using ExpressionRef = std::shared_ptr<const Expression>;

struct Expression {
    ExpressionKind kind;
    mlir::Location location;
    llvm::SmallVector<ExpressionRef, 2> parts = {};
    double number = 0;                             // constant; sum, max
    unsigned argument = 0;                         // argument, cache: the function's
    llvm::SmallVector<std::int64_t, 3> axes = {};  // argument: its axes, if they were permuted
    mlir::Value value = {};                        // value
};

inline bool is(const ExpressionRef& expression, ExpressionKind kind) {
    return expression && expression->kind == kind;
}
bool is_number(const ExpressionRef& expression, double number);
bool equal(const ExpressionRef& a, const ExpressionRef& b);

// number x product of `above` / product of `below`. Roots of numbers below stand as they are; 1 /
// sqrt(x) has its root below.
struct Factors {
    double number = 1;
    llvm::SmallVector<ExpressionRef, 4> above;
    llvm::SmallVector<ExpressionRef, 2> below;

    // Takes one factor equal to `wanted` away; false where there is none.
    bool take(const ExpressionRef& wanted);
};
Factors factors_of(const ExpressionRef& expression);

// Close enough for constants that went through f32 or bf16.
bool near(double a, double b);

// The patterns below give what they matched, or nothing.

// x / sqrt(mean(x^2) + eps) [x weight]
struct NormPattern {
    ExpressionRef x;
    ExpressionRef weight;  // null: none
    bool unit_offset = false;
    double eps = 0;
    double channels = 0;
};
std::optional<NormPattern> match_norm(const ExpressionRef& expression);

// f(gate) x up
struct GatePattern {
    ExpressionRef gate;
    ExpressionRef up;
    bool gelu = false;
};
std::optional<GatePattern> match_gate(const ExpressionRef& expression);

// exp(s - max(s)) / sum(exp(s - max(s))), or softmax whole: s
std::optional<ExpressionRef> match_softmax(const ExpressionRef& expression);

// x cos + (-second half of x, first half of x) sin
struct RotationPattern {
    ExpressionRef x;
    ExpressionRef cos;
    ExpressionRef sin;
};
std::optional<RotationPattern> match_rotation(const ExpressionRef& expression);

}  // namespace memside::compiler
