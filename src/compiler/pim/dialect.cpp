#include "compiler/pim/pim.h"

#include <mlir/IR/DialectImplementation.h>

// Each needs those before it.
// clang-format off
#include <compiler/pim/Dialect.cpp.inc>
#include <compiler/pim/Interfaces.cpp.inc>
// clang-format on

namespace memside::pimir {

void PimDialect::initialize() {
    addOperations<
#define GET_OP_LIST
#include <compiler/pim/Ops.cpp.inc>
        >();
}

}  // namespace memside::pimir
