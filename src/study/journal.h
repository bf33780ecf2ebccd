// Finished points of a study in a file, so that a run that was killed goes on where it stopped.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/result.h"
#include "cluster/simulate.h"

namespace memside {

// Stands for everything that the result of a request depends on: program version, settings, every
// constant of the system, the model's shape, and the content of the files that it reads.
std::string fingerprint(const SimulationRequest& request);

// A line per point: its fingerprint, a blank, the result as JSON on one line. Lines are appended
// whole; a last line that an end of the process cut short is left out when the file is read.
class Journal {
  public:
    // Results by fingerprint; none when the file does not exist. Lines that are not whole, or that
    // no version of this program wrote, are passed over.
    static std::map<std::string, SimulationResult> read(const std::string& path);

    // Starts the file again with these lines, as one step.
    static Status write(const std::string& path,
                        const std::vector<std::pair<std::string, std::string>>& lines);

    explicit Journal(std::string path) : path_(std::move(path)) {}
    // Appends a line. Threads take turns.
    Status append(const std::string& key, const std::string& json_line);

  private:
    std::string path_;
    std::mutex mutex_;
};

// A result's JSON without its line breaks.
std::string json_line(const SimulationResult& result);

}  // namespace memside
