#include "tune/cost_model.h"

#include <numeric>

#include "tune/spaces.h"

namespace memside::tune {
namespace {

// Of all pairs with different scores, the share that the prediction orders as the scores do.
double ordered_pairs(const std::vector<float>& predicted, const std::vector<double>& scores) {
    std::size_t right = 0;
    std::size_t all = 0;
    for (std::size_t a = 0; a < scores.size(); ++a) {
        for (std::size_t b = 0; b < scores.size(); ++b) {
            if (scores[a] <= scores[b]) continue;
            ++all;
            right += predicted[a] > predicted[b] ? 1U : 0U;
        }
    }
    return static_cast<double>(right) / static_cast<double>(all);
}

struct Lesson {
    std::shared_ptr<const Candidates> list =
        listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4, 4, 2}));
    std::vector<double> scores;
    std::vector<std::uint32_t> rows;
    std::vector<float> labels;

    explicit Lesson(std::size_t count) {
        for (CandidateId id = 0; id < list->size(); ++id) {
            scores.push_back(separable_score(*list, id));
        }
        for (const CandidateId id : first_rows(count)) {
            rows.push_back(id);
            labels.push_back(static_cast<float>(scores[id]));
        }
    }

    std::vector<CandidateId> first_rows(std::size_t count) const {
        std::vector<CandidateId> ids(list->size());
        std::iota(ids.begin(), ids.end(), CandidateId{0});
        Random random({11});
        random.shuffle(ids);
        ids.resize(count);
        return ids;
    }
};

TEST(CostModel, learns_the_order_of_what_it_has_not_seen) {
    const Lesson lesson(200);
    for (const CostModelKind& kind : cost_models()) {
        const auto model = kind.make(lesson.list->features());
        model->fit(lesson.rows, lesson.labels, 64);
        const std::vector<float> predicted = model->predict();
        ASSERT_EQ(predicted.size(), lesson.list->size());
        EXPECT_GT(ordered_pairs(predicted, lesson.scores), 0.8) << kind.name;
    }
}

TEST(CostModel, the_same_lesson_gives_the_same_numbers_whatever_it_knew_before) {
    const Lesson lesson(100);
    const Lesson other(30);
    for (const CostModelKind& kind : cost_models()) {
        const auto one = kind.make(lesson.list->features());
        one->fit(lesson.rows, lesson.labels, 64);
        const auto two = kind.make(lesson.list->features());
        two->fit(other.rows, other.labels, 16);
        two->fit(lesson.rows, lesson.labels, 64);
        EXPECT_EQ(one->predict(), two->predict()) << kind.name;
    }
}

TEST(CostModel, one_row_and_equal_scores_are_lessons_too) {
    const Lesson lesson(8);
    const std::vector<float> equal(lesson.rows.size(), 1.0F);
    for (const CostModelKind& kind : cost_models()) {
        const auto model = kind.make(lesson.list->features());
        model->fit(std::span(lesson.rows).first(1), std::span(lesson.labels).first(1), 64);
        EXPECT_EQ(model->predict().size(), lesson.list->size());
        model->fit(lesson.rows, equal, 64);
        for (const float value : model->predict()) EXPECT_TRUE(std::isfinite(value)) << kind.name;
    }
}

TEST(CostModel, the_reference_knows_what_it_was_told) {
    const Lesson lesson(50);
    const auto model = make_nearest_model(lesson.list->features());
    model->fit(lesson.rows, lesson.labels, 64);
    const std::vector<float> predicted = model->predict();
    for (std::size_t i = 0; i < lesson.rows.size(); ++i) {
        EXPECT_NEAR(predicted[lesson.rows[i]], lesson.labels[i], 1e-3);
    }
}

}  // namespace
}  // namespace memside::tune
