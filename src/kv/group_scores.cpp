#include "kv/group_scores.h"

#include <array>
#include <cassert>

#include "base/text.h"

namespace memside::kv {
namespace {

constexpr std::array<std::pair<std::string_view, SelectPer>, 3> select_per_names{
    {{"layer", SelectPer::layer},
     {"kv-head", SelectPer::kv_head},
     {"query-head", SelectPer::query_head}}};
constexpr std::array<std::pair<std::string_view, GroupScore>, 2> group_score_names{
    {{"mean", GroupScore::mean}, {"max", GroupScore::max}}};

template <typename Names>
auto parse_name(const Names& known, std::string_view name, std::string_view what,
                const std::string& where) -> Result<typename Names::value_type::second_type> {
    std::vector<std::string> names;
    for (const auto& [candidate, value] : known) {
        if (candidate == name) return value;
        names.emplace_back(candidate);
    }
    return bad_input(where,
                     fmt::format("unknown {} {}{}", what, in_quotes(name), hint(name, names)));
}

}  // namespace

Result<SelectPer> parse_select_per(std::string_view name, const std::string& where) {
    return parse_name(select_per_names, name, "selection group", where);
}

Result<GroupScore> parse_group_score(std::string_view name, const std::string& where) {
    return parse_name(group_score_names, name, "group score", where);
}

std::string_view select_per_name(SelectPer per) {
    return select_per_names[static_cast<std::size_t>(per)].first;
}

std::string_view group_score_name(GroupScore how) {
    return group_score_names[static_cast<std::size_t>(how)].first;
}

std::int64_t group_count(SelectPer per, std::int64_t heads, std::int64_t kv_heads) {
    switch (per) {
        case SelectPer::layer:
            return 1;
        case SelectPer::kv_head:
            return kv_heads;
        case SelectPer::query_head:
            return heads;
    }
    assert(false);
    return 0;
}

void group_scores(std::span<const float> head_scores, std::int64_t heads, std::int64_t kv_heads,
                  SelectPer per, GroupScore how, std::span<float> grouped) {
    assert(heads > 0 && kv_heads > 0 && heads % kv_heads == 0);
    const auto groups = static_cast<std::size_t>(group_count(per, heads, kv_heads));
    const auto heads_per_group = static_cast<std::size_t>(heads) / groups;
    const std::size_t pages = head_scores.size() / static_cast<std::size_t>(heads);
    assert(head_scores.size() == pages * static_cast<std::size_t>(heads));
    assert(grouped.size() == groups * pages);

    for (std::size_t group = 0; group < groups; ++group) {
        const auto out = grouped.subspan(group * pages, pages);
        const auto in = head_scores.subspan(group * heads_per_group * pages);
        std::copy_n(in.begin(), pages, out.begin());
        for (std::size_t head = 1; head < heads_per_group; ++head) {
            const auto row = in.subspan(head * pages, pages);
            for (std::size_t page = 0; page < pages; ++page) {
                out[page] = how == GroupScore::mean ? out[page] + row[page]
                                                    : std::max(out[page], row[page]);
            }
        }
        if (how == GroupScore::mean) {
            const float share = 1.0F / static_cast<float>(heads_per_group);
            for (float& score : out) score *= share;
        }
    }
}

}  // namespace memside::kv
