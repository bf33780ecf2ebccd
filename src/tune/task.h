// What is tuned: one convolution on one target of one machine. A database keeps trials by task.
#pragma once

#include <string>

#include "conv/conv_shape.h"

namespace memside::tune {

struct Task {
    conv::ConvShape shape;
    std::string dtype;   // "int8", "int4"
    std::string target;  // "x86-vnni"
    int threads = 1;
    std::string machine;  // this_machine()
};

// The processor's name and how many of its threads this process may use: "AMD EPYC 9B45, 2
// threads".
std::string this_machine();

}  // namespace memside::tune
