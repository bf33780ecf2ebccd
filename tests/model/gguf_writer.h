// Writes GGUF headers for the tests, from the format's specification and without any code of the
// reader: sizes of tensors are the caller's, offsets follow from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace memside::test {

class GgufWriter {
  public:
    std::uint32_t version = 3;
    std::uint64_t alignment = 32;  // also written as general.alignment when it is not 32

    // A metadata value of a number type: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 bool,
    // 10 u64, 11 i64, 12 f64. T must have that type's size.
    template <typename T>
    void number(const std::string& key, std::uint32_t type, T value) {
        begin(key, type);
        put(pairs_, value);
    }
    template <typename T>
    void numbers(const std::string& key, std::uint32_t type, const std::vector<T>& values) {
        begin(key, 9);
        put(pairs_, type);
        put(pairs_, std::uint64_t{values.size()});
        for (const T value : values) put(pairs_, value);
    }
    void u32(const std::string& key, std::uint32_t value) { number(key, 4, value); }
    void f32(const std::string& key, float value) { number(key, 6, value); }
    void text(const std::string& key, const std::string& value) {
        begin(key, 8);
        put_text(pairs_, value);
    }
    void texts(const std::string& key, const std::vector<std::string>& values) {
        begin(key, 9);
        put(pairs_, std::uint32_t{8});
        put(pairs_, std::uint64_t{values.size()});
        for (const std::string& value : values) put_text(pairs_, value);
    }

    void tensor(const std::string& name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
                std::uint64_t bytes) {
        ++tensors_;
        put_text(infos_, name);
        put(infos_, static_cast<std::uint32_t>(dims.size()));
        for (const std::uint64_t dim : dims) put(infos_, dim);
        put(infos_, type);
        put(infos_, padded(data_bytes_));
        data_bytes_ = padded(data_bytes_) + bytes;
    }
    void f16(const std::string& name, const std::vector<std::uint64_t>& dims) {
        std::uint64_t bytes = 2;
        for (const std::uint64_t dim : dims) bytes *= dim;
        tensor(name, dims, 1, bytes);
    }

    // Everything before the tensor data, with and without the padding that ends it.
    std::string unpadded() const {
        std::string out = "GGUF";
        put(out, version);
        put(out, tensors_);
        put(out, keys_ + (alignment == 32 ? 0 : 1));
        out += pairs_;
        if (alignment != 32) {
            put_text(out, "general.alignment");
            put(out, std::uint32_t{4});
            put(out, static_cast<std::uint32_t>(alignment));
        }
        return out + infos_;
    }
    std::string header() const {
        std::string out = unpadded();
        out.resize(padded(out.size()), '\0');
        return out;
    }
    std::uint64_t file_bytes() const { return header().size() + data_bytes_; }
    std::string file() const {
        std::string out = header();
        out.resize(file_bytes(), '\0');
        return out;
    }

  private:
    static void put_bytes(std::string& out, const void* from, std::size_t count) {
        out.append(static_cast<const char*>(from), count);
    }
    template <typename T>
    static void put(std::string& out, T value) {
        put_bytes(out, &value, sizeof value);
    }
    static void put_text(std::string& out, const std::string& text) {
        put(out, std::uint64_t{text.size()});
        out += text;
    }
    void begin(const std::string& key, std::uint32_t type) {
        ++keys_;
        put_text(pairs_, key);
        put(pairs_, type);
    }
    std::uint64_t padded(std::uint64_t n) const {
        return n % alignment == 0 ? n : n + alignment - n % alignment;
    }

    std::string pairs_;
    std::string infos_;
    std::uint64_t keys_ = 0;
    std::uint64_t tensors_ = 0;
    std::uint64_t data_bytes_ = 0;
};

// A dense transformer for writing as a GGUF header.
struct GgufShape {
    std::string architecture = "llama";
    std::uint32_t layers = 2;
    std::uint32_t hidden = 64;
    std::uint32_t heads = 4;
    std::uint32_t kv_heads = 2;
    std::uint32_t head_dim = 16;
    std::uint32_t ffn = 96;
    std::uint32_t vocab = 100;
    std::uint32_t window = 2048;
    bool tied = false;
    bool fused_qkv = false;
};

inline void write_metadata(GgufWriter& w, const GgufShape& s) {
    const std::string& a = s.architecture;
    w.text("general.architecture", a);
    w.u32(a + ".block_count", s.layers);
    w.u32(a + ".embedding_length", s.hidden);
    w.u32(a + ".attention.head_count", s.heads);
    w.u32(a + ".attention.head_count_kv", s.kv_heads);
    w.u32(a + ".attention.key_length", s.head_dim);
    w.u32(a + ".feed_forward_length", s.ffn);
    w.u32(a + ".context_length", s.window);
}

inline void write_tensors(GgufWriter& w, const GgufShape& s) {
    const std::uint64_t q = std::uint64_t{s.heads} * s.head_dim;
    const std::uint64_t kv = std::uint64_t{s.kv_heads} * s.head_dim;
    w.f16("token_embd.weight", {s.hidden, s.vocab});
    for (std::uint32_t i = 0; i < s.layers; ++i) {
        const std::string p = "blk." + std::to_string(i) + ".";
        w.f16(p + "attn_norm.weight", {s.hidden});
        if (s.fused_qkv) {
            w.f16(p + "attn_qkv.weight", {s.hidden, q + 2 * kv});
        } else {
            w.f16(p + "attn_q.weight", {s.hidden, q});
            w.f16(p + "attn_k.weight", {s.hidden, kv});
            w.f16(p + "attn_v.weight", {s.hidden, kv});
        }
        if (s.architecture == "qwen2") {
            w.f16(p + "attn_q.bias", {q});
            w.f16(p + "attn_k.bias", {kv});
            w.f16(p + "attn_v.bias", {kv});
        }
        if (s.architecture == "qwen3" || s.architecture == "gemma3") {
            w.f16(p + "attn_q_norm.weight", {s.head_dim});
            w.f16(p + "attn_k_norm.weight", {s.head_dim});
        }
        w.f16(p + "attn_output.weight", {q, s.hidden});
        if (s.architecture == "gemma3") {
            w.f16(p + "post_attention_norm.weight", {s.hidden});
            w.f16(p + "post_ffw_norm.weight", {s.hidden});
        }
        w.f16(p + "ffn_norm.weight", {s.hidden});
        w.f16(p + "ffn_gate.weight", {s.hidden, s.ffn});
        w.f16(p + "ffn_up.weight", {s.hidden, s.ffn});
        w.f16(p + "ffn_down.weight", {s.ffn, s.hidden});
    }
    w.f16("output_norm.weight", {s.hidden});
    if (!s.tied) w.f16("output.weight", {s.hidden, s.vocab});
}

inline GgufWriter gguf_model(const GgufShape& shape) {
    GgufWriter writer;
    write_metadata(writer, shape);
    write_tensors(writer, shape);
    return writer;
}

}  // namespace memside::test
