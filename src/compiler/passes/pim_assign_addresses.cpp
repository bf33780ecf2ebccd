// pim-assign-addresses: rows of every region.
#include "compiler/passes/passes.h"
#include "pim/dynamic/dynamic_program.h"
#include "pim/dynamic/kv_layout.h"

namespace memside::compiler {

#define GEN_PASS_DEF_PIMASSIGNADDRESSES
#include <compiler/passes/Passes.h.inc>

namespace {

// How many rows of a region `tokens` tokens take.
struct Growth {
    std::uint32_t tokens = 0;
    std::uint32_t rows = 0;
};

// Of a region that convert-decode-to-pim made for keys or values.
pim::KvLayout layout_of(mlir::DictionaryAttr kv, unsigned channels) {
    const auto number = [&](llvm::StringRef name) {
        return static_cast<std::uint32_t>(kv.getAs<mlir::IntegerAttr>(name).getInt());
    };
    return {
        .kind = kv.getAs<mlir::BoolAttr>("key").getValue() ? pim::KvKind::key : pim::KvKind::value,
        .head_dim = number("head_dim"),
        .channels = channels,
        .ways = number("ways"),
        .heads = number("heads")};
}

// Of a region for keys, values or scores; nothing for weights.
std::optional<Growth> growth_of(pimir::RegionOp region, unsigned channels) {
    if (const auto kv = region->getAttrOfType<mlir::DictionaryAttr>("pim.kv")) {
        const pim::KvLayout layout = layout_of(kv, channels);
        return Growth{layout.row_tokens(), layout.rows_per_step()};
    }
    if (const auto scores = region->getAttrOfType<mlir::DenseI64ArrayAttr>("pim.scores")) {
        return Growth{static_cast<std::uint32_t>(scores[0]), static_cast<std::uint32_t>(scores[1])};
    }
    return std::nullopt;
}

class PimAssignAddressesPass : public impl::PimAssignAddressesBase<PimAssignAddressesPass> {
  public:
    using PimAssignAddressesBase::PimAssignAddressesBase;

    void runOnOperation() override {
        pimir::ProgramOp program = getOperation();
        if (access != "dpa" && access != "static") {
            program.emitError() << "access=" << access << "; allowed: static, dpa";
            return signalPassFailure();
        }
        const bool is_static = access == "static";
        if (is_static && (max_context == 0 || max_context > pim::max_request_tokens)) {
            program.emitError() << "static addresses need max-context, 1 to "
                                << pim::max_request_tokens << " tokens";
            return signalPassFailure();
        }
        if (is_static && program.getTokenModules() > 1) {
            program.emitError(
                "static rows of tokens that modules share are not laid out; give dpa");
            return signalPassFailure();
        }
        const auto channels = static_cast<unsigned>(program.getChannels());
        std::uint64_t next = 0;
        // Weights first: they are the same for every context.
        for (auto region : program.getOps<pimir::RegionOp>()) {
            if (!growth_of(region, channels) &&
                failed(place(region, static_cast<std::uint64_t>(region.getRows()), next))) {
                return signalPassFailure();
            }
        }
        for (auto region : program.getOps<pimir::RegionOp>()) {
            const auto growth = growth_of(region, channels);
            if (!growth) continue;
            if (!is_static) {
                region.setSpanTokens(growth->tokens);
                region.setSpanRows(growth->rows);
                continue;
            }
            region.setPerRequest(false);
            const std::uint64_t rows =
                std::uint64_t{pim::units(max_context, growth->tokens)} * growth->rows;
            if (failed(place(region, rows, next))) return signalPassFailure();
        }
        program.setMaxTokens(static_cast<std::int64_t>(max_context.getValue()));
    }

  private:
    static mlir::LogicalResult place(pimir::RegionOp region, std::uint64_t rows,
                                     std::uint64_t& next) {
        if (next + rows > pim::rows_per_bank) {
            return region.emitOpError() << "needs " << rows << " rows from row " << next
                                        << " on; a bank has " << pim::rows_per_bank;
        }
        region.setRows(static_cast<std::int64_t>(rows));
        region.setFirstRow(static_cast<std::int64_t>(next));
        next += rows;
        return mlir::success();
    }
};

}  // namespace
}  // namespace memside::compiler
