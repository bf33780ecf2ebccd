// Makes operations of the dialect `pim` of what a kernel writes.
#pragma once

#include <mlir/IR/Builders.h>

#include "compiler/pim/pim.h"
#include "compiler/plan/code_writer.h"

namespace memside::compiler {

class PimWriter : public CodeWriter {
  public:
    // Writes into `entry`; `regions` are those that CodeLine and append instructions name by index,
    // `tables` those that rotations name from 1 on.
    PimWriter(pimir::EntryOp entry, llvm::ArrayRef<mlir::FlatSymbolRefAttr> regions,
              mlir::Location location, llvm::ArrayRef<mlir::DenseF32ArrayAttr> tables = {});

    // Loops without a template around them, for who walks a tree.
    LoopId open(std::uint32_t count) { return begin_loop(count); }

  protected:
    LoopId begin_loop(std::uint32_t count) override;
    LoopId begin_token_loop(std::uint32_t span) override;
    void end_loop() override;
    void write(const CodeLine& line, const Steps& steps) override;
    void write(const pim::HubInstruction& hub, const Steps& steps) override;

  private:
    mlir::Value operand(std::uint32_t base, Operand kind, const Steps& steps,
                        mlir::FlatSymbolRefAttr region = {});
    // One for each number, at the entry's start.
    mlir::Value constant(std::int64_t value);
    LoopId enter(mlir::Operation* loop);
    void create(llvm::StringRef name, llvm::ArrayRef<mlir::Value> operands,
                llvm::ArrayRef<mlir::NamedAttribute> attributes);

    mlir::OpBuilder builder_;
    mlir::Location location_;
    mlir::Block* body_;
    llvm::SmallVector<mlir::FlatSymbolRefAttr> regions_;
    llvm::SmallVector<mlir::DenseF32ArrayAttr> tables_;
    llvm::SmallVector<mlir::Operation*> open_;   // loops, innermost last
    llvm::SmallVector<mlir::Value> iterations_;  // by LoopId
    llvm::DenseMap<std::int64_t, mlir::Value> constants_;
};

}  // namespace memside::compiler
