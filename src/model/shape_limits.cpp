#include "model/shape_limits.h"

#include <algorithm>

namespace memside {

Status check_head_shape(const ModelSpec& spec, const std::string& where) {
    if (spec.heads % spec.kv_heads != 0) {
        return bad_input(where, fmt::format("{} attention heads cannot share {} key-value heads; "
                                            "the first must be a multiple of the second",
                                            spec.heads, spec.kv_heads));
    }
    const std::int64_t query_width = std::int64_t{spec.heads} * spec.head_dim;
    if (query_width > max_model_query_width) {
        return bad_input(
            where, fmt::format("{} heads x head_dim {} = {} is out of range; allowed: "
                               "up to {}",
                               spec.heads, spec.head_dim, query_width, max_model_query_width));
    }
    const std::int64_t kv_width = std::int64_t{spec.kv_heads} * spec.head_dim;
    if (kv_width > max_model_kv_width) {
        return bad_input(where,
                         fmt::format("{} key-value heads x head_dim {} = {} is out of "
                                     "range; allowed: up to {}",
                                     spec.kv_heads, spec.head_dim, kv_width, max_model_kv_width));
    }
    return {};
}

Result<int> derived_head_dim(const ModelSpec& spec, const std::string& where) {
    if (spec.hidden % spec.heads != 0) {
        return bad_input(where, fmt::format("hidden size {} is not a multiple of {} attention "
                                            "heads, so the head dimension must be given",
                                            spec.hidden, spec.heads));
    }
    const int head_dim = spec.hidden / spec.heads;
    if (head_dim > max_model_head_dim) {
        return bad_input(where, fmt::format("head dimension {} / {} = {} is out of range; allowed: "
                                            "1 to {}",
                                            spec.hidden, spec.heads, head_dim, max_model_head_dim));
    }
    return head_dim;
}

void set_sliding(ModelSpec& spec, std::vector<bool> sliding, int window_tokens) {
    const bool some = std::find(sliding.begin(), sliding.end(), true) != sliding.end();
    spec.sliding = some ? std::move(sliding) : std::vector<bool>{};
    spec.sliding_window_tokens = some ? window_tokens : 0;
}

std::vector<bool> periodic_sliding(int layers, std::int64_t period) {
    std::vector<bool> sliding;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        sliding.push_back((layer + 1) % period != 0);
    }
    return sliding;
}

}  // namespace memside
