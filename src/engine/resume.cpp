#include "engine/resume.h"

#include <algorithm>

namespace memside::engine {

Status check_saved_kv(const SavedKv& saved, const KvShape& shape, std::uint64_t fingerprint,
                      const std::string& model) {
    const KvShape& own = saved.contents().shape;
    const auto differ = [&](const char* what, auto there, auto here) {
        return bad_input(saved.path(),
                         fmt::format("was saved with {} {}, this run has {}", what, there, here));
    };
    const auto type_name = [](kv::ValueType type) {
        return kv::value_type_names()[static_cast<std::size_t>(type)];
    };
    if (saved.contents().fingerprint != fingerprint) {
        return bad_input(saved.path(),
                         fmt::format("was saved by another model: its fingerprint is {:016x}, that "
                                     "of {} {:016x}",
                                     saved.contents().fingerprint, model, fingerprint));
    }
    if (own.type != shape.type) {
        return differ("--kv-type", type_name(own.type), type_name(shape.type));
    }
    if (own.page_tokens != shape.page_tokens) {
        return differ("--page-size", own.page_tokens, shape.page_tokens);
    }
    if (own.kept_tokens.size() != shape.kept_tokens.size()) {
        return differ("a number of layers of", own.kept_tokens.size(), shape.kept_tokens.size());
    }
    if (own.kv_heads != shape.kv_heads) return differ("KV heads", own.kv_heads, shape.kv_heads);
    if (own.head_dim != shape.head_dim) {
        return differ("a head dimension of", own.head_dim, shape.head_dim);
    }
    for (std::size_t layer = 0; layer < shape.kept_tokens.size(); ++layer) {
        if (own.kept_tokens[layer] == shape.kept_tokens[layer]) continue;
        return bad_input(saved.path(),
                         fmt::format("keeps {} tokens of layer {}, this run {} (0: "
                                     "all)",
                                     own.kept_tokens[layer], layer, shape.kept_tokens[layer]));
    }
    return {};
}

Result<std::int64_t> resume_point(const SavedKv& saved, std::span<const std::int32_t> prompt,
                                  std::int64_t window) {
    const std::span<const std::int32_t> tokens = saved.tokens();
    const auto shared = std::ranges::mismatch(tokens, prompt).in1 - tokens.begin();
    const auto length = static_cast<std::int64_t>(prompt.size());
    if (shared == 0) {
        return bad_input(saved.path(),
                         fmt::format("holds {} tokens and the prompt begins with none "
                                     "of them: token 0 is {} there and {} in the "
                                     "prompt",
                                     tokens.size(), tokens[0], prompt.empty() ? -1 : prompt[0]));
    }
    const std::int64_t point = std::min<std::int64_t>(shared, length - 1);
    if (point == 0) {
        return bad_input(saved.path(), "has nothing that a prompt of one token could go on from");
    }
    const std::int64_t page_tokens = saved.contents().shape.page_tokens;
    for (const SavedKvLayer& layer : saved.layers()) {
        const std::int64_t held = static_cast<std::int64_t>(layer.first_page) * page_tokens;
        const std::int64_t seen = std::max<std::int64_t>(point - window + 1, 0);
        if (layer.kept_tokens == 0 || held <= seen) continue;
        return bad_input(
            saved.path(),
            fmt::format("holds {} tokens, of which the prompt begins with {}; layers whose window "
                        "slides hold tokens from {} on, enough to go on after {} or more",
                        tokens.size(), shared, held, held + window - 1));
    }
    return point;
}

}  // namespace memside::engine
