// The attention of one round of heads as instructions: under a loop over blocks of tokens QK^T,
// softmax on the extra processing unit, and SV.
#pragma once

#include "compiler/plan/attention_plan.h"
#include "compiler/plan/code_writer.h"
#include "compiler/plan/score_layout.h"

namespace memside::compiler {

// Regions of the round's keys and values, as CodeLine names them.
struct KvRegions {
    std::uint32_t keys = 0;
    std::uint32_t values = 1;
};

void write_attention(const AttentionPlan& plan, const KvRegions& regions, CodeWriter& writer);

// Its parts, within the loop over blocks `block`.
void write_scores(const AttentionPlan& plan, std::uint32_t region, LoopId block,
                  CodeWriter& writer);
void write_softmax(const AttentionPlan& plan, CodeWriter& writer);
void write_sums(const AttentionPlan& plan, std::uint32_t region, LoopId block, CodeWriter& writer);

// Outputs of a module's queries over all tokens, from what the modules that share them have sent.
void write_combine(const TokenExchange& exchange, const AttentionPlan& plan, std::uint32_t output,
                   CodeWriter& writer);

// QK^T alone, of a plan of plan_scores(): scores, not scaled, to `scores`. SV alone, of a plan of
// plan_sums(): sums of values by the weights there, which may be anything finite beyond the
// request's last token. Sums stay in FP32 over the whole context.
void write_qk(const AttentionPlan& plan, const ScoreLayout& layout, std::uint32_t keys,
              std::uint32_t scores, CodeWriter& writer);
void write_sv(const AttentionPlan& plan, const ScoreLayout& layout, std::uint32_t weights,
              std::uint32_t values, CodeWriter& writer);

// The new token's key or value into its place: head h of the round at gpr + h x tiles. Before
// write_attention(), whose scratch it uses.
void write_append(const AttentionPlan& plan, pim::KvKind kind, std::uint32_t region,
                  std::uint32_t gpr, CodeWriter& writer);

}  // namespace memside::compiler
