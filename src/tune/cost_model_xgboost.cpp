// Gradient-boosted trees that rank, with the settings of AutoTVM's tuner (TVM,
// python/tvm/autotvm/tuner/xgboost_cost_model.py): they stop growing when the trees no longer rank
// what was measured any better.
#include <xgboost/c_api.h>

#include <cassert>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "tune/cost_model.h"

namespace memside::tune {
namespace {

constexpr int most_rounds = 8000;
constexpr int patience_rounds = 20;

// The library's errors are broken invariants here: sizes and settings are ours.
void check(int status) {
    if (status != 0) throw std::runtime_error(fmt::format("XGBoost: {}", XGBGetLastError()));
}

class Matrix {
  public:
    Matrix(const float* values, std::size_t rows, std::size_t columns) {
        check(XGDMatrixCreateFromMat(values, rows, columns, std::nanf(""), &handle_));
    }
    ~Matrix() { XGDMatrixFree(handle_); }
    Matrix(const Matrix&) = delete;
    Matrix& operator=(const Matrix&) = delete;
    DMatrixHandle handle() const { return handle_; }

  private:
    DMatrixHandle handle_ = nullptr;
};

class Booster {
  public:
    explicit Booster(const Matrix& train) {
        const DMatrixHandle cached[] = {train.handle()};
        check(XGBoosterCreate(cached, 1, &handle_));
        constexpr std::pair<const char*, const char*> settings[] = {
            {"objective", "rank:pairwise"},
            {"max_depth", "3"},
            {"eta", "0.3"},
            {"gamma", "0.0001"},
            {"lambda", "1.0"},
            {"alpha", "0"},
            {"min_child_weight", "1"},
            {"subsample", "1"},
            {"tree_method", "exact"},
            {"nthread", "1"},
            {"seed", "1"},
            {"verbosity", "0"},
        };
        for (const auto& [name, value] : settings) check(XGBoosterSetParam(handle_, name, value));
    }
    ~Booster() { XGBoosterFree(handle_); }
    Booster(const Booster&) = delete;
    Booster& operator=(const Booster&) = delete;

    void grow(int round, const Matrix& train) {
        check(XGBoosterUpdateOneIter(handle_, round, train.handle()));
    }

    // Valid until the next call.
    std::span<const float> predict(const Matrix& matrix) const {
        constexpr const char* how =
            R"({"type": 1, "training": false, "iteration_begin": 0, "iteration_end": 0,)"
            R"( "strict_shape": false})";
        bst_ulong const* shape = nullptr;
        bst_ulong dimensions = 0;
        float const* values = nullptr;
        check(XGBoosterPredictFromDMatrix(handle_, matrix.handle(), how, &shape, &dimensions,
                                          &values));
        std::size_t count = 1;
        for (bst_ulong d = 0; d < dimensions; ++d) count *= shape[d];
        return {values, count};
    }

  private:
    BoosterHandle handle_ = nullptr;
};

// Places of the largest first; of equals, the earlier one.
std::vector<std::size_t> descending(std::span<const float> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    return order;
}

// How well the predicted first ones are the measured first ones: the mean over n = 1 .. plan of the
// share of the n best that stand among the n predicted best.
double average_recall(std::span<const float> predicted, const std::vector<std::size_t>& rank,
                      std::size_t plan) {
    const std::vector<std::size_t> order = descending(predicted);
    const std::size_t last = std::min(plan, order.size());
    double sum = 0;
    for (std::size_t n = 1; n <= last; ++n) {
        std::size_t hits = 0;
        for (std::size_t i = 0; i < n; ++i) hits += rank[order[i]] < n ? 1U : 0U;
        sum += static_cast<double>(hits) / static_cast<double>(n);
    }
    return sum / static_cast<double>(last);
}

class XgboostModel : public CostModel {
  public:
    explicit XgboostModel(const FeatureTable& table)
        : table_(table), all_(table.values.data(), table.rows, table.columns) {}

    void fit(std::span<const std::uint32_t> rows, std::span<const float> scores,
             std::size_t plan) override {
        std::vector<float> values;
        values.reserve(rows.size() * table_.columns);
        for (const std::uint32_t row : rows) {
            const std::span<const float> at = table_.row(row);
            values.insert(values.end(), at.begin(), at.end());
        }
        const Matrix train(values.data(), rows.size(), table_.columns);
        check(XGDMatrixSetFloatInfo(train.handle(), "label", scores.data(), scores.size()));
        std::vector<std::size_t> rank(scores.size());
        const std::vector<std::size_t> order = descending(scores);
        for (std::size_t place = 0; place < order.size(); ++place) rank[order[place]] = place;

        Booster booster(train);
        double best = -1;
        int best_round = 0;
        for (int round = 0; round < most_rounds && round - best_round <= patience_rounds; ++round) {
            booster.grow(round, train);
            const double recall = average_recall(booster.predict(train), rank, plan);
            if (recall <= best) continue;
            best = recall;
            best_round = round;
        }
        const std::span<const float> predicted = booster.predict(all_);
        predicted_.assign(predicted.begin(), predicted.end());
    }

    std::vector<float> predict() const override {
        assert(predicted_.size() == table_.rows);
        return predicted_;
    }

  private:
    const FeatureTable& table_;
    Matrix all_;
    std::vector<float> predicted_;
};

}  // namespace

std::unique_ptr<CostModel> make_xgboost_model(const FeatureTable& table) {
    return std::make_unique<XgboostModel>(table);
}

}  // namespace memside::tune
