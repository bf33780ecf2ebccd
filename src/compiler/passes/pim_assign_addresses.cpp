// pim-assign-addresses: rows of every region.
#include "compiler/passes/passes.h"
#include "pim/dynamic/dynamic_program.h"
#include "pim/dynamic/kv_layout.h"

namespace memside::compiler {

#define GEN_PASS_DEF_PIMASSIGNADDRESSES
#include <compiler/passes/Passes.h.inc>

namespace {

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
        std::uint64_t next = 0;
        // Weights first: they are the same for every context.
        for (auto region : program.getOps<pimir::RegionOp>()) {
            if (!kv_of(region) &&
                failed(place(region, static_cast<std::uint64_t>(region.getRows()), next))) {
                return signalPassFailure();
            }
        }
        for (auto region : program.getOps<pimir::RegionOp>()) {
            const mlir::DictionaryAttr kv = kv_of(region);
            if (!kv || !is_static) continue;
            const pim::KvLayout layout =
                layout_of(kv, static_cast<unsigned>(program.getChannels()));
            region.setPerRequest(false);
            if (failed(place(region, layout.rows(max_context), next))) return signalPassFailure();
        }
        program.setMaxTokens(static_cast<std::int64_t>(max_context.getValue()));
    }

  private:
    static mlir::DictionaryAttr kv_of(pimir::RegionOp region) {
        return region->getAttrOfType<mlir::DictionaryAttr>("pim.kv");
    }

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
