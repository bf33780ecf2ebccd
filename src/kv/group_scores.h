// Which heads share a page set: page scores of query heads put together per layer, per KV head, or
// not at all. Sharing reads a page once for all its heads; separate sets serve each head better.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace memside::kv {

enum class SelectPer { layer, kv_head, query_head };
enum class GroupScore { mean, max };

// "layer", "kv-head", "query-head"; "mean", "max". Unknown names are bad input at `where`.
Result<SelectPer> parse_select_per(std::string_view name, const std::string& where);
Result<GroupScore> parse_group_score(std::string_view name, const std::string& where);
std::string_view select_per_name(SelectPer per);
std::string_view group_score_name(GroupScore how);

// Page sets that a layer keeps: 1, kv_heads or heads.
std::int64_t group_count(SelectPer per, std::int64_t heads, std::int64_t kv_heads);

// head_scores: f32 [heads x pages], the query heads of a KV head side by side. Writes f32
// [group_count x pages]: the mean (ArkVale) or the maximum of each group's heads. `kv_heads` must
// divide `heads`.
void group_scores(std::span<const float> head_scores, std::int64_t heads, std::int64_t kv_heads,
                  SelectPer per, GroupScore how, std::span<float> grouped);

}  // namespace memside::kv
