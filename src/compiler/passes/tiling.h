// What decode-tile leaves on operations for convert-decode-to-pim: discardable attributes.
//   decode.registers = array<i64: first, tiles>   of a result or of a function's argument
//   decode.scratch = array<i64: first, tiles>     free while the operation runs
//   decode.block_tokens, decode.heads_at_once     of attention (and of append: the latter)
// and on the function decode.target = {channels, hfp, row_reuse, accumulators}.
#pragma once

#include <mlir/Dialect/Func/IR/FuncOps.h>

#include <optional>

#include "compiler/decode/decode.h"
#include "compiler/plan/attention_plan.h"
#include "compiler/plan/register_map.h"

namespace memside::compiler {

inline constexpr llvm::StringLiteral registers_name = "decode.registers";
inline constexpr llvm::StringLiteral scratch_name = "decode.scratch";
inline constexpr llvm::StringLiteral heads_name = "decode.heads_at_once";
inline constexpr llvm::StringLiteral block_name = "decode.block_tokens";
// Left by decode-partition. On attention: modules that share the tokens of its KV head, each with
// its part of the queries; on a function: what a stage has, as pim::StagePlace.
inline constexpr llvm::StringLiteral sharers_name = "decode.token_modules";
inline constexpr llvm::StringLiteral stage_name = "decode.stage";
inline constexpr llvm::StringLiteral target_name = "decode.target";
inline constexpr llvm::StringLiteral partition_name = "decode.heads";  // "hfp" or "tcp"

mlir::Attribute range_attribute(mlir::MLIRContext* context, const RegisterRange& range);
std::optional<RegisterRange> range_of(mlir::Attribute attribute);
// Of a value of a tiled function; nothing when it has none.
std::optional<RegisterRange> registers_of(mlir::Value value);

mlir::Attribute target_attribute(mlir::MLIRContext* context, const AttentionOptions& options);
// Fails with a diagnostic when the function was not tiled.
std::optional<AttentionOptions> target_of(mlir::func::FuncOp function);

// Modules that share the tokens of an operation's heads; 1 where nobody does.
std::uint32_t sharers_of(mlir::Operation* op);
// Of the heads of one module, with all queries that it attends with.
AttentionShape shape_of(decode::AttentionOp op);
// Of heads that read a cache, without window and scale.
AttentionShape shape_of(decode::CacheType cache, mlir::Type heads);
// The argument of the function that a cache began as; nothing with a diagnostic.
std::optional<mlir::BlockArgument> origin(mlir::Operation* user, mlir::Value cache);

}  // namespace memside::compiler
