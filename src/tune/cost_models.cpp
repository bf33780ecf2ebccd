#include "tune/cost_model.h"

namespace memside::tune {

std::span<const CostModelKind> cost_models() {
    static constexpr CostModelKind kinds[] = {
        {"xgboost", make_xgboost_model},
        {"nearest", make_nearest_model},
    };
    return kinds;
}

}  // namespace memside::tune
