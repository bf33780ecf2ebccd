// A method of search: says which candidates to measure next, and learns what was measured. The
// methods stand in one table, explorers.cpp. A search is a loop (search.h) of propose() and
// observe(), after a first batch that all methods have in common.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tune/candidates.h"
#include "tune/cost_model.h"
#include "tune/distance.h"
#include "tune/random.h"

namespace memside::tune {

// A score is what is to be made large, above 0: operations per second. 0: the candidate failed.
struct Observation {
    CandidateId candidate = 0;
    double score = 0;
};

struct ExplorerOptions {
    std::uint64_t seed = 1;
    std::size_t plan = 64;               // candidates measured between two lessons
    std::string_view model = "xgboost";  // of cost_models()
    // annealing-filter: how many times `plan` the filter chooses from. AutoTVM has no default.
    std::size_t filter_ratio = 4;
    // distinct
    int mutations = 4;             // children of each parent in a step
    bool pool_by_distance = true;  // false: the best children, however alike
    Distance distance = Distance::knobs;
    int apart = 2;               // within a measured batch; 0: no thinning
    std::size_t thin_ratio = 2;  // how many times `plan` the thinning chooses from
};

class Explorer {
  public:
    virtual ~Explorer() = default;
    Explorer(const Explorer&) = delete;
    Explorer& operator=(const Explorer&) = delete;

    // Candidates to measure next: from 1 to `count`, none that was proposed or observed before;
    // none at all once there is no such candidate. The same calls of an explorer with the same seed
    // give the same candidates.
    std::vector<CandidateId> propose(std::size_t count);

    // What came of candidates, whoever proposed them.
    void observe(std::span<const Observation> results);

  protected:
    Explorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options);

    // propose() for 1 <= count <= unseen().
    virtual std::vector<CandidateId> choose(std::size_t count) = 0;

    const Candidates& space() const { return *candidates_; }
    const ExplorerOptions& options() const { return options_; }
    Random& random() { return random_; }

    // Neither proposed nor observed.
    bool is_unseen(CandidateId id) const { return place_[id] < unseen_.size(); }
    std::size_t unseen() const { return unseen_.size(); }
    // Uniform among the unseen ones.
    CandidateId random_unseen() { return unseen_[random_.below(unseen_.size())]; }
    // Appends random unseen candidates that `chosen` does not have, until it has `count`.
    void fill(std::vector<CandidateId>& chosen, std::size_t count);

    const std::vector<Observation>& observations() const { return observations_; }
    // -1 before it is observed.
    double score(CandidateId id) const { return scores_[id]; }
    // The first one of the largest score; requires an observation.
    CandidateId best() const;

  private:
    void see(CandidateId id);

    std::shared_ptr<const Candidates> candidates_;
    ExplorerOptions options_;
    Random random_;
    std::vector<CandidateId> unseen_;   // in no order
    std::vector<std::uint32_t> place_;  // of a candidate in unseen_; its size or more: not there
    std::vector<Observation> observations_;
    std::vector<double> scores_;
};

struct ExplorerKind {
    std::string_view name;
    std::string_view summary;
    std::unique_ptr<Explorer> (*make)(std::shared_ptr<const Candidates> candidates,
                                      const ExplorerOptions& options);
};

// exhaustive, the reference, is the last.
std::span<const ExplorerKind> explorers();
std::vector<std::string> explorer_names();

// A method as its user writes it: "distinct" or, for what its options do, "distinct:mutations=1,
// apart=0"; plan and seed are the caller's. Options: mutations (1-16), pool (distance or score),
// distance (knobs or steps), apart (0-16), thin-ratio and filter-ratio (1-16), model.
struct Method {
    std::string text;
    const ExplorerKind* kind = nullptr;
    ExplorerOptions options;

    std::unique_ptr<Explorer> make(std::shared_ptr<const Candidates> candidates, std::uint64_t seed,
                                   std::size_t plan) const;
};
Result<Method> parse_method(const std::string& text, const std::string& where);

// What every method measures first: `count` candidates, uniform, without repetition.
std::vector<CandidateId> first_batch(const Candidates& candidates, std::uint64_t seed,
                                     std::size_t count);

std::unique_ptr<Explorer> make_random(std::shared_ptr<const Candidates>, const ExplorerOptions&);
std::unique_ptr<Explorer> make_grid(std::shared_ptr<const Candidates>, const ExplorerOptions&);
std::unique_ptr<Explorer> make_annealing(std::shared_ptr<const Candidates>, const ExplorerOptions&);
std::unique_ptr<Explorer> make_annealing_filter(std::shared_ptr<const Candidates>,
                                                const ExplorerOptions&);
std::unique_ptr<Explorer> make_distinct(std::shared_ptr<const Candidates>, const ExplorerOptions&);
std::unique_ptr<Explorer> make_genetic(std::shared_ptr<const Candidates>, const ExplorerOptions&);
std::unique_ptr<Explorer> make_droplet(std::shared_ptr<const Candidates>, const ExplorerOptions&);
std::unique_ptr<Explorer> make_exhaustive(std::shared_ptr<const Candidates>,
                                          const ExplorerOptions&);

}  // namespace memside::tune
