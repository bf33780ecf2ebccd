// The reference model: a row is worth what measured rows near it are worth.
#include <cassert>

#include "tune/cost_model.h"

namespace memside::tune {
namespace {

class NearestModel : public CostModel {
  public:
    explicit NearestModel(const FeatureTable& table) : table_(table), scale_(table.columns, 0.0F) {
        for (std::size_t c = 0; c < table.columns; ++c) {
            float low = table.row(0)[c];
            float high = low;
            for (std::size_t r = 1; r < table.rows; ++r) {
                low = std::min(low, table.row(r)[c]);
                high = std::max(high, table.row(r)[c]);
            }
            if (high > low) scale_[c] = 1.0F / (high - low);
        }
    }

    void fit(std::span<const std::uint32_t> rows, std::span<const float> scores,
             std::size_t /*plan*/) override {
        rows_.assign(rows.begin(), rows.end());
        scores_.assign(scores.begin(), scores.end());
    }

    std::vector<float> predict() const override {
        assert(!rows_.empty());
        std::vector<float> worth(table_.rows);
        for (std::size_t r = 0; r < table_.rows; ++r) worth[r] = mean_around(r);
        return worth;
    }

  private:
    // Weighted by the inverse of the squared distance in features scaled to [0, 1].
    float mean_around(std::size_t row) const {
        const std::span<const float> at = table_.row(row);
        double sum = 0;
        double weights = 0;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            const std::span<const float> known = table_.row(rows_[i]);
            double square = 1e-6;
            for (std::size_t c = 0; c < table_.columns; ++c) {
                const double d = static_cast<double>((at[c] - known[c]) * scale_[c]);
                square += d * d;
            }
            sum += static_cast<double>(scores_[i]) / square;
            weights += 1.0 / square;
        }
        return static_cast<float>(sum / weights);
    }

    const FeatureTable& table_;
    std::vector<float> scale_;  // of a column; 0 where it is constant
    std::vector<std::uint32_t> rows_;
    std::vector<float> scores_;
};

}  // namespace

std::unique_ptr<CostModel> make_nearest_model(const FeatureTable& table) {
    return std::make_unique<NearestModel>(table);
}

}  // namespace memside::tune
