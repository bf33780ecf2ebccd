// Instructions of the device and the hub from their operations, and what is wrong with them: the
// tables of pim/ decide.
#include <algorithm>

#include "compiler/pim/pim.h"

namespace memside::pimir {
namespace {

using mlir::LogicalResult;
using pim::Field;

constexpr std::array<Field, 6> movable{Field::gpr,    Field::gpr2, Field::row,
                                       Field::column, Field::gbuf, Field::out};

std::int64_t attribute(mlir::Operation* op, llvm::StringRef name, std::int64_t otherwise) {
    const auto found = op->getAttrOfType<mlir::IntegerAttr>(name);
    return found ? found.getInt() : otherwise;
}

void set(pim::Instruction& instruction, Field field, std::uint32_t value) {
    switch (field) {
        case Field::gpr:
            instruction.gpr = value;
            return;
        case Field::gpr2:
            instruction.gpr2 = value;
            return;
        case Field::row:
            instruction.row = value;
            return;
        case Field::column:
            instruction.column = static_cast<std::uint16_t>(value);
            return;
        case Field::gbuf:
            instruction.gbuf = static_cast<std::uint16_t>(value);
            return;
        default:
            instruction.out = value;
    }
}

// The smallest and largest value of an operand over loops of a fixed count. Tokens are unknown
// here: encoding checks them against the program's max_tokens.
std::pair<std::int64_t, std::int64_t> range(const Moved& operand) {
    std::pair<std::int64_t, std::int64_t> result{operand.base, operand.base};
    for (const Moved::Step& step : operand.steps) {
        auto loop = mlir::dyn_cast<LoopOp>(step.iteration.getOwner()->getParentOp());
        if (!loop) continue;
        const std::int64_t last = step.step * (loop.getCount() - 1);
        (last < 0 ? result.first : result.second) += last;
    }
    return result;
}

// Operands as moved() reads them, in a loop around the operation.
LogicalResult check_operands(mlir::Operation* op) {
    for (const auto [index, value] : llvm::enumerate(op->getOperands())) {
        const auto operand = moved(value);
        if (!operand) {
            return op->emitOpError()
                   << "operand " << index << " must be an arith.constant or a pim.dyn_modi";
        }
        for (const Moved::Step& step : operand->steps) {
            if (depth(op, step.iteration) == 0) {
                return op->emitOpError()
                       << "operand " << index << " moves with a loop that is not around it";
            }
        }
    }
    return mlir::success();
}

}  // namespace

llvm::ArrayRef<Field> moved_fields(pim::Opcode opcode) {
    using Fields = llvm::SmallVector<Field, 6>;
    static const std::vector<Fields> table = [] {
        std::vector<Fields> result;
        for (const pim::InstructionInfo& row : pim::instruction_table) {
            Fields& fields = result.emplace_back();
            llvm::copy_if(movable, std::back_inserter(fields),
                          [&](Field field) { return row.has(field); });
        }
        return result;
    }();
    return table[static_cast<std::size_t>(opcode)];
}

pim::Instruction instruction_of(AimOp op) {
    pim::Instruction result{.opcode = op.getOpcode()};
    for (const auto [field, value] :
         llvm::zip_equal(moved_fields(op.getOpcode()), op->getOperands())) {
        const auto operand = moved(value);
        if (!operand || operand->region) continue;
        set(result, field, static_cast<std::uint32_t>(operand->base));
    }
    result.opsize = static_cast<std::uint32_t>(attribute(op, "opsize", 1));
    result.mask = static_cast<std::uint32_t>(attribute(op, "mask", 0));
    result.bank = static_cast<std::uint8_t>(attribute(op, "bank", 0));
    if (op.getOpcode() == pim::Opcode::write_cfr) {
        result.gpr = static_cast<std::uint32_t>(attribute(op, "config", 0));
        result.gpr2 = static_cast<std::uint32_t>(attribute(op, "value", 0));
    }
    return pim::canonical(result);
}

std::uint32_t opsize_span_of(AimOp op) {
    return static_cast<std::uint32_t>(attribute(op, "opsize_span", 0));
}

LogicalResult verify_instruction(mlir::Operation* op) {
    auto aim = mlir::cast<AimOp>(op);
    const pim::Opcode opcode = aim.getOpcode();
    if (failed(check_operands(op))) return mlir::failure();
    // Attributes first, wider than the fields that hold them.
    const pim::Instruction made = instruction_of(aim);
    for (const auto& [name, field] :
         {std::pair{"opsize", Field::opsize}, std::pair{"mask", Field::mask},
          std::pair{"bank", Field::bank}, std::pair{"config", Field::config},
          std::pair{"value", Field::value}}) {
        if (!op->hasAttr(name)) continue;
        if (const auto fault = pim::find_fault(made, field, attribute(op, name, 0))) {
            return op->emitOpError() << fault->what;
        }
    }
    if (op->hasAttr("opsize_span")) {
        if (attribute(op, "opsize_span", 0) < 1)
            return op->emitOpError("is `per` fewer than 1 token");
        if (made.opsize != 1) {
            return op->emitOpError() << "has opsize " << made.opsize
                                     << " per tokens; write opsize 1 per so many tokens";
        }
        if (op->getParentOfType<DynLoopOp>() == nullptr) {
            return op->emitOpError("has an opsize per tokens outside of a pim.dyn_loop");
        }
    }
    for (const auto [field, value] : llvm::zip_equal(moved_fields(opcode), op->getOperands())) {
        const Moved operand = *moved(value);
        if (operand.region) {
            if (field == Field::row) continue;
            return op->emitOpError()
                   << pim::info(field).name << " is no row: it cannot be one of " << operand.region;
        }
        if (field == Field::gpr2 && !operand.steps.empty()) {
            return op->emitOpError("the second GPR cannot move");
        }
        const auto [low, high] = range(operand);
        for (const std::int64_t end : {low, high}) {
            if (const auto fault = pim::find_fault(made, field, end)) {
                return op->emitOpError() << fault->what;
            }
        }
    }
    return mlir::success();
}

llvm::SmallVector<std::uint32_t pim::HubInstruction::*, 3> moved_members(pim::HubOp op) {
    llvm::SmallVector<std::uint32_t pim::HubInstruction::*, 3> result;
    for (std::size_t i = 0; i < pim::hub_field_count; ++i) {
        const pim::HubField& field = pim::hub_fields()[i];
        if ((pim::info(op).fields >> i & 1U) != 0 &&
            (field.name == "gpr" || field.name == "gpr2" || field.name == "gpr_out")) {
            result.push_back(field.number);
        }
    }
    return result;
}

pim::HubInstruction instruction_of(HubOp op) {
    pim::HubInstruction result{.op = op.getHub()};
    for (const auto [member, value] :
         llvm::zip_equal(moved_members(op.getHub()), op->getOperands())) {
        if (const auto operand = moved(value)) {
            result.*member = static_cast<std::uint32_t>(operand->base);
        }
    }
    for (std::size_t i = 0; i < pim::hub_field_count; ++i) {
        const pim::HubField& field = pim::hub_fields()[i];
        if ((pim::info(op.getHub()).fields >> i & 1U) == 0) continue;
        const mlir::Attribute value =
            op->getAttr(llvm::StringRef(field.name.data(), field.name.size()));
        if (const auto whole = mlir::dyn_cast_or_null<mlir::IntegerAttr>(value)) {
            result.*field.number = static_cast<std::uint32_t>(whole.getInt());
        } else if (const auto real = mlir::dyn_cast_or_null<mlir::FloatAttr>(value)) {
            result.*field.real = static_cast<float>(real.getValueAsDouble());
        }
    }
    return result;
}

mlir::FlatSymbolRefAttr region_of(HubOp op) {
    return op->getAttrOfType<mlir::FlatSymbolRefAttr>("region");
}

mlir::DenseF32ArrayAttr divisors_of(HubOp op) {
    return op->getAttrOfType<mlir::DenseF32ArrayAttr>("divisors");
}

LogicalResult verify_hub(mlir::Operation* op) {
    auto hub = mlir::cast<HubOp>(op);
    if (failed(check_operands(op))) return mlir::failure();
    for (const pim::HubField& field : pim::hub_fields()) {
        const auto value = op->getAttrOfType<mlir::IntegerAttr>(
            llvm::StringRef(field.name.data(), field.name.size()));
        if (!value || (value.getInt() >= field.low && value.getInt() <= field.high)) continue;
        return op->emitOpError() << llvm::StringRef(field.name.data(), field.name.size()) << " "
                                 << value.getInt() << " is not " << field.low << " to "
                                 << field.high;
    }
    for (const mlir::Value value : op->getOperands()) {
        const Moved operand = *moved(value);
        if (operand.region) {
            return op->emitOpError()
                   << "has registers only, which are none of the rows of " << operand.region;
        }
        const auto [low, high] = range(operand);
        if (low < 0 || high >= pim::gpr_entries) {
            return op->emitOpError()
                   << "GPR " << (low < 0 ? low : high) << " is not 0 to " << pim::gpr_entries - 1;
        }
    }
    if (const auto fault = pim::find_fault(instruction_of(hub), 0)) {
        return op->emitOpError() << *fault;
    }
    if (const auto divisors = divisors_of(hub)) {
        const std::uint32_t pairs = instruction_of(hub).head_dim / 2;
        if (divisors.size() != pairs) {
            return op->emitOpError()
                   << "has " << divisors.size() << " divisors for " << pairs << " pairs";
        }
    }
    const auto region = region_of(hub);
    const auto program = op->getParentOfType<ProgramOp>();
    if (region && program &&
        !mlir::isa_and_nonnull<RegionOp>(mlir::SymbolTable::lookupSymbolIn(program, region))) {
        return op->emitOpError() << "names " << region << ", which is no pim.region of the program";
    }
    return mlir::success();
}

}  // namespace memside::pimir
