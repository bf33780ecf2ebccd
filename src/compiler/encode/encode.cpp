#include "compiler/encode/encode.h"

#include <llvm/ADT/StringMap.h>

#include <mlir/Dialect/Arith/IR/Arith.h>

#include "compiler/encode/item_writer.h"

namespace memside::compiler {
namespace {

using mlir::Operation;
using mlir::Value;

// Instructions of an entry as items.
class EntryEncoder {
  public:
    EntryEncoder(const llvm::StringMap<std::uint32_t>& regions,
                 std::vector<std::vector<float>>& tables, ItemWriter& writer)
        : regions_(regions), tables_(tables), writer_(writer) {}

    mlir::LogicalResult block(mlir::Block& block) {
        for (Operation& op : block) {
            if (mlir::isa<pimir::DynModiOp, mlir::arith::ConstantOp>(op)) continue;
            if (auto loop = mlir::dyn_cast<pimir::LoopOp>(op)) {
                if (failed(body(loop.getBody().front(),
                                writer_.open(static_cast<std::uint32_t>(loop.getCount()))))) {
                    return mlir::failure();
                }
            } else if (auto tokens = mlir::dyn_cast<pimir::DynLoopOp>(op)) {
                if (failed(
                        body(tokens.getBody().front(),
                             writer_.open_tokens(static_cast<std::uint32_t>(tokens.getSpan()))))) {
                    return mlir::failure();
                }
            } else if (auto aim = mlir::dyn_cast<pimir::AimOp>(op)) {
                instruction(aim);
            } else if (auto hub = mlir::dyn_cast<pimir::HubOp>(op)) {
                hub_instruction(hub);
            } else {
                return op.emitOpError("is no instruction of a program");
            }
        }
        return mlir::success();
    }

  private:
    mlir::LogicalResult body(mlir::Block& inner, LoopId loop) {
        loops_[inner.getArgument(0)] = loop;
        const mlir::LogicalResult done = block(inner);
        writer_.close();
        return done;
    }

    void add_steps(Value value, Operand operand, Steps& steps) {
        const pimir::Moved moved = *pimir::moved(value);
        for (const pimir::Moved::Step& step : moved.steps) {
            steps.push_back({loops_.lookup(step.iteration), operand, step.step});
        }
    }

    void instruction(pimir::AimOp op) {
        CodeLine line{.instruction = pimir::instruction_of(op),
                      .opsize_span = pimir::opsize_span_of(op)};
        Steps steps;
        for (const auto [field, value] :
             llvm::zip_equal(pimir::moved_fields(op.getOpcode()), op->getOperands())) {
            if (field == pim::Field::gpr2) continue;
            add_steps(value, operand_of(field), steps);
            const auto region = pimir::moved(value)->region;
            if (!region) continue;
            line.region = regions_.lookup(region.getValue());
            line.instruction.row = static_cast<std::uint32_t>(pimir::moved(value)->base);
        }
        writer_.add(line, std::move(steps));
    }

    static Operand operand_of(pim::Field field) {
        switch (field) {
            case pim::Field::gpr:
                return Operand::gpr;
            case pim::Field::row:
                return Operand::row;
            case pim::Field::column:
                return Operand::column;
            case pim::Field::gbuf:
                return Operand::gbuf;
            default:
                return Operand::out;
        }
    }

    void hub_instruction(pimir::HubOp op) {
        pim::HubInstruction hub = pimir::instruction_of(op);
        if (const auto region = pimir::region_of(op))
            hub.region = regions_.lookup(region.getValue());
        if (const auto divisors = pimir::divisors_of(op)) hub.table = table(divisors);
        Steps steps;
        for (const auto [member, value] :
             llvm::zip_equal(pimir::moved_members(hub.op), op->getOperands())) {
            const Operand operand = member == &pim::HubInstruction::gpr    ? Operand::gpr
                                    : member == &pim::HubInstruction::gpr2 ? Operand::row
                                                                           : Operand::out;
            add_steps(value, operand, steps);
        }
        writer_.add(hub, std::move(steps));
    }

    // Its number, from 1 on: of equals the first.
    std::uint32_t table(mlir::DenseF32ArrayAttr values) {
        const std::vector<float> wanted(values.asArrayRef().begin(), values.asArrayRef().end());
        auto found = std::find(tables_.begin(), tables_.end(), wanted);
        if (found == tables_.end()) found = tables_.insert(found, wanted);
        return static_cast<std::uint32_t>(found - tables_.begin()) + 1;
    }

