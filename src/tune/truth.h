// A search space whose every point has been measured: what a search would have found in it, and
// after how many trials, can be replayed without measuring again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tune/candidates.h"

namespace memside::tune {

struct Truth {
    std::string name;
    std::shared_ptr<const Candidates> candidates;
    std::vector<double> time_ns;  // per candidate; 0: it failed
    double best_time_ns = 0;

    // Of a candidate, in (0, 1]: the best time over its time. 0 when it failed.
    double share_of_best(CandidateId id) const {
        return time_ns[id] > 0 ? best_time_ns / time_ns[id] : 0.0;
    }
};

// A table as it was read: rows are as long as heads, where(row) is their place for messages.
struct TruthTable {
    std::vector<std::string> heads;
    std::vector<std::vector<std::string>> rows;
    std::function<std::string(std::size_t)> where;
};

// `time_ns` is a point's time, empty or 0 when it failed; `error` says why;
// `spread` is for its readers. Columns whose names
// begin with `feature_` are what is known of a point without measuring; all others are knobs, whose
// values stand in numerical order if they are numbers, else in the order of appearance. Points that
// the table does not have are not valid. bad_input at `file` or a row's place.
Result<Truth> make_truth(std::string name, const std::string& file, const TruthTable& table);

}  // namespace memside::tune
