// The parts of a Spec that a standard gives: command bus, levels, rules. In this order, because
// each needs what those before it have read.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "dram/constant_reader.h"
#include "dram/spec.h"

namespace memside::dram {

// The buses and how long commands occupy them.
Status read_bus(const ConfigNode& standard, Spec& spec);

// The hierarchy, with the counts of a description's `organisation`.
Status read_levels(const ConfigNode& standard, ConstantSection& organisation, Spec& spec);

// The keys of `organisation` that count the levels of `spec`.
std::vector<std::string> organisation_keys(const Spec& spec);

// Latencies, refresh and the timing rules, with the numbers of spec.timing. Every one of the
// document's `timing` must be of use.
Status read_standard(const ConfigNode& document, const ConfigNode& standard, Spec& spec);

}  // namespace memside::dram
