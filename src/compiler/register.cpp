#include "compiler/register.h"

#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/Linalg/IR/Linalg.h>
#include <mlir/Dialect/Math/IR/Math.h>
#include <mlir/Dialect/Tensor/IR/Tensor.h>

#include "compiler/decode/decode.h"
#include "compiler/front/passes.h"
#include "compiler/passes/passes.h"
#include "compiler/pim/pim.h"
#include "compiler/pnm/passes.h"

namespace memside::compiler {

void register_dialects(mlir::DialectRegistry& registry) {
    registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::linalg::LinalgDialect,
                    mlir::math::MathDialect, mlir::tensor::TensorDialect, decode::DecodeDialect,
                    pimir::PimDialect, pnmir::PnmDialect>();
}

void register_passes() {
    registerFrontPasses();
    registerCompilerPasses();
    registerPnmPasses();
}

}  // namespace memside::compiler
