// The mlir-opt of the project's dialects.
#include <mlir/Tools/mlir-opt/MlirOptMain.h>

#include "compiler/register.h"

int main(int argc, char** argv) {
    mlir::DialectRegistry registry;
    memside::compiler::register_dialects(registry);
    memside::compiler::register_passes();
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, "passes over the dialects decode, pim and pnm\n", registry));
}
