#include <mlir/IR/DialectImplementation.h>

#include "compiler/pnm/pnm.h"

#include <compiler/pnm/Dialect.cpp.inc>
#define GET_OP_CLASSES
#include <compiler/pnm/Ops.cpp.inc>

namespace memside::pnmir {

using mlir::LogicalResult;

namespace {

LogicalResult check_positive(mlir::Operation* op,
                             std::initializer_list<std::pair<const char*, std::int64_t>> sizes) {
    for (const auto& [name, size] : sizes) {
        if (size < 1) return op->emitOpError() << name << " " << size << " is below 1";
    }
    return mlir::success();
}

LogicalResult check_heads(mlir::Operation* op, std::int64_t query_heads, std::int64_t kv_heads) {
    if (query_heads % kv_heads == 0) return mlir::success();
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
    return check_positive(*this, {{"page_tokens", getPageTokens()}});
}

LogicalResult AppendOp::verify() {
    return check_positive(
        *this, {{"KV heads", getKvHeads()}, {"head_dim", getHeadDim()}, {"kv_bits", getKvBits()}});
}

LogicalResult ScoreOp::verify() {
    if (failed(check_positive(*this, {{"query heads", getQueryHeads()},
                                      {"KV heads", getKvHeads()},
                                      {"head_dim", getHeadDim()},
                                      {"digest_bits", getDigestBits()}}))) {
        return mlir::failure();
    }
    return check_heads(*this, getQueryHeads(), getKvHeads());
}

LogicalResult TopKOp::verify() {
    if (failed(check_positive(*this, {{"k", getK()}, {"KV heads", getKvHeads()}}))) {
        return mlir::failure();
    }
    auto score = before<ScoreOp>(*this);
    if (!score) return emitOpError("has no scores to choose from: put a pnm.score before it");
    if (score.getKvHeads() == getKvHeads()) return mlir::success();
    return emitOpError() << "chooses for " << getKvHeads() << " KV heads, but scores are for "
                         << score.getKvHeads();
}

LogicalResult AttentionOp::verify() {
    if (failed(check_positive(*this, {{"query heads", getQueryHeads()},
                                      {"KV heads", getKvHeads()},
                                      {"head_dim", getHeadDim()},
                                      {"kv_bits", getKvBits()}})) ||
        failed(check_heads(*this, getQueryHeads(), getKvHeads()))) {
        return mlir::failure();
    }
    if (getWindow() < 0) {
        return emitOpError() << "window " << getWindow() << " is negative; 0 sees all tokens";
    }
    if (!getPages()) return mlir::success();
    auto chosen = before<TopKOp>(*this);
    if (!chosen) return emitOpError("has no selected pages: put a pnm.top_k before it");
    if (chosen.getK() == *getPages()) return mlir::success();
    return emitOpError() << "attends to " << *getPages() << " pages of each KV head, but "
                         << chosen.getK() << " are selected";
}

}  // namespace memside::pnmir
