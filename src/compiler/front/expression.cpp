#include "compiler/front/expression.h"

#include <cmath>
#include <numbers>

namespace memside::compiler {
namespace {

using enum ExpressionKind;

ExpressionRef other_part(const ExpressionRef& sum, const ExpressionRef& part) {
    return equal(sum->parts[0], part) ? sum->parts[1] : sum->parts[0];
}

// a + number: a, in either order.
ExpressionRef added_to(const ExpressionRef& expression, double* number) {
    if (!is(expression, add)) return nullptr;
    for (const std::size_t i : {0U, 1U}) {
        if (!is(expression->parts[i], constant)) continue;
        *number = expression->parts[i]->number;
        return expression->parts[1 - i];
    }
    return nullptr;
}
ExpressionRef one_plus(const ExpressionRef& expression) {
    double number = 0;
    ExpressionRef rest = added_to(expression, &number);
    return rest && near(number, 1) ? rest : nullptr;
}

// Whether an expression is number x base^exponent.
bool is_power(const ExpressionRef& expression, double number, const ExpressionRef& base,
              int exponent) {
    Factors factors = factors_of(expression);
    if (!near(factors.number, number) || !factors.below.empty()) return false;
    int found = 0;
    for (const ExpressionRef& factor : factors.above) {
        if (equal(factor, base)) {
            ++found;
        } else if (is(factor, power) && equal(factor->parts[0], base) &&
                   is(factor->parts[1], constant)) {
            found += static_cast<int>(std::lround(factor->parts[1]->number));
        } else {
            return false;
        }
    }
    return found == exponent;
}

// The x of mean(x^2) + eps.
ExpressionRef mean_square(const ExpressionRef& expression, NormPattern* norm) {
    const ExpressionRef mean = added_to(expression, &norm->eps);
    if (!mean) return nullptr;
    const Factors factors = factors_of(mean);
    if (factors.above.size() != 1 || !factors.below.empty() || !is(factors.above[0], sum)) {
        return nullptr;
    }
    const ExpressionRef& total = factors.above[0];
    norm->channels = total->number;
    if (!near(factors.number * total->number, 1)) return nullptr;
    const ExpressionRef& square = total->parts[0];
    const ExpressionRef x =
        is(square, multiply) || is(square, power) ? square->parts[0] : ExpressionRef();
    return x && is_power(square, 1, x, 2) ? x : nullptr;
}

// The g of 1 + exp(-g).
ExpressionRef one_plus_exp_of_minus(const ExpressionRef& expression) {
    const ExpressionRef exponential = one_plus(expression);
    if (!is(exponential, exp)) return nullptr;
    const Factors factors = factors_of(exponential->parts[0]);
    const bool found =
        near(factors.number, -1) && factors.above.size() == 1 && factors.below.empty();
    return found ? factors.above[0] : nullptr;
}

// The g of 1 + tanh(sqrt(2 / pi) (g + 0.044715 g^3)).
ExpressionRef one_plus_tanh(const ExpressionRef& expression) {
    const ExpressionRef curve = one_plus(expression);
    if (!is(curve, tanh)) return nullptr;
    const Factors factors = factors_of(curve->parts[0]);
    if (!near(factors.number, std::sqrt(2 / std::numbers::pi)) || factors.above.size() != 1 ||
        !factors.below.empty() || !is(factors.above[0], add)) {
        return nullptr;
    }
    for (const ExpressionRef& g : factors.above[0]->parts) {
        if (is_power(other_part(factors.above[0], g), 0.044715, g, 3)) return g;
    }
    return nullptr;
}

}  // namespace

bool near(double a, double b) {
    return std::abs(a - b) <= 0.005 * std::max(std::abs(a), std::abs(b));
}

bool is_number(const ExpressionRef& expression, double number) {
    return is(expression, constant) && near(expression->number, number);
}

bool equal(const ExpressionRef& a, const ExpressionRef& b) {
    if (a == b) return true;
    if (!a || !b || a->kind != b->kind || a->number != b->number || a->argument != b->argument ||
        a->axes != b->axes || a->value != b->value || a->parts.size() != b->parts.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a->parts.size(); ++i) {
        if (!equal(a->parts[i], b->parts[i])) return false;
    }
    return true;
}

bool Factors::take(const ExpressionRef& wanted) {
    for (auto* place = above.begin(); place != above.end(); ++place) {
        if (!equal(*place, wanted)) continue;
        above.erase(place);
        return true;
    }
    return false;
}

Factors factors_of(const ExpressionRef& expression) {
    Factors result;
    if (is(expression, constant)) {
        result.number = expression->number;
    } else if (is(expression, negate)) {
        result = factors_of(expression->parts[0]);
        result.number = -result.number;
    } else if (is(expression, multiply) || is(expression, divide)) {
        result = factors_of(expression->parts[0]);
        Factors other = factors_of(expression->parts[1]);
        if (is(expression, divide)) {
            std::swap(other.above, other.below);
            other.number = 1 / other.number;
        }
        result.number *= other.number;
        result.above.append(other.above.begin(), other.above.end());
        result.below.append(other.below.begin(), other.below.end());
    } else {
        result.above.push_back(expression);
    }
    return result;
}

std::optional<NormPattern> match_norm(const ExpressionRef& expression) {
    NormPattern norm;
    Factors factors = factors_of(expression);
    if (!near(factors.number, 1) || factors.below.size() != 1 ||
        !is(factors.below[0], square_root)) {
        return std::nullopt;
    }
    norm.x = mean_square(factors.below[0]->parts[0], &norm);
    if (!norm.x || !factors.take(norm.x) || factors.above.size() > 1) return std::nullopt;
    if (factors.above.empty()) return norm;
    norm.weight = factors.above[0];
    if (const ExpressionRef rest = one_plus(norm.weight)) {
        norm.weight = rest;
        norm.unit_offset = true;
    }
    if (!is(norm.weight, argument)) return std::nullopt;
    return norm;
}

std::optional<GatePattern> match_gate(const ExpressionRef& expression) {
    Factors factors = factors_of(expression);
    if (factors.below.size() == 1 && near(factors.number, 1)) {
        const ExpressionRef gate = one_plus_exp_of_minus(factors.below[0]);
        if (!gate || !factors.take(gate) || factors.above.size() != 1) return std::nullopt;
        return GatePattern{gate, factors.above[0], false};
    }
    if (!near(factors.number, 0.5) || !factors.below.empty() || factors.above.size() != 3) {
        return std::nullopt;
    }
    for (const ExpressionRef& factor : factors.above) {
        const ExpressionRef gate = one_plus_tanh(factor);
        if (!gate) continue;
        const ExpressionRef curve = factor;
        if (!factors.take(curve) || !factors.take(gate)) return std::nullopt;
        return GatePattern{gate, factors.above[0], true};
    }
    return std::nullopt;
}

std::optional<ExpressionRef> match_softmax(const ExpressionRef& expression) {
    if (is(expression, softmax)) return expression->parts[0];
    const Factors factors = factors_of(expression);
    if (!near(factors.number, 1) || factors.above.size() != 1 || factors.below.size() != 1 ||
        !is(factors.above[0], exp) || !is(factors.below[0], sum) ||
        !equal(factors.above[0], factors.below[0]->parts[0])) {
        return std::nullopt;
    }
    const ExpressionRef& shifted = factors.above[0]->parts[0];
    if (!is(shifted, subtract) || !is(shifted->parts[1], max) ||
        !equal(shifted->parts[0], shifted->parts[1]->parts[0])) {
        return std::nullopt;
    }
    return shifted->parts[0];
}

std::optional<RotationPattern> match_rotation(const ExpressionRef& expression) {
    if (!is(expression, add)) return std::nullopt;
    for (const std::size_t i : {0U, 1U}) {
        Factors straight = factors_of(expression->parts[i]);
        Factors turned = factors_of(expression->parts[1 - i]);
        if (straight.above.size() != 2 || turned.above.size() != 2) continue;
        for (const std::size_t j : {0U, 1U}) {
            const ExpressionRef& halves = turned.above[j];
            if (!is(halves, join) || !is(halves->parts[0], negate) ||
                !is(halves->parts[0]->parts[0], second_half) || !is(halves->parts[1], first_half)) {
                continue;
            }
            const ExpressionRef x = halves->parts[1]->parts[0];
            if (!equal(x, halves->parts[0]->parts[0]->parts[0]) || !straight.take(x)) continue;
            return RotationPattern{x, straight.above[0], turned.above[1 - j]};
        }
    }
    return std::nullopt;
}

}  // namespace memside::compiler
