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

std::size_t Lowering::region(llvm::StringRef name, std::uint32_t rows,
                             mlir::NamedAttribute* layout) {
    const auto [known, added] = region_index_.try_emplace(name, regions_.size());
    if (!added) return known->second;
    if (last_region_ == nullptr) {
        builder_.setInsertionPointToStart(&program_.getBody().front());
    } else {
        builder_.setInsertionPointAfter(last_region_);
    }
    auto made = builder_.create<pimir::RegionOp>(
        function_.getLoc(), builder_.getStringAttr(name), builder_.getI64IntegerAttr(rows),
        layout ? builder_.getUnitAttr() : mlir::UnitAttr(), mlir::IntegerAttr(),
        builder_.getI64IntegerAttr(0), builder_.getI64IntegerAttr(0));
    if (layout) made->setDiscardableAttr(layout->getName(), layout->getValue());
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
        mlir::NamedAttribute kv = builder_.getNamedAttr(
            "pim.kv",
            builder_.getDictionaryAttr(
                {number("head_dim", type.getHeadDim()), number("heads", heads),
                 number("ways", hfp ? 1 : options_.channels),
                 builder_.getNamedAttr(
                     "key", builder_.getBoolAttr(type.getKind() == decode::CacheKind::key))}));
        (void)region(fmt::format("cache {} {} from head {}", argument->getArgNumber(),
                                 text(decode::stringifyCacheKind(type.getKind())), head),
                     0, &kv);
    }
    caches_[*argument] = made;
    return made;
}

std::optional<std::string> Lowering::weight_name(mlir::Operation* user, mlir::Value weight) {
    if (auto named = weight.getDefiningOp<decode::WeightOp>()) return named.getName().str();
    user->emitOpError("needs weights of a decode.weight: those lie in the banks");
    return std::nullopt;
}

std::size_t Lowering::scores(llvm::StringRef name, llvm::ArrayRef<HeadRound> rounds,
                             llvm::ArrayRef<ScoreLayout> layouts) {
    const std::size_t first = regions_.size();
    for (const auto& [round, layout] : llvm::zip_equal(rounds, layouts)) {
        mlir::NamedAttribute rows = builder_.getNamedAttr(
            "pim.scores", builder_.getDenseI64ArrayAttr({layout.row_tokens(), layout.queries}));
        (void)region(fmt::format("{} from head {}", text(name), round.first_head), 0, &rows);
    }
    return first;
}

std::optional<std::uint32_t> Lowering::table(mlir::Operation* user, mlir::Value weight) {
    auto named = weight.getDefiningOp<decode::WeightOp>();
    if (!named || !named.getValues()) {
        // In bf16, as the banks hold them, they would turn a late position by whole revolutions.
        user->emitOpError("needs divisors of a decode.weight with their values, in FP32");
        return std::nullopt;
    }
    const auto values = mlir::DenseF32ArrayAttr::get(user->getContext(), *named.getValues());
    const auto known = llvm::find(tables_, values);
    const auto index = static_cast<std::uint32_t>(known - tables_.begin()) + 1;
    if (known == tables_.end()) tables_.push_back(values);
    return index;
}

void Lowering::exchange(std::uint32_t gpr, std::uint32_t tiles, std::uint32_t gpr_out,
                        std::uint32_t parts) {
    last_entry_.setGpr(gpr);
    last_entry_.setTiles(tiles);
    last_entry_.setGprOut(gpr_out);
    last_entry_.setParts(parts);
}

void Lowering::communicate(llvm::StringRef what, decode::Communication communication,
                           mlir::Location location) {
    builder_.setInsertionPointToEnd(&program_.getBody().front());
    last_entry_ = builder_.create<pimir::EntryOp>(
        location, fmt::format("{} {}", entries_++, text(what)), decode::OpType::copy,
        decode::Partitioning::copy, communication);
    last_entry_.setModule(first_module());
}

std::int64_t Lowering::first_module() const {
    for (mlir::Operation& op : mlir::func::FuncOp(function_).front()) {
        auto step = mlir::dyn_cast<decode::StepOp>(op);
        const auto modules = step ? step.getModulesAttr() : mlir::DenseI64ArrayAttr();
        if (modules && !modules.empty()) return modules[0];
    }
    return 0;
}

void Lowering::share_tokens(std::uint32_t modules, std::uint32_t block) {
    program_.setTokenModules(modules);
    program_.setTokenBlock(block);
}

namespace {

// A stage's place: stage, stages, first layer, layers. Empty: there are no stages.
llvm::ArrayRef<std::int64_t> stage_of(mlir::func::FuncOp function) {
    const auto place = function->getAttrOfType<mlir::DenseI64ArrayAttr>(stage_name);
    return place ? place.asArrayRef() : llvm::ArrayRef<std::int64_t>();
}

std::int64_t layer_of(mlir::func::FuncOp function) {
    return function->getAttrOfType<mlir::IntegerAttr>("decode.layer").getInt();
}

bool is_vector(mlir::Value value) {
    return decode::has_axes(value.getType()) &&
           decode::axes(value.getType()) == llvm::ArrayRef<decode::Axis>{decode::Axis::channel};
}

}  // namespace

void Lowering::receive() {
    const auto stage = stage_of(function_);
    if (stage.empty()) return;
    program_.setStage(stage[0]);
    program_.setStages(stage[1]);
    program_.setFirstLayer(stage[2]);
    program_.setLayers(stage[3]);
    if (stage[0] == 0 || layer_of(function_) != stage[2] || function_.getNumArguments() == 0)
        return;
    const mlir::Value x = function_.getArgument(0);
    if (!is_vector(x)) return;
    communicate("receive", decode::Communication::receive, function_.getLoc());
    exchange(first_register(x), tiles_of(x), first_register(x), 1);
}

void Lowering::send() {
    const auto stage = stage_of(function_);
    if (stage.empty() || stage[0] + 1 == stage[1]) return;
    mlir::Operation* last = function_.front().getTerminator();
    if (layer_of(function_) + 1 != stage[2] + stage[3] || last->getNumOperands() == 0) return;
    const mlir::Value y = last->getOperand(0);
    if (!is_vector(y)) return;
    communicate("send", decode::Communication::send, function_.getLoc());
    exchange(first_register(y), tiles_of(y), first_register(y), 1);
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
    last_entry_ = made;
    return {made, regions_, op.getLoc(), tables_};
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
