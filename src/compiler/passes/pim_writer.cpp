#include "compiler/passes/pim_writer.h"

#include <mlir/Dialect/Arith/IR/Arith.h>

#include "pim/instruction_table.h"

namespace memside::compiler {
namespace {

using mlir::NamedAttribute;
using mlir::Value;
using pim::Field;

struct MovedField {
    Field field;
    Operand operand;
    std::uint32_t value;
};

// The moved fields that an instruction has, in the order of an operation's operands.
std::vector<MovedField> moved(const pim::Instruction& made) {
    const pim::InstructionInfo& row = pim::info(made.opcode);
    std::vector<MovedField> result;
    for (const MovedField& field : {MovedField{Field::gpr, Operand::gpr, made.gpr},
                                    {Field::row, Operand::row, made.row},
                                    {Field::column, Operand::column, made.column},
                                    {Field::gbuf, Operand::gbuf, made.gbuf},
                                    {Field::out, Operand::out, made.out}}) {
        if (row.has(field.field)) result.push_back(field);
    }
    return result;
}

std::string operation_name(const pim::InstructionInfo& row) {
    std::string name = "pim.";
    for (const char c : row.name.substr(row.name.find(' ') + 1)) {
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return name;
}

}  // namespace

PimWriter::PimWriter(pimir::EntryOp entry, llvm::ArrayRef<mlir::FlatSymbolRefAttr> regions,
                     mlir::Location location, llvm::ArrayRef<mlir::DenseF32ArrayAttr> tables)
    : builder_(entry.getContext()),
      location_(location),
      body_(&entry.getBody().front()),
      regions_(regions),
      tables_(tables) {
    builder_.setInsertionPointToEnd(body_);
}

LoopId PimWriter::enter(mlir::Operation* loop) {
    mlir::Block& block = loop->getRegion(0).front();
    builder_.setInsertionPointToEnd(&block);
    open_.push_back(loop);
    iterations_.push_back(block.getArgument(0));
    return static_cast<LoopId>(iterations_.size() - 1);
}

LoopId PimWriter::begin_loop(std::uint32_t count) {
    return enter(builder_.create<pimir::LoopOp>(location_, std::int64_t{count}));
}

LoopId PimWriter::begin_token_loop(std::uint32_t span) {
    return enter(builder_.create<pimir::DynLoopOp>(location_, std::int64_t{span}));
}

void PimWriter::end_loop() {
    builder_.setInsertionPointAfter(open_.pop_back_val());
}

Value PimWriter::constant(std::int64_t value) {
    Value& known = constants_[value];
    if (known) return known;
    mlir::OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(body_);
    known = builder_.create<mlir::arith::ConstantIndexOp>(location_, value);
    return known;
}

Value PimWriter::operand(std::uint32_t base, Operand kind, const Steps& steps,
                         mlir::FlatSymbolRefAttr region) {
    llvm::SmallVector<Value> iterations;
    llvm::SmallVector<std::int64_t> by;
    for (const Step& step : steps) {
        if (step.operand != kind) continue;
        iterations.push_back(iterations_[step.loop]);
        by.push_back(step.step);
    }
    if (iterations.empty() && !region) return constant(base);
    return builder_.create<pimir::DynModiOp>(location_, builder_.getIndexType(),
                                             builder_.getI64IntegerAttr(base), iterations,
                                             builder_.getDenseI64ArrayAttr(by), region);
}

void PimWriter::create(llvm::StringRef name, llvm::ArrayRef<Value> operands,
                       llvm::ArrayRef<NamedAttribute> attributes) {
    mlir::OperationState state(location_, name);
    state.addOperands(operands);
    state.addAttributes(attributes);
    builder_.create(state);
}

void PimWriter::write(const CodeLine& line, const Steps& steps) {
    const pim::InstructionInfo& row = pim::info(line.instruction.opcode);
    llvm::SmallVector<Value> operands;
    for (const MovedField& field : moved(line.instruction)) {
        const bool is_row = field.operand == Operand::row && line.region;
        operands.push_back(operand(field.value, field.operand, steps,
                                   is_row ? regions_[*line.region] : mlir::FlatSymbolRefAttr()));
    }
    llvm::SmallVector<NamedAttribute> attributes;
    const auto number = [&](llvm::StringRef name, std::int64_t value) {
        attributes.push_back(builder_.getNamedAttr(name, builder_.getI64IntegerAttr(value)));
    };
    if (row.has(Field::mask)) number("mask", line.instruction.mask);
    if (row.has(Field::bank)) number("bank", line.instruction.bank);
    if (row.has(Field::opsize)) number("opsize", line.instruction.opsize);
    if (line.opsize_span != 0) number("opsize_span", line.opsize_span);
    create(operation_name(row), operands, attributes);
}

void PimWriter::write(const pim::HubInstruction& hub, const Steps& steps) {
    const pim::HubOpInfo& row = pim::info(hub.op);
    llvm::SmallVector<Value> operands;
    llvm::SmallVector<NamedAttribute> attributes;
    for (std::size_t i = 0; i < pim::hub_field_count; ++i) {
        if ((row.fields >> i & 1U) == 0) continue;
        const pim::HubField& field = pim::hub_fields()[i];
        const llvm::StringRef name(field.name.data(), field.name.size());
        if (field.real != nullptr) {
            attributes.push_back(
                builder_.getNamedAttr(name, builder_.getF32FloatAttr(hub.*field.real)));
        } else if (field.number == &pim::HubInstruction::gpr) {
            operands.push_back(operand(hub.gpr, Operand::gpr, steps));
        } else if (field.number == &pim::HubInstruction::gpr2) {
            operands.push_back(operand(hub.gpr2, Operand::row, steps));
        } else if (field.number == &pim::HubInstruction::gpr_out) {
            operands.push_back(operand(hub.gpr_out, Operand::out, steps));
        } else if (field.number == &pim::HubInstruction::table) {
            if (hub.table == 0) continue;
            attributes.push_back(builder_.getNamedAttr("divisors", tables_[hub.table - 1]));
        } else if (field.number == &pim::HubInstruction::region) {
            attributes.push_back(builder_.getNamedAttr(name, regions_[hub.region]));
        } else {
            attributes.push_back(
                builder_.getNamedAttr(name, builder_.getI64IntegerAttr(hub.*field.number)));
        }
    }
    create(("pim.hub." + llvm::StringRef(row.name.data(), row.name.size())).str(), operands,
           attributes);
}

}  // namespace memside::compiler
