#include <mlir/IR/BuiltinTypes.h>
#include <mlir/IR/DialectImplementation.h>

#include "compiler/pnm/pnm.h"

namespace memside::pnmir {

// custom<Size> of the tables: a number, or `?`.
static mlir::ParseResult parseSize(mlir::OpAsmParser& parser, mlir::IntegerAttr& size) {
    std::int64_t value = mlir::ShapedType::kDynamic;
    if (mlir::failed(parser.parseOptionalQuestion()) && parser.parseInteger(value)) {
        return mlir::failure();
    }
    size = parser.getBuilder().getI64IntegerAttr(value);
    return mlir::success();
}

static void printSize(mlir::OpAsmPrinter& printer, mlir::Operation*, mlir::IntegerAttr size) {
    if (mlir::ShapedType::isDynamic(size.getInt())) {
        printer << '?';
    } else {
        printer << size.getInt();
    }
}

}  // namespace memside::pnmir

#include <compiler/pnm/Dialect.cpp.inc>
#define GET_OP_CLASSES
#include <compiler/pnm/Ops.cpp.inc>

namespace memside::pnmir {

using mlir::LogicalResult;
using mlir::ShapedType;

namespace {

LogicalResult check_sizes(mlir::Operation* op,
                          std::initializer_list<std::pair<const char*, std::int64_t>> sizes) {
    for (const auto& [name, size] : sizes) {
        if (ShapedType::isDynamic(size) || size >= 1) continue;
        return op->emitOpError() << name << " " << size << " is below 1";
    }
    return mlir::success();
}

LogicalResult check_heads(mlir::Operation* op, std::int64_t query_heads, std::int64_t kv_heads) {
    if (ShapedType::isDynamic(query_heads) || ShapedType::isDynamic(kv_heads) ||
        query_heads % kv_heads == 0) {
        return mlir::success();
    }
    return op->emitOpError() << query_heads << " query heads are no multiple of " << kv_heads
                             << " KV heads";
}

// The nearest operation of a kind before `op`.
template <typename Kernel>
Kernel before(mlir::Operation* op) {
    for (mlir::Operation* other = op->getPrevNode(); other; other = other->getPrevNode()) {
        if (auto found = mlir::dyn_cast<Kernel>(other)) return found;
    }
    return {};
}

}  // namespace

void PnmDialect::initialize() {
    addOperations<
#define GET_OP_LIST
#include <compiler/pnm/Ops.cpp.inc>
        >();
}

LogicalResult ProgramOp::verify() {
    return check_sizes(*this, {{"page_tokens", getPageTokens()}});
}

LogicalResult AppendOp::verify() {
    return check_sizes(*this, {{"KV heads", getKvHeads()},
                               {"head_dim", getHeadDim()},
                               {"bits", getKvBits()},
                               {"digest_bits", getDigestBits().value_or(1)}});
}

LogicalResult ScoreOp::verify() {
    if (failed(check_sizes(*this, {{"query heads", getQueryHeads()},
                                   {"KV heads", getKvHeads()},
                                   {"head_dim", getHeadDim()},
                                   {"digest_bits", getDigestBits()}}))) {
        return mlir::failure();
    }
    return check_heads(*this, getQueryHeads(), getKvHeads());
}

LogicalResult TopKOp::verify() {
    if (failed(check_sizes(*this, {{"k", getK()}}))) return mlir::failure();
    if (before<ScoreOp>(*this)) return mlir::success();
    return emitOpError("has no scores to choose from: put a pnm.score before it");
}

LogicalResult AttentionOp::verify() {
    if (failed(check_sizes(*this, {{"query heads", getQueryHeads()},
                                   {"KV heads", getKvHeads()},
                                   {"head_dim", getHeadDim()},
                                   {"bits", getKvBits()}})) ||
        failed(check_heads(*this, getQueryHeads(), getKvHeads()))) {
        return mlir::failure();
    }
    if (getWindow() < 0) {
        return emitOpError() << "window " << getWindow() << " is negative; 0 sees all tokens";
    }
    if (!getPages()) return mlir::success();
    auto chosen = before<TopKOp>(*this);
    if (!chosen) return emitOpError("has no selected pages: put a pnm.top_k before it");
    if (ShapedType::isDynamic(*getPages()) || ShapedType::isDynamic(chosen.getK()) ||
        chosen.getK() == *getPages()) {
        return mlir::success();
    }
    return emitOpError() << "attends to " << *getPages() << " pages, but " << chosen.getK()
                         << " are selected";
}

}  // namespace memside::pnmir
