#include "base/number.h"
#include "base/text.h"
#include "tune/explorer.h"

namespace memside::tune {
namespace {

// One `name=value` behind the colon of a method.
Status set_option(ExplorerOptions& options, std::string_view name, std::string_view value,
                  const std::string& where) {
    const std::string at = fmt::format("{}: {}", where, name);
    const auto number = [&](auto& field, std::int64_t low) -> Status {
        MEMSIDE_TRY(const std::int64_t read, parse_integer(value, low, 16, at));
        field = static_cast<std::remove_reference_t<decltype(field)>>(read);
        return {};
    };
    if (name == "mutations") return number(options.mutations, 1);
    if (name == "apart") return number(options.apart, 0);
    if (name == "thin-ratio") return number(options.thin_ratio, 1);
    if (name == "filter-ratio") return number(options.filter_ratio, 1);
    if (name == "pool") {
        MEMSIDE_TRY(const std::size_t choice, parse_choice(value, {"distance", "score"}, at));
        options.pool_by_distance = choice == 0;
        return {};
    }
    if (name == "distance") {
        MEMSIDE_TRY(const std::size_t choice, parse_choice(value, {"knobs", "steps"}, at));
        options.distance = choice == 0 ? Distance::knobs : Distance::steps;
        return {};
    }
    if (name == "model") {
        std::vector<std::string> names;
        for (const CostModelKind& kind : cost_models()) names.emplace_back(kind.name);
        MEMSIDE_TRY(const std::size_t choice, parse_choice(value, names, at));
        options.model = cost_models()[choice].name;
        return {};
    }
    return bad_input(where, fmt::format("unknown option {}{}", in_quotes(name),
                                        hint(name, {"mutations", "pool", "distance", "apart",
                                                    "thin-ratio", "filter-ratio", "model"})));
}

}  // namespace

std::span<const ExplorerKind> explorers() {
    static constexpr ExplorerKind kinds[] = {
        {"distinct", "annealing that learns from distinctive candidates", make_distinct},
        {"annealing", "AutoTVM's simulated annealing on a cost model", make_annealing},
        {"annealing-filter", "the same, its final list filtered for diversity",
         make_annealing_filter},
        {"genetic", "crossover and mutation of the best", make_genetic},
        {"droplet", "coordinate descent from the best, then from random points", make_droplet},
        {"random", "uniform, without repetition", make_random},
        {"grid", "from the coarsest grid to the finest", make_grid},
        {"exhaustive", "every candidate, in order", make_exhaustive},
    };
    return kinds;
}

std::vector<std::string> explorer_names() {
    std::vector<std::string> names;
    for (const ExplorerKind& kind : explorers()) names.emplace_back(kind.name);
    return names;
}

std::unique_ptr<Explorer> Method::make(std::shared_ptr<const Candidates> candidates,
                                       std::uint64_t seed, std::size_t plan) const {
    ExplorerOptions all = options;
    all.seed = seed;
    all.plan = plan;
    return kind->make(std::move(candidates), all);
}

Result<Method> parse_method(const std::string& text, const std::string& where) {
    const std::size_t colon = text.find(':');
    Method method;
    method.text = text;
    MEMSIDE_TRY(const std::size_t index,
                parse_choice(text.substr(0, colon), explorer_names(), where));
    method.kind = &explorers()[index];
    if (colon == std::string::npos) return method;
    std::string_view left = std::string_view(text).substr(colon + 1);
    for (;;) {
        const std::size_t comma = left.find(',');
        const std::string_view setting = left.substr(0, comma);
        const std::size_t equals = setting.find('=');
        if (equals == std::string_view::npos) {
            return bad_input(
                where, fmt::format("{} is no setting; allowed: NAME=VALUE", in_quotes(setting)));
        }
        MEMSIDE_CHECK(set_option(method.options, setting.substr(0, equals),
                                 setting.substr(equals + 1), where));
        if (comma == std::string_view::npos) return method;
        left.remove_prefix(comma + 1);
    }
}

}  // namespace memside::tune
