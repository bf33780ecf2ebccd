// pim-order-commands: loop distribution where no two iterations share an accumulator, a GBuf entry
// or a register, so that the order of commands alone changes.
#include <mlir/IR/IRMapping.h>

#include <map>

#include "compiler/passes/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_PIMORDERCOMMANDS
#include <compiler/passes/Passes.h.inc>

namespace {

using mlir::Operation;
using pim::Field;

constexpr std::int64_t unbounded = std::int64_t{1} << 40;

// Entries of a resource that a statement touches in one iteration of a loop: from first + iteration
// x step on, `count` of them.
struct Access {
    enum class Resource : std::uint8_t { accumulator, gbuf, gpr } resource;
    bool writes = false;
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t step = 0;
};

// The most iterations of a loop: of one over pieces, those of a whole piece around it.
std::int64_t iterations(Operation* loop) {
    if (auto fixed = mlir::dyn_cast<pimir::LoopOp>(loop)) {
        return static_cast<std::int64_t>(fixed.getCount());
    }
    auto inner = mlir::cast<pimir::DynLoopOp>(loop);
    auto outer = loop->getParentOfType<pimir::DynLoopOp>();
    if (!outer) return unbounded;
    const auto span = static_cast<std::int64_t>(inner.getSpan());
    return (static_cast<std::int64_t>(outer.getSpan()) + span - 1) / span;
}

bool is_loop(Operation* op) {
    return mlir::isa<pimir::LoopOp, pimir::DynLoopOp>(op);
}

// What `op`, a statement of `loop`, touches. false: something that no loop may be split around.
class Accesses {
  public:
    explicit Accesses(Operation* loop) : loop_(loop) {}

    bool collect(Operation* op) {
        if (is_loop(op)) {
            for (Operation& inner : op->getRegion(0).front()) {
                if (!collect(&inner)) return false;
            }
            return true;
        }
        if (mlir::isa<pimir::DynModiOp, mlir::arith::ConstantOp>(op)) return true;
        auto aim = mlir::dyn_cast<pimir::AimOp>(op);
        if (!aim) return false;
        return collect(aim);
    }

    const std::vector<Access>& found() const { return found_; }

  private:
    using Resource = Access::Resource;

    bool collect(pimir::AimOp op) {
        const std::int64_t length = entries(op);
        switch (op.getOpcode()) {
            case pim::Opcode::wr_bias:
                return add(op, Field::out, Resource::accumulator, true, 1) &&
                       add(op, Field::gpr, Resource::gpr, false, 1);
            case pim::Opcode::mac_abk:
                return add(op, Field::out, Resource::accumulator, true, 1) &&
                       add(op, Field::gbuf, Resource::gbuf, false, length);
            case pim::Opcode::rd_mac:
                return add(op, Field::out, Resource::accumulator, false, 1) &&
                       add(op, Field::gpr, Resource::gpr, true, pim::channel_count);
            case pim::Opcode::wr_gb:
                return add(op, Field::gbuf, Resource::gbuf, true, length) &&
                       add(op, Field::gpr, Resource::gpr, false, length);
            default:
                return false;
        }
    }

    static std::int64_t entries(pimir::AimOp op) {
        return pimir::opsize_span_of(op) != 0 ? pim::gbuf_entries
                                              : pimir::instruction_of(op).opsize;
    }

    bool add(pimir::AimOp op, Field field, Resource resource, bool writes, std::int64_t count) {
        const auto fields = pimir::moved_fields(op.getOpcode());
        const auto index = static_cast<unsigned>(llvm::find(fields, field) - fields.begin());
        const auto operand = pimir::moved(op->getOperand(index));
        if (!operand) return false;
        Access access{resource, writes, operand->base, count, 0};
        for (const pimir::Moved::Step& step : operand->steps) {
            Operation* of = step.iteration.getOwner()->getParentOp();
            if (of == loop_) {
                access.step += step.step;
            } else if (loop_->isProperAncestor(of)) {
                if (step.step < 0) return false;
                access.count += step.step * (iterations(of) - 1);
            } else {
                // A loop around: it moves statements with the same steps alike.
                outer_[of] = step.step;
            }
        }
        found_.push_back(access);
        outer_steps_.push_back(outer_);
        outer_.clear();
        return true;
    }

