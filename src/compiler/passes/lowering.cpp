#include "compiler/passes/lowering.h"

#include <fmt/format.h>

namespace memside::compiler {
namespace {

std::string text(llvm::StringRef name) {
    return name.str();
}

}  // namespace

Lowering::Lowering(mlir::func::FuncOp function, const AttentionOptions& options,
                   pimir::ProgramOp program)
    : function_(function), options_(options), program_(program), builder_(function.getContext()) {}

std::size_t Lowering::region(llvm::StringRef name, std::uint32_t rows, mlir::DictionaryAttr kv) {
    const auto [known, added] = region_index_.try_emplace(name, regions_.size());
    if (!added) return known->second;
    if (last_region_ == nullptr) {
        builder_.setInsertionPointToStart(&program_.getBody().front());
    } else {
        builder_.setInsertionPointAfter(last_region_);
    }
    auto made = builder_.create<pimir::RegionOp>(
        function_.getLoc(), builder_.getStringAttr(name), builder_.getI64IntegerAttr(rows),
        kv ? builder_.getUnitAttr() : mlir::UnitAttr(), mlir::IntegerAttr());
    if (kv) made->setDiscardableAttr("pim.kv", kv);
    last_region_ = made;
    regions_.push_back(mlir::FlatSymbolRefAttr::get(builder_.getContext(), name));
    return known->second;
}

std::optional<CacheRegions> Lowering::cache(mlir::Operation* user, mlir::Value value,
                                            std::uint32_t heads_at_once) {
    const auto argument = origin(user, value);
    if (!argument) return std::nullopt;
    const auto known = caches_.find(*argument);
    if (known != caches_.end()) return known->second;
    const auto type = mlir::cast<decode::CacheType>(argument->getType());
    const auto kv_heads = static_cast<std::uint32_t>(type.getKvHeads());
    const bool hfp = options_.partition == HeadPartition::hfp;
    const std::uint32_t at_once = hfp ? heads_at_once : 1;
    const CacheRegions made{regions_.size(), at_once};
    for (std::uint32_t head = 0; head < kv_heads; head += at_once) {
        const std::uint32_t heads = std::min(at_once, kv_heads - head);
        const auto number = [&](llvm::StringRef name, std::int64_t n) {
            return builder_.getNamedAttr(name, builder_.getI64IntegerAttr(n));
        };
        const mlir::DictionaryAttr kv = builder_.getDictionaryAttr(
            {number("head_dim", type.getHeadDim()), number("heads", heads),
             number("ways", hfp ? 1 : options_.channels),
             builder_.getNamedAttr(
                 "key", builder_.getBoolAttr(type.getKind() == decode::CacheKind::key))});
        (void)region(fmt::format("cache {} {} from head {}", argument->getArgNumber(),
                                 text(decode::stringifyCacheKind(type.getKind())), head),
                     0, kv);
    }
    caches_[*argument] = made;
    return made;
}

std::optional<std::string> Lowering::weight_name(mlir::Operation* user, mlir::Value weight) {
    if (auto named = weight.getDefiningOp<decode::WeightOp>()) return named.getName().str();
    user->emitOpError("needs weights of a decode.weight: those lie in the banks");
    return std::nullopt;
}

PimWriter Lowering::entry(decode::StepOp op, llvm::StringRef what) {
    builder_.setInsertionPointToEnd(&program_.getBody().front());
    auto made = builder_.create<pimir::EntryOp>(
        op.getLoc(), fmt::format("{} {}", entries_++, text(what)), op.getKind(),
        op.getPartitioningAttr() ? op.getPartitioningAttr().getValue() : decode::Partitioning::copy,
        op.getCommunicationAttr() ? op.getCommunicationAttr().getValue()
                                  : decode::Communication::none);
    if (const auto modules = op.getModulesAttr(); modules && !modules.empty()) {
        made.setModule(modules[0]);
    }
    made.setChannelMask(pim::channel_mask(options_.channels));
    return {made, regions_, op.getLoc()};
}

void Lowering::finish() {
    program_.setChannels(options_.channels);
    program_.setChunkRows(pim::chunk_rows_for(options_.channels));
    program_.setBlockTokens(block_tokens_);
    // Where operands and results lie, for who runs the program.
    llvm::SmallVector<mlir::NamedAttribute> places;
    const auto add = [&](const std::string& name, mlir::Value value) {
        if (const auto range = registers_of(value)) {
            places.push_back(builder_.getNamedAttr(
                name, builder_.getDenseI64ArrayAttr({range->first, tiles_of(value)})));
        }
    };
    for (mlir::BlockArgument argument : function_.getArguments()) {
        add(fmt::format("argument{}", argument.getArgNumber()), argument);
    }
    for (mlir::OpOperand& result : function_.front().getTerminator()->getOpOperands()) {
        add(fmt::format("result{}", result.getOperandNumber()), result.get());
    }
    program_->setDiscardableAttr("pim.registers", builder_.getDictionaryAttr(places));
}

std::uint32_t first_register(mlir::Value value) {
    const auto range = registers_of(value);
    assert(range);
    return range->first;
}

RegisterRange scratch_of(mlir::Operation* op) {
    const auto range = range_of(op->getDiscardableAttr(scratch_name));
    assert(range);
    return *range;
}

std::uint32_t tiles_of(mlir::Value value) {
    return pim::units(static_cast<std::uint64_t>(decode::values_per_request(value.getType())),
                      pim::lanes);
}

}  // namespace memside::compiler
