// oneDNN, version 2 or 3, as a peer of bench_conv_speed. Reorders are not timed.
#include <algorithm>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "conv_peer.h"

namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

dnnl::memory::desc any(dnnl::memory::dims dims, Type type) {
    return {std::move(dims), type, Tag::any};
}

class OneDnn {
  public:
    OneDnn(const MemsidePeerShape& s, const MemsidePeerOperands& operands)
        : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
        const dnnl::memory::dims in{s.n, s.c, s.h, s.w};
        const dnnl::memory::dims weights{s.k, s.c, s.r, s.s};
        const dnnl::memory::dims out{s.n, s.k, s.out_h, s.out_w};
        const auto chosen = choose(s, operands, in, weights, out);
        primitive_ = dnnl::convolution_forward(chosen);
        implementation_ = chosen.impl_info_str();
        put(DNNL_ARG_SRC, {in, Type::u8, Tag::nhwc}, operands.input, chosen.src_desc());
        put(DNNL_ARG_WEIGHTS, {weights, Type::s8, Tag::ohwi}, operands.weights,
            chosen.weights_desc());
        put_bias(s, operands, chosen);
        plain_out_ = {out, Type::u8, Tag::nhwc};
        arguments_.insert({DNNL_ARG_DST, dnnl::memory(chosen.dst_desc(), engine_)});
    }

    void run() {
        primitive_.execute(stream_, arguments_);
        stream_.wait();
    }
    void output(std::uint8_t* bytes) {
        dnnl::memory plain(plain_out_, engine_);
        dnnl::memory result = arguments_.at(DNNL_ARG_DST);
        dnnl::reorder(result, plain).execute(stream_, result, plain);
        stream_.wait();
        copy_out(plain, bytes, plain_out_.get_size());
    }
    const std::string& implementation() const { return implementation_; }

  private:
    using Descriptor = dnnl::convolution_forward::primitive_desc;

#if DNNL_VERSION_MAJOR == 2
    Descriptor choose(const MemsidePeerShape& s, const MemsidePeerOperands& operands,
                      const dnnl::memory::dims& in, const dnnl::memory::dims& weights,
                      const dnnl::memory::dims& out) {
        const dnnl::convolution_forward::desc desc(
            dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
            any(in, Type::u8), any(weights, Type::s8), any({s.k}, Type::s32), any(out, Type::u8),
            {s.stride, s.stride}, {s.dilation - 1, s.dilation - 1}, {s.pad, s.pad}, {s.pad, s.pad});
        dnnl::primitive_attr attributes;
        attributes.set_output_scales(2, std::vector<float>(operands.scale, operands.scale + s.k));
        dnnl::post_ops relu;
        relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
        attributes.set_post_ops(relu);
        return {desc, attributes, engine_};
    }
    void put_bias(const MemsidePeerShape& s, const MemsidePeerOperands& operands,
                  const Descriptor& chosen) {
        put(DNNL_ARG_BIAS, {{s.k}, Type::s32, Tag::a}, operands.bias, chosen.bias_desc());
    }
#else
    Descriptor choose(const MemsidePeerShape& s, const MemsidePeerOperands&,
                      const dnnl::memory::dims& in, const dnnl::memory::dims& weights,
                      const dnnl::memory::dims& out) {
        dnnl::primitive_attr attributes;
        attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1);
        dnnl::post_ops relu;
        relu.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
        attributes.set_post_ops(relu);
        return {engine_,
                dnnl::prop_kind::forward_inference,
                dnnl::algorithm::convolution_direct,
                any(in, Type::u8),
                any(weights, Type::s8),
                any({s.k}, Type::f32),
                any(out, Type::u8),
                {s.stride, s.stride},
                {s.dilation - 1, s.dilation - 1},
                {s.pad, s.pad},
                {s.pad, s.pad},
                attributes};
    }
    // Version 3 adds the bias after the scale.
    void put_bias(const MemsidePeerShape& s, const MemsidePeerOperands& operands,
                  const Descriptor& chosen) {
        std::vector<float> bias;
        for (std::int64_t k = 0; k < s.k; ++k) {
            bias.push_back(operands.scale[k] * static_cast<float>(operands.bias[k]));
        }
        put(DNNL_ARG_BIAS, {{s.k}, Type::f32, Tag::a}, bias.data(), chosen.bias_desc());
        const dnnl::memory::desc scales({s.k}, Type::f32, Tag::a);
        put(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, scales, operands.scale, scales);
    }
#endif

    // Through map_data(), since an engine of SYCL has memory of its own.
    static void copy_in(dnnl::memory& to, const void* data, std::size_t bytes) {
        auto* mapped = to.map_data<std::uint8_t>();
        std::memcpy(mapped, data, bytes);
        to.unmap_data(mapped);
    }
    static void copy_out(const dnnl::memory& from, void* data, std::size_t bytes) {
        auto* mapped = from.map_data<std::uint8_t>();
        std::memcpy(data, mapped, bytes);
        from.unmap_data(mapped);
    }
    void put(int argument, const dnnl::memory::desc& plain, const void* data,
             const dnnl::memory::desc& wanted) {
        dnnl::memory from(plain, engine_);
        copy_in(from, data, plain.get_size());
        dnnl::memory to(wanted, engine_);
        dnnl::reorder(from, to).execute(stream_, from, to);
        stream_.wait();
        arguments_.insert({argument, to});
    }

    dnnl::engine engine_;
    dnnl::stream stream_;
    dnnl::convolution_forward primitive_;
    std::unordered_map<int, dnnl::memory> arguments_;
    dnnl::memory::desc plain_out_;
    std::string implementation_;
};

}  // namespace

extern "C" {

const char* memside_peer_name() {
    static const std::string name = [] {
        const dnnl_version_t* version = dnnl_version();
        return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) +
               "." + std::to_string(version->patch);
    }();
    return name.c_str();
}

void* memside_peer_create(const MemsidePeerShape* shape, const MemsidePeerOperands* operands,
                          char* reason, std::uint64_t reason_bytes) {
    try {
        return new OneDnn(*shape, *operands);
    } catch (const dnnl::error& error) {
        std::strncpy(reason, error.what(), reason_bytes - 1);
        reason[reason_bytes - 1] = '\0';
        return nullptr;
    }
}

void memside_peer_run(void* peer) {
    static_cast<OneDnn*>(peer)->run();
}
void memside_peer_output(void* peer, std::uint8_t* bytes) {
    static_cast<OneDnn*>(peer)->output(bytes);
}
const char* memside_peer_implementation(void* peer) {
    return static_cast<OneDnn*>(peer)->implementation().c_str();
}
void memside_peer_destroy(void* peer) {
    delete static_cast<OneDnn*>(peer);
}
}