  public:
    // Whether statement b of an iteration may run after statement a of a later one, and the other
    // way round: nothing that one writes is touched by the other in another iteration.
    static bool independent(const Accesses& a, const Accesses& b, std::int64_t trips) {
        for (std::size_t i = 0; i < a.found_.size(); ++i) {
            for (std::size_t j = 0; j < b.found_.size(); ++j) {
                const Access& x = a.found_[i];
                const Access& y = b.found_[j];
                if (x.resource != y.resource || (!x.writes && !y.writes)) continue;
                if (a.outer_steps_[i] != b.outer_steps_[j]) {
                    if (apart(x, y, trips, a.reach(i), b.reach(j))) continue;
                    return false;
                }
                if (x.step == y.step && x.step >= std::max(x.first + x.count, y.first + y.count) -
                                                      std::min(x.first, y.first)) {
                    continue;  // every iteration has entries of its own
                }
                if (apart(x, y, trips, 0, 0)) continue;
                return false;
            }
        }
        return true;
    }

  private:
    // How far loops around move an access at most.
    std::int64_t reach(std::size_t index) const {
        std::int64_t sum = 0;
        for (const auto& [loop, step] : outer_steps_[index]) {
            if (step < 0) return unbounded;
            sum += step * (iterations(loop) - 1);
        }
        return sum;
    }

    // All entries of one lie below all of the other.
    static bool apart(const Access& x, const Access& y, std::int64_t trips, std::int64_t x_reach,
                      std::int64_t y_reach) {
        if (x.step < 0 || y.step < 0) return false;
        const std::int64_t x_end = x.first + x.count + x.step * (trips - 1) + x_reach;
        const std::int64_t y_end = y.first + y.count + y.step * (trips - 1) + y_reach;
        return x_end <= y.first || y_end <= x.first;
    }

    Operation* loop_;
    std::vector<Access> found_;
    std::map<Operation*, std::int64_t> outer_;
    std::vector<std::map<Operation*, std::int64_t>> outer_steps_;  // by access
};

// A loop for each statement of `loop`, when that changes no result.
void distribute(Operation* loop) {
    mlir::Block& block = loop->getRegion(0).front();
    std::vector<Operation*> statements;
    for (Operation& op : block) {
        if (!mlir::isa<pimir::DynModiOp>(op)) statements.push_back(&op);
    }
    if (statements.size() < 2) return;
    const std::int64_t trips = iterations(loop);
    if (trips >= unbounded) return;
    std::vector<Accesses> accesses;
    for (Operation* statement : statements) {
        accesses.emplace_back(loop);
        if (!accesses.back().collect(statement)) return;
    }
    for (std::size_t i = 0; i < accesses.size(); ++i) {
        for (std::size_t j = i + 1; j < accesses.size(); ++j) {
            if (!Accesses::independent(accesses[i], accesses[j], trips)) return;
        }
    }
    // Copies of the loop, each without the other statements; unused operands go last.
    mlir::OpBuilder builder(loop);
    for (std::size_t kept = 0; kept < statements.size(); ++kept) {
        mlir::IRMapping mapping;
        Operation* copy = builder.clone(*loop, mapping);
        for (std::size_t i = 0; i < statements.size(); ++i) {
            if (i != kept) mapping.lookup(statements[i])->erase();
        }
        for (Operation& op :
             llvm::make_early_inc_range(llvm::reverse(copy->getRegion(0).front()))) {
            if (op.use_empty() && mlir::isa<pimir::DynModiOp>(op)) op.erase();
        }
    }
    loop->erase();
}

class PimOrderCommandsPass : public impl::PimOrderCommandsBase<PimOrderCommandsPass> {
  public:
    using PimOrderCommandsBase::PimOrderCommandsBase;

    void runOnOperation() override {
        std::vector<Operation*> loops;  // inner before outer
        getOperation().walk([&](Operation* op) {
            if (is_loop(op)) loops.push_back(op);
        });
        for (Operation* loop : loops) distribute(loop);
    }
};

}  // namespace
}  // namespace memside::compiler
