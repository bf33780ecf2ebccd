// The timing constraints of a DRAM-PIM channel, by name, in cycles of its command clock. Values and
// their sources are in systems/timing/*.yaml; which pair of commands a constraint parts is written
// in docs/pim.md and nowhere assumed to be the default of another constraint.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dram/spec.h"

namespace memside::pim {

struct Timing {
    std::string name;
    double clock_ns = 0;
    // Of GDDR6-AiM, as the device's documents abbreviate them.
    int nBL = 0, nCL = 0, nCWL = 0, nRCDRD = 0, nRCDRDMAC = 0, nRCDEWMUL = 0, nRCDRDAF = 0;
    int nRCDRDCP = 0, nRCDWR = 0, nRCDWRCP = 0, nRP = 0, nRAS = 0, nRC = 0, nWR = 0, nRTP = 0;
    int nRRDS = 0, nRRDL = 0, nCCDS = 0, nCCDL = 0, nWTRS = 0, nWTRL = 0, nMODCH = 0;
    int nCLREG = 0, nCWLREG = 0, nCLGB = 0, nCWLGB = 0, nWPRE = 0;
    int nRTW = 0;  // what the data bus takes to turn from reading to writing
    int nREFI = 0, nRFCab = 0, nRFCpb = 0;
    std::vector<dram::SourcedConstant> constants;  // the same with their sources, for reports
};

// Reads a timing file: every constraint once, each with its source. A key that is missing, unknown
// or there twice, a value out of range and a source that is empty are errors with file and line.
Result<Timing> read_timing(const std::string& path);

// The file of GDDR6-AiM that ships with Memside.
Result<std::string> default_timing_path();

}  // namespace memside::pim
