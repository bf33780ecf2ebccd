// The schedules of a convolution on x86 (conv/schedule.h) as a search space.
#pragma once

#include "conv/conv_plan.h"
#include "tune/search_space.h"

namespace memside::tune {

class X86Space : public SearchSpace {
  public:
    // Knobs have the values that occur in distinct valid schedules, so that a clamped value has one
    // name alone. The problem must have passed conv::check().
    X86Space(const conv::ConvProblem& problem, conv::Target target, int threads);

    const std::vector<Knob>& knobs() const override { return knobs_; }
    Point canonical(const Point& point) const override;
    std::string why_invalid(const Point& point) const override;
    std::vector<std::string> feature_names() const override;
    std::vector<float> features(const Point& point) const override;

    conv::Schedule schedule(const Point& point) const;

  private:
    conv::ConvProblem problem_;
    conv::Target target_;
    int threads_;
    conv::ScheduleSpace space_;
    std::vector<std::vector<std::int32_t>> values_;  // of each knob, ascending
    std::vector<Knob> knobs_;
};

}  // namespace memside::tune
