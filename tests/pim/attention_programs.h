// Attention kernels as AiM programs, for comparisons in time. Operands of data (GPRs, columns) play
// no part and are left zero.
#pragma once

#include <cstdint>
#include <vector>

#include "pim/instruction.h"

namespace memside::pim {

struct AttentionShape {
    unsigned head_dim = 128;
    unsigned tokens = 1024;
    unsigned channels = channel_count;  // the lowest so many by index
    unsigned queries = 1;               // that share the KV head
    bool row_reuse = false;             // all queries while a row is open
};

// q.K^T: whole keys in rows, tokens dealt to banks and channels; the query is written to the GBuf
// for each pass.
std::vector<Instruction> score_program(const AttentionShape& shape);

// s.V: V transposed, a dimension a bank, 1,024 tokens a row; scores go to the GBuf.
std::vector<Instruction> value_program(const AttentionShape& shape);

}  // namespace memside::pim
