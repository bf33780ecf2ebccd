// The code generator's library, opened once for all tests.
#pragma once

#include <stdexcept>

#include "codegen/conv_compiler.h"

namespace memside::codegen {

inline const ConvCompiler& compiler() {
    static const Result<ConvCompiler> opened = ConvCompiler::open();
    if (!opened.ok()) throw std::runtime_error(opened.error().message());
    return opened.value();
}

}  // namespace memside::codegen