    const llvm::StringMap<std::uint32_t>& regions_;
    std::vector<std::vector<float>>& tables_;
    ItemWriter& writer_;
    llvm::DenseMap<Value, LoopId> loops_;
};

// The enumerations have the same names in the same order.
static_assert(static_cast<int>(pim::OpType::other) == static_cast<int>(decode::OpType::other));
static_assert(static_cast<int>(pim::Partitioning::copy) ==
              static_cast<int>(decode::Partitioning::copy));
static_assert(static_cast<int>(pim::Communication::receive) ==
              static_cast<int>(decode::Communication::receive));

pim::ExecutionEntry entry_of(pimir::EntryOp op) {
    pim::ExecutionEntry entry;
    entry.name = op.getSymName().str();
    entry.op_type = static_cast<pim::OpType>(op.getOpType());
    entry.partitioning = static_cast<pim::Partitioning>(op.getPartitioning());
    entry.communication = static_cast<pim::Communication>(op.getCommunication());
    entry.module = static_cast<std::uint32_t>(op.getModule());
    entry.channel_mask = static_cast<std::uint32_t>(op.getChannelMask());
    entry.region_base = static_cast<std::uint32_t>(op.getRegionBase());
    entry.gpr = static_cast<std::uint32_t>(op.getGpr());
    entry.tiles = static_cast<std::uint32_t>(op.getTiles());
    entry.gpr_out = static_cast<std::uint32_t>(op.getGprOut());
    entry.parts = static_cast<std::uint32_t>(op.getParts());
    return entry;
}

}  // namespace

std::optional<pim::DynamicProgram> encode(pimir::ProgramOp program) {
    pim::DynamicProgram made;
    made.model = program.getModel().str();
    made.target = program.getTarget().str();
    made.channels = static_cast<unsigned>(program.getChannels());
    made.chunk_rows = static_cast<std::uint32_t>(program.getChunkRows());
    made.max_tokens = static_cast<std::uint64_t>(program.getMaxTokens());
    made.block_tokens = static_cast<std::uint32_t>(program.getBlockTokens());
    made.stage = {static_cast<std::uint32_t>(program.getStage()),
                  static_cast<std::uint32_t>(program.getStages()),
                  static_cast<std::uint32_t>(program.getFirstLayer()),
                  static_cast<std::uint32_t>(program.getLayers())};
    made.share.modules = static_cast<std::uint32_t>(program.getTokenModules());
    made.share.block = static_cast<std::uint32_t>(program.getTokenBlock());
    llvm::StringMap<std::uint32_t> regions;
    for (auto region : program.getOps<pimir::RegionOp>()) {
        if (!region.getPerRequest() && !region.getFirstRow()) {
            region.emitOpError("has no address: run pim-assign-addresses before");
            return std::nullopt;
        }
        regions[region.getSymName()] = static_cast<std::uint32_t>(made.regions.size());
        made.regions.push_back(
            {.name = region.getSymName().str(),
             .rows = static_cast<std::uint32_t>(region.getRows()),
             .per_request = region.getPerRequest(),
             .first_row = static_cast<std::uint32_t>(region.getFirstRow().value_or(0)),
             .span_tokens = static_cast<std::uint32_t>(region.getSpanTokens()),
             .span_rows = static_cast<std::uint32_t>(region.getSpanRows())});
    }
    ItemWriter writer;
    llvm::StringMap<std::pair<std::uint32_t, std::uint32_t>> items;  // first and number, by entry
    for (auto op : program.getOps<pimir::EntryOp>()) {
        pim::ExecutionEntry entry = entry_of(op);
        if (const auto shared = op.getItemsOf()) {
            std::tie(entry.first_item, entry.item_count) = items.lookup(*shared);
        } else {
            entry.first_item = static_cast<std::uint32_t>(writer.size());
            if (failed(EntryEncoder(regions, made.tables, writer).block(op.getBody().front()))) {
                return std::nullopt;
            }
            entry.item_count = static_cast<std::uint32_t>(writer.size()) - entry.first_item;
            items[op.getSymName()] = {entry.first_item, entry.item_count};
        }
        made.entries.push_back(std::move(entry));
    }
    made.items = std::move(writer).finish();
    const auto fault = pim::find_fault(made);
    if (!fault) return made;
    program.emitOpError() << "cannot be encoded: part " << static_cast<int>(fault->part) << ", "
                          << fault->index << ": " << fault->what;
    return std::nullopt;
}

}  // namespace memside::compiler
