// What the conversion from `decode` to `pim` shares: the program that is made, its regions, and the
// entry of each operation. A file for each kind of operation has one of the functions below.
#pragma once

#include <llvm/ADT/StringMap.h>

#include "compiler/passes/pim_writer.h"
#include "compiler/passes/tiling.h"
#include "compiler/plan/score_layout.h"

namespace memside::compiler {

// Keys or values of a cache: a region for each round of heads, from `first` on.
struct CacheRegions {
    std::size_t first = 0;
    std::uint32_t heads_at_once = 0;
};

class Lowering {
  public:
    Lowering(mlir::func::FuncOp function, const AttentionOptions& options,
             pimir::ProgramOp program);

    // A region of `rows` rows in the order of the calls, by its index. Of the same name: the same.
    // With a layout (pim.kv, pim.scores) it is the request's.
    std::size_t region(llvm::StringRef name, std::uint32_t rows,
                       mlir::NamedAttribute* layout = nullptr);
    // Regions of a cache, made when they are asked for first.
    std::optional<CacheRegions> cache(mlir::Operation* user, mlir::Value value,
                                      std::uint32_t heads_at_once);
    // A weight's name; nothing with a diagnostic when it is no decode.weight.
    std::optional<std::string> weight_name(mlir::Operation* user, mlir::Value weight);

    // Regions of the scores of rounds of heads, for argument or result `name`: the first one.
    std::size_t scores(llvm::StringRef name, llvm::ArrayRef<HeadRound> rounds,
                       llvm::ArrayRef<ScoreLayout> layouts);
    // The number of a table, from 1 on: the values of a decode.weight that has some; nothing with a
    // diagnostic.
    std::optional<std::uint32_t> table(mlir::Operation* user, mlir::Value weight);

    // An entry for `op`, with what it records. Writers are short-lived: one at a time.
    PimWriter entry(decode::StepOp op, llvm::StringRef what);
    // What modules exchange after the last entry.
    void exchange(std::uint32_t gpr, std::uint32_t tiles, std::uint32_t gpr_out,
                  std::uint32_t parts);
    // The last entry is of this module alone, whatever its operation records.
    void alone() { last_entry_.setCommunication(decode::Communication::none); }
    // An entry without instructions, where they exchange only.
    void communicate(llvm::StringRef what, decode::Communication communication,
                     mlir::Location location);
    // The modules of a request's tokens: they share them in blocks.
    void share_tokens(std::uint32_t modules, std::uint32_t block);
    // Entries that bring the hidden vector from the stage before and to the next one.
    void receive();
    void send();

    // The first of the layer's modules, whose part the program is.
    std::int64_t first_module() const;
    const AttentionOptions& options() const { return options_; }
    std::uint32_t zero_gpr() const { return 0; }
    void block_tokens(std::uint32_t tokens) { block_tokens_ = std::max(block_tokens_, tokens); }

    // Regions, names and registers of operands go into the program.
    void finish();

  private:
    mlir::func::FuncOp function_;
    AttentionOptions options_;
    pimir::ProgramOp program_;
    mlir::OpBuilder builder_;
    llvm::SmallVector<mlir::FlatSymbolRefAttr> regions_;
    llvm::StringMap<std::size_t> region_index_;
    llvm::DenseMap<mlir::Value, CacheRegions> caches_;
    llvm::SmallVector<mlir::DenseF32ArrayAttr> tables_;
    mlir::Operation* last_region_ = nullptr;
    pimir::EntryOp last_entry_;
    std::uint32_t entries_ = 0;
    std::uint32_t block_tokens_ = 0;
};

// The registers of a value and the scratch of an operation: what decode-tile has left.
std::uint32_t first_register(mlir::Value value);
RegisterRange scratch_of(mlir::Operation* op);
std::uint32_t tiles_of(mlir::Value value);

mlir::LogicalResult lower(decode::AttentionOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::QkOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::SvOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::AppendOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::LinearOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::RmsNormOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::RopeOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::GateOp op, Lowering& lowering);
mlir::LogicalResult lower(decode::AddOp op, Lowering& lowering);

}  // namespace memside::compiler
