// Programs, regions, loops and moved operands: text form and verifiers.
#include <mlir/Dialect/Arith/IR/Arith.h>

#include "compiler/pim/pim.h"

namespace memside::pimir {
namespace {

using mlir::LogicalResult;

mlir::ParseResult parseSteps(
    mlir::OpAsmParser& parser,
    llvm::SmallVectorImpl<mlir::OpAsmParser::UnresolvedOperand>& iterations,
    mlir::DenseI64ArrayAttr& steps) {
    llvm::SmallVector<std::int64_t> found;
    while (mlir::succeeded(parser.parseOptionalPlus())) {
        if (parser.parseOperand(iterations.emplace_back()) || parser.parseStar() ||
            parser.parseInteger(found.emplace_back())) {
            return mlir::failure();
        }
    }
    steps = parser.getBuilder().getDenseI64ArrayAttr(found);
    return mlir::success();
}

void printSteps(mlir::OpAsmPrinter& printer, mlir::Operation*, mlir::OperandRange iterations,
                mlir::DenseI64ArrayAttr steps) {
    const char* before = "";
    for (const auto [iteration, step] : llvm::zip_equal(iterations, steps.asArrayRef())) {
        printer << before << "+ " << iteration << " * " << step;
        before = " ";
    }
}

// %i WORD N { .. }
mlir::ParseResult parse_loop(mlir::OpAsmParser& parser, mlir::OperationState& result,
                             llvm::StringRef word) {
    mlir::OpAsmParser::Argument iteration;
    mlir::IntegerAttr amount;
    iteration.type = parser.getBuilder().getIndexType();
    if (parser.parseArgument(iteration) || parser.parseKeyword(word) ||
        parser.parseAttribute(amount, parser.getBuilder().getI64Type(), word, result.attributes)) {
        return mlir::failure();
    }
    return mlir::failure(parser.parseRegion(*result.addRegion(), {iteration}) ||
                         parser.parseOptionalAttrDict(result.attributes));
}

void print_loop(mlir::OpAsmPrinter& printer, mlir::Operation* op, llvm::StringRef word,
                std::int64_t amount) {
    printer << " " << op->getRegion(0).getArgument(0) << " " << word << " " << amount << " ";
    printer.printRegion(op->getRegion(0), /*printEntryBlockArgs=*/false);
    printer.printOptionalAttrDict(op->getAttrs(), {word});
}

void build_loop(mlir::OpBuilder& builder, mlir::OperationState& state, llvm::StringRef word,
                std::int64_t amount) {
    state.addAttribute(word, builder.getI64IntegerAttr(amount));
    state.addRegion()->emplaceBlock().addArgument(builder.getIndexType(), state.location);
}

LogicalResult check_loop(mlir::Operation* op, llvm::StringRef word, std::int64_t amount) {
    if (amount < 1) return op->emitOpError() << word << " " << amount << " is below 1";
    mlir::Block& block = op->getRegion(0).front();
    if (block.getNumArguments() != 1 || !block.getArgument(0).getType().isIndex()) {
        return op->emitOpError("has one block argument, the iteration, of type index");
    }
    if (block.empty()) return op->emitOpError("is empty");
    return mlir::success();
}

bool is_loop(mlir::Operation* op) {
    return op != nullptr && mlir::isa<LoopOp, DynLoopOp>(op);
}

// The symbol in the program around an operation; success where there is no program around it yet.
LogicalResult check_region(mlir::Operation* op, mlir::FlatSymbolRefAttr name,
                           mlir::SymbolTableCollection& symbols) {
    const auto program = op->getParentOfType<ProgramOp>();
    if (!program || symbols.lookupSymbolIn<RegionOp>(program, name)) return mlir::success();
    return op->emitOpError() << "names " << name << ", which is no pim.region of the program";
}

}  // namespace
}  // namespace memside::pimir

#define GET_OP_CLASSES
#include <compiler/pim/Ops.cpp.inc>

namespace memside::pimir {

void ProgramOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, llvm::StringRef name,
                      llvm::StringRef model, llvm::StringRef target) {
    state.addAttribute("sym_name", builder.getStringAttr(name));
    state.addAttribute("model", builder.getStringAttr(model));
    state.addAttribute("target", builder.getStringAttr(target));
    state.addRegion()->emplaceBlock();
}

LogicalResult ProgramOp::verify() {
    if (getChannels() < 1 || getChannels() > pim::channel_count) {
        return emitOpError() << "channels " << getChannels() << " is not 1 to "
                             << pim::channel_count;
    }
    if (getChunkRows() < 1)
        return emitOpError() << "chunk_rows " << getChunkRows() << " is below 1";
    if (getMaxTokens() < 0) return emitOpError("max_tokens is negative");
    for (mlir::Operation& op : getBody().front()) {
        if (!mlir::isa<RegionOp, EntryOp>(op)) {
            return op.emitOpError("stands in a pim.program, which holds pim.region and pim.entry");
        }
    }
    return mlir::success();
}

LogicalResult RegionOp::verify() {
    const std::int64_t rows = getRows();
    const std::int64_t first = getFirstRow().value_or(0);
    if (getPerRequest()) {
        if (getFirstRow()) {
            return emitOpError("is per_request: its table has its rows, it is `at` no row");
        }
        return rows < 0 ? emitOpError() << "rows " << rows << " is negative" : mlir::success();
    }
    if (rows < 1)
        return emitOpError() << "rows " << rows << " is below 1; only per_request has any";
    if (first < 0 || rows > pim::rows_per_bank || first + rows > pim::rows_per_bank) {
        return emitOpError() << "rows " << first << " to " << first + rows - 1
                             << " are not all among the 0 to " << pim::rows_per_bank - 1
                             << " of a bank";
    }
    return mlir::success();
}

void EntryOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, llvm::StringRef name,
                    decode::OpType op_type, decode::Partitioning partitioning,
                    decode::Communication communication) {
    mlir::MLIRContext* context = builder.getContext();
    state.addAttribute("sym_name", builder.getStringAttr(name));
    state.addAttribute("op_type", decode::OpTypeAttr::get(context, op_type));
    state.addAttribute("partitioning", decode::PartitioningAttr::get(context, partitioning));
    state.addAttribute("communication", decode::CommunicationAttr::get(context, communication));
    state.addRegion()->emplaceBlock();
}

LogicalResult EntryOp::verify() {
    if (getModule() < 0) return emitOpError("module is negative");
    if (getChannelMask() < 0 || getChannelMask() > 0xffffffff) {
        return emitOpError() << "channel_mask " << getChannelMask() << " is not 0 to 4294967295";
    }
    if (getItemsOf() && !getBody().front().empty()) {
        return emitOpError() << "shares the instructions of " << *getItemsOf()
                             << " and has some of its own; leave out one";
    }
    return mlir::success();
}

LogicalResult EntryOp::verifySymbolUses(mlir::SymbolTableCollection& symbols) {
    if (!getItemsOfAttr()) return mlir::success();
    auto other = symbols.lookupNearestSymbolFrom<EntryOp>((*this)->getParentOp(), getItemsOfAttr());
    if (!other) {
        return emitOpError() << "shares " << getItemsOfAttr() << ", which is no pim.entry";
    }
    if (other.getItemsOf()) {
        return emitOpError() << "shares " << getItemsOfAttr() << ", which itself shares "
                             << other.getItemsOfAttr() << "; name that";
    }
    return mlir::success();
}

void LoopOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, std::int64_t count) {
    build_loop(builder, state, "count", count);
}
mlir::ParseResult LoopOp::parse(mlir::OpAsmParser& parser, mlir::OperationState& result) {
    return parse_loop(parser, result, "count");
}
void LoopOp::print(mlir::OpAsmPrinter& printer) {
    print_loop(printer, *this, "count", getCount());
}
LogicalResult LoopOp::verify() {
    return check_loop(*this, "count", getCount());
}

void DynLoopOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, std::int64_t span) {
    build_loop(builder, state, "span", span);
}
mlir::ParseResult DynLoopOp::parse(mlir::OpAsmParser& parser, mlir::OperationState& result) {
    return parse_loop(parser, result, "span");
}
void DynLoopOp::print(mlir::OpAsmPrinter& printer) {
    print_loop(printer, *this, "span", getSpan());
}
LogicalResult DynLoopOp::verify() {
    const std::int64_t span = getSpan();
    if (failed(check_loop(*this, "span", span))) return mlir::failure();
    if (auto outer = (*this)->getParentOfType<DynLoopOp>()) {
        if (span > outer.getSpan()) {
            return emitOpError() << "span " << span << " is above " << outer.getSpan()
                                 << ", the piece of the loop around it";
        }
    }
    return mlir::success();
}

LogicalResult DynModiOp::verify() {
    if (getIterations().size() != getSteps().size()) {
        return emitOpError() << "has " << getSteps().size() << " steps of "
                             << getIterations().size() << " iterations";
    }
    for (const auto [index, value] : llvm::enumerate(getIterations())) {
        const auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
        if (!argument || !is_loop(argument.getOwner()->getParentOp())) {
            return emitOpError("moves with the iterations of pim.loop and pim.dyn_loop only");
        }
        if (llvm::is_contained(getIterations().take_front(index), value)) {
            return emitOpError("has two steps of one loop; add them up");
        }
    }
    for (const std::int64_t step : getSteps()) {
        if (!llvm::isInt<32>(step)) return emitOpError() << "step " << step << " exceeds 32 bits";
    }
    return mlir::success();
}

LogicalResult DynModiOp::verifySymbolUses(mlir::SymbolTableCollection& symbols) {
    return getRegionAttr() ? check_region(*this, getRegionAttr(), symbols) : mlir::success();
}

std::optional<Moved> moved(mlir::Value value) {
    mlir::Operation* op = value.getDefiningOp();
    if (auto constant = mlir::dyn_cast_or_null<mlir::arith::ConstantOp>(op)) {
        if (const auto number = mlir::dyn_cast<mlir::IntegerAttr>(constant.getValue())) {
            return Moved{number.getInt(), {}, {}};
        }
        return std::nullopt;
    }
    auto modi = mlir::dyn_cast_or_null<DynModiOp>(op);
    if (!modi) return std::nullopt;
    Moved result{modi.getBase(), {}, modi.getRegionAttr()};
    for (const auto [iteration, step] : llvm::zip_equal(modi.getIterations(), modi.getSteps())) {
        result.steps.push_back({mlir::cast<mlir::BlockArgument>(iteration), step});
    }
    return result;
}

unsigned depth(mlir::Operation* op, mlir::BlockArgument iteration) {
    unsigned result = 0;
    for (mlir::Operation* around = op->getParentOp(); around; around = around->getParentOp()) {
        if (!is_loop(around)) continue;
        ++result;
        if (around == iteration.getOwner()->getParentOp()) return result;
    }
    return 0;
}

}  // namespace memside::pimir
