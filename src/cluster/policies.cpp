#include "base/text.h"
#include "cluster/policy.h"

namespace memside {
namespace {

// Names that the command line promises and that have no model behind them yet.
constexpr std::pair<std::string_view, std::string_view> not_modelled[] = {
    {"recall", "it needs page residency in HBM and recalls over CXL"},
    {"png-kv", "it needs steady-page selection between GPU and devices"},
    {"pim", "it needs DRAM-PIM modules"},
};

}  // namespace

const std::vector<std::unique_ptr<Policy>>& policies() {
    static const std::vector<std::unique_ptr<Policy>> all = [] {
        std::vector<std::unique_ptr<Policy>> list;
        list.push_back(make_dense_policy());
        list.push_back(make_pnm_kv_policy());
        return list;
    }();
    return all;
}

Result<const Policy*> find_policy(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& policy : policies()) {
        if (policy->name() == name) return policy.get();
        names.emplace_back(policy->name());
    }
    for (const auto& [known, why] : not_modelled) {
        if (known == name) {
            return bad_input("--policy", fmt::format("'{}' is not modelled yet: {}; allowed: {}",
                                                     name, why, join(names, ", ")));
        }
    }
    return bad_input("--policy", "unknown policy " + quoted(name) + hint(name, names));
}

}  // namespace memside
