// Measures this machine with the engine's own kernels, on shapes of its own: no model is opened and
// no step decoded. What comes out are the constants of system/cpu_schema.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace memside::calibrate {

struct CalibrationOptions {
    unsigned threads = 0;  // at work together; 0: all cores
    int turns = 9;         // of every probe
    std::string folder;    // for a file of weights, and whose disk is measured
    std::function<void(std::size_t taken, std::size_t of)> progress;  // if set
};

struct MeasuredConstant {
    std::string key;
    std::string text;     // "38.9 GB/s"
    std::string how;      // "median of 9 turns"
    double spread = 0.0;  // half the distance of the quartiles, relative; 0: of nothing measured
};

struct Calibration {
    unsigned threads = 0;
    std::vector<MeasuredConstant> all;     // with all threads at work, in the order of the schema
    std::vector<MeasuredConstant> single;  // with one
    std::string kernels;                   // which were in use
};

// environment or infeasible when the machine lacks memory or the folder takes no file.
Result<Calibration> calibrate(const CalibrationOptions& options);

// The system description, YAML that system/ reads. `date` as 2026-11-24; `version` of the program.
std::string describe(const Calibration& calibration, const std::string& version,
                     const std::string& date);

}  // namespace memside::calibrate
