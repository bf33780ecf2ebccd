// Results with anything in them that the type allows: strings with quotes, markup, control
// characters and many alphabets; numbers of every size.
#pragma once

#include <rapidcheck/gtest.h>

#include <cmath>

#include "cluster/result.h"
#include "report/fields.h"

namespace memside::samples {

inline std::string odd_text() {
    static const std::vector<std::string> pieces{
        "",  "a",  "\"", "\\",       "\n",           "\r\n",     ",",     "</script>", "<!--",
        "é", "字", "😀", "\x01\x1f", "\xe2\x80\xa8", "key: [1]", "'; --", "&amp;",     " "};
    std::string text;
    const int count = *rc::gen::inRange(0, 6);
    for (int i = 0; i < count; ++i) text += *rc::gen::elementOf(pieces);
    return text;
}

inline double finite_number() {
    switch (*rc::gen::inRange(0, 4)) {
        case 0:
            return 0;
        case 1:
            return static_cast<double>(*rc::gen::inRange(0, 1 << 30));
        case 2:
            return std::ldexp(1.0 + *rc::gen::inRange(0, 1 << 20) / 3.0e6,
                              *rc::gen::inRange(-1000, 1000));
        default:
            return *rc::gen::inRange(0, 1000000) / 997.0;
    }
}

inline std::int64_t whole_number() {
    return std::int64_t{*rc::gen::inRange(0, 1 << 30)} << *rc::gen::inRange(0, 33);
}

inline void fill(std::string& out) {
    out = odd_text();
}
inline void fill(std::int64_t& out) {
    out = whole_number();
}
inline void fill(double& out) {
    out = finite_number();
}
template <typename T>
void fill(std::optional<T>& out) {
    if (*rc::gen::inRange(0, 3) == 0) return;
    fill(out.emplace());
}

template <typename T>
std::vector<T> rows(const auto& make) {
    std::vector<T> list(static_cast<std::size_t>(*rc::gen::inRange(0, 4)));
    for (T& row : list) row = make();
    return list;
}

inline SimulationResult random_result() {
    SimulationResult r;
    for (const ScalarField& field : scalar_fields()) {
        std::visit([&](auto member) { fill(r.*member); }, field.member);
    }
    r.phases = rows<PhaseTime>([] { return PhaseTime{odd_text(), finite_number()}; });
    r.prefill = rows<PhaseTime>([] { return PhaseTime{odd_text(), finite_number()}; });
    r.resources = rows<ResourceBusy>([] { return ResourceBusy{odd_text(), finite_number()}; });
    r.energy = rows<EnergyShare>([] { return EnergyShare{odd_text(), finite_number()}; });
    r.page_steps =
        rows<PageStep>([] { return PageStep{finite_number(), finite_number(), finite_number()}; });
    r.serving = rows<ServingPoint>([] {
        return ServingPoint{finite_number(), finite_number(), finite_number(), finite_number()};
    });
    if (!r.serving.empty()) {
        // The whole batch follows from the mean, which outputs show in its place.
        r.batch = *rc::gen::inRange(1, 1 << 20);
        r.batch_mean = static_cast<double>(r.batch) + *rc::gen::inRange(0, 400) / 1000.0;
    }
    if (*rc::gen::inRange(0, 2) == 1) {
        SimulationResult::LayerTimeline& layer = r.layer_timeline.emplace();
        layer.layer = whole_number();
        layer.resources = {odd_text(), odd_text()};
        layer.tasks = rows<TimelineTask>([] {
            TimelineTask task;
            task.name = odd_text();
            task.phase = odd_text();
            task.resource = *rc::gen::inRange(0, 2);
            task.start_s = finite_number();
            task.duration_s = finite_number();
            return task;
        });
    }
    r.assumptions = rows<Assumption>([] { return Assumption{odd_text(), odd_text(), odd_text()}; });
    r.constants = rows<Constant>([] {
        return Constant{odd_text(), odd_text(), 0, Dimension::count, odd_text(), odd_text()};
    });
    r.settings =
        rows<std::pair<std::string, std::string>>([] { return std::pair(odd_text(), odd_text()); });
    r.seed = *rc::gen::arbitrary<std::uint64_t>();
    r.reason = odd_text();
    if (*rc::gen::inRange(0, 2) == 1) {
        r.capacity = SimulationResult::Capacity{odd_text(),      whole_number(),  finite_number(),
                                                finite_number(), finite_number(), finite_number(),
                                                whole_number()};
    }
    return r;
}

}  // namespace memside::samples
