// One attention of three operations.
#pragma once

#include "compiler/decode/decode.h"

namespace memside::compiler {

// Scores and weights must have no other use.
void fuse(decode::QkOp qk, decode::SoftmaxOp softmax, decode::SvOp sv);

}  // namespace memside::compiler
