// The tables of docs/pim-scheduling.md, as Markdown.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace memside::pim {

// MAC utilisation of QK^T by order of the program and by scheduler.
std::string score_table();
// The same for GQA groups with and without row reuse.
std::string gqa_table();
// Where the cycles of a channel go.
std::string activity_table();
// QK^T and SV as src/pim/kernels writes them, over head dimensions and GQA groups.
std::string kernel_table();
// How often ping-pong and dcs are slower than in-order, over random programs.
std::string comparison_table();
// The golden traces on which one of the two takes longer than in order.
std::string golden_table();

// Name in the document, and text.
std::vector<std::pair<std::string, std::string>> scheduling_figures();

}  // namespace memside::pim
