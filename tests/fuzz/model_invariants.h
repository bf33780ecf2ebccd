// What holds for every model that a reader accepts, however odd its input.
#pragma once

#include "check.h"
#include "model/model_spec.h"

namespace memside::fuzz {

inline void require_sound(const ModelSpec& spec) {
    require(spec.layers > 0 && spec.hidden > 0 && spec.ffn > 0 && spec.vocab > 0, "sizes");
    require(spec.heads > 0 && spec.kv_heads > 0 && spec.head_dim > 0, "head sizes");
    require(spec.heads % spec.kv_heads == 0, "whole groups of heads");
    require(spec.window_tokens > 0, "window");
    require(!spec.weight_type.empty() && !spec.source.empty(), "names");

    const ModelWeights& w = spec.weights;
    for (const WeightPart* part :
         {&w.qkv, &w.attn_out, &w.ffn_up, &w.ffn_down, &w.norms, &w.embedding}) {
        require(part->parameters > 0 && part->bytes > 0, "every part has weights");
    }
    require(spec.tied_embeddings || w.lm_head.bytes > 0, "an output head");
    require(w.bytes() >= w.qkv.bytes && w.parameters() >= w.qkv.parameters, "sums");

    const bool slides = !spec.sliding.empty();
    require(!slides || spec.sliding.size() == static_cast<std::size_t>(spec.layers), "layer list");
    require(slides == (spec.sliding_window_tokens > 0), "a window where layers slide");
    require(slides == (spec.sliding_layers() > 0), "no list without a sliding layer");

    constexpr std::int64_t context = std::int64_t{1} << 30;
    require(spec.kv_bytes_per_token(32) > 0, "KV bytes");
    require(spec.kv_bytes_per_token(32) < INT64_MAX / context, "KV bytes of the longest context");
    require(spec.fc_flops_per_token() > 0, "FC FLOPs");
    require(spec.attention_flops_per_token(context) > 0, "attention FLOPs");
}

}  // namespace memside::fuzz
