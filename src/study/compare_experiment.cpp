#include "study/compare_experiment.h"

#include "study/compare.h"

namespace memside {
namespace {

constexpr std::size_t key_columns = 3;  // at, family, model

Result<CompareRequest> read_comparison(const ConfigNode& root, const ConfigNode& item,
                                       const RunOptions& options) {
    CompareRequest request;
    request.at = {CompareAt::capacity, CompareAt::cost, CompareAt::power};
    request.explained = true;
    request.jobs = options.jobs;
    request.settings.file = root.where();
    if (const ConfigNode* base = root.find("base")) {
        MEMSIDE_TRY(const std::vector<Setting> settings, read_settings(*base, "base"));
        for (const Setting& setting : settings) request.settings.put(setting);
    }
    if (!item.is_map()) return bad_input(item.where(), "an entry of 'compare' must be a map");
    MEMSIDE_TRY(request.reference, required_text(item, "reference"));
    ConfigNode own = item;
    std::erase_if(own.fields, [](const auto& field) { return field.key == "reference"; });
    MEMSIDE_TRY(const std::vector<Setting> settings, read_settings(own, "compare"));
    for (const Setting& setting : settings) request.settings.put(setting);
    return request;
}

}  // namespace

Result<ExperimentOutput> produce_comparison(const ConfigNode& root, const std::string& name,
                                            bool quick, bool colour, const RunOptions& options) {
    MEMSIDE_CHECK(expect_keys(
        root, {"experiment", "kind", "title", "figure", "note", "base", "compare", "tolerance"}));
    ExperimentOutput out;
    out.name = name;
    MEMSIDE_TRY(out.title, required_text(root, "title"));
    MEMSIDE_TRY(out.tolerance, read_tolerance(root));
    const ConfigNode* list = root.find("compare");
    if (list == nullptr || !list->is_list() || list->items.empty()) {
        return bad_input(root.where(), "'compare' must be a list of models and references");
    }
    std::vector<Comparison> comparisons;
    for (const ConfigNode& item : list->items) {
        if (quick && !comparisons.empty()) break;
        MEMSIDE_TRY(const CompareRequest request, read_comparison(root, item, options));
        MEMSIDE_TRY(Comparison comparison, compare(request));
        for (const CompareTable& table : comparison.tables) out.points += table.rows.size();
        out.text += comparison_text(comparison, colour) + "\n";
        comparisons.push_back(std::move(comparison));
    }
    out.tables.push_back({name + ".csv", comparison_csv(comparisons), key_columns, !quick});
    out.page = comparison_page(comparisons, fmt::format("memside experiment run {}{} --out DIR",
                                                        name, quick ? " --quick" : ""));
    return out;
}

}  // namespace memside
