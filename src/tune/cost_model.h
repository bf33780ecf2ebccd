// Learns from measured candidates which of the others are worth measuring. The models stand in one
// table, cost_models.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace memside::tune {

// Row-major; a row per candidate. All values are finite.
struct FeatureTable {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::vector<float> values;

    std::span<const float> row(std::size_t index) const {
        return {values.data() + index * columns, columns};
    }
};

class CostModel {
  public:
    virtual ~CostModel() = default;

    // Forgets what it knew and learns `scores` of `rows`, at least one, no row twice. A score is in
    // [0, 1], the best one measured so far being 1 and a failure 0. `plan` is how many of the best
    // the caller will ask to measure next.
    virtual void fit(std::span<const std::uint32_t> rows, std::span<const float> scores,
                     std::size_t plan) = 0;

    // A number per row of the table, larger where a larger score is expected; differences of about
    // 1 matter. Only after fit().
    virtual std::vector<float> predict() const = 0;
};

struct CostModelKind {
    std::string_view name;
    // The table must outlive the model. The same calls give the same numbers.
    std::unique_ptr<CostModel> (*make)(const FeatureTable& table);
};

// The first is the default; the reference, slow and obvious, is the last.
std::span<const CostModelKind> cost_models();

std::unique_ptr<CostModel> make_xgboost_model(const FeatureTable& table);
std::unique_ptr<CostModel> make_nearest_model(const FeatureTable& table);

}  // namespace memside::tune
