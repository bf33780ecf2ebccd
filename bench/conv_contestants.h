// Those who are measured by bench_conv_speed: a generated convolution, and other libraries.
#pragma once

#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/shared_library.h"
#include "codegen/conv_compiler.h"
#include "conv/conv_plan.h"
#include "conv_peer.h"
#include "engine/thread_pool.h"

namespace memside::bench {

class Contestant {
  public:
    virtual ~Contestant() = default;
    virtual void run() = 0;
    virtual std::vector<std::uint8_t> output() = 0;  // [n][out_h][out_w][k]
    virtual std::string how() const = 0;             // schedule or implementation
};

class Generated final : public Contestant {
  public:
    static Result<std::unique_ptr<Contestant>> make(const codegen::ConvCompiler& compiler,
                                                    const conv::ConvProblem& problem,
                                                    const conv::ConvOperands& operands,
                                                    const conv::Schedule& schedule,
                                                    engine::ThreadPool& pool) {
        MEMSIDE_TRY(conv::ConvPlan plan,
                    conv::make_plan(problem, conv::Target::x86_vnni, schedule));
        MEMSIDE_TRY(codegen::CompiledConv kernel,
                    compiler.compile(problem, conv::Target::x86_vnni, schedule));
        return std::unique_ptr<Contestant>(
            new Generated(std::move(plan), std::move(kernel), operands, pool));
    }

    void run() override {
        const std::int64_t parts = pool_.threads();
        pool_.run(parts, [&](std::int64_t part) {
            kernel_.function()(input_.data(), weights_.data(), tables_.data(), output_.data(),
                               scratch_[static_cast<std::size_t>(part)].get(),
                               plan_.tasks() * part / parts, plan_.tasks() * (part + 1) / parts);
        });
    }
    std::vector<std::uint8_t> output() override {
        const conv::ConvShape& shape = plan_.problem.shape;
        return conv::from_layout(output_, plan_.schedule.layout(), shape.n, shape.out_h(),
                                 shape.out_w(), shape.k);
    }
    std::string how() const override { return conv::format_schedule(plan_.schedule); }

  private:
    Generated(conv::ConvPlan plan, codegen::CompiledConv kernel, const conv::ConvOperands& operands,
              engine::ThreadPool& pool)
        : plan_(std::move(plan)),
          kernel_(std::move(kernel)),
          pool_(pool),
          weights_(conv::pack_weights(plan_, operands.weights)),
          tables_(conv::pack_tables(plan_, operands.weights, operands.requantisation)) {
        const conv::ConvShape& shape = plan_.problem.shape;
        const auto layout = plan_.schedule.layout();
        input_ = conv::to_layout(operands.input, layout, shape.n, shape.h, shape.w, shape.c);
        output_.resize(static_cast<std::size_t>(conv::output_bytes(shape, layout)));
        const auto bytes = static_cast<std::size_t>(plan_.scratch_bytes() + 63) / 64 * 64 + 64;
        for (unsigned i = 0; i < pool.threads(); ++i) {
            scratch_.emplace_back(static_cast<std::uint8_t*>(std::aligned_alloc(64, bytes)),
                                  std::free);
        }
    }

    conv::ConvPlan plan_;
    codegen::CompiledConv kernel_;
    engine::ThreadPool& pool_;
    std::vector<std::uint8_t> input_, weights_, output_;
    std::vector<std::int32_t> tables_;
    std::vector<std::unique_ptr<std::uint8_t, void (*)(void*)>> scratch_;
};

// A library behind conv_peer.h.
class PeerLibrary {
  public:
    static Result<PeerLibrary> open(const std::string& path) {
        const SharedLibrary::Name name{"peer", "libmemside-onednn-peer.so", "MEMSIDE_PEER"};
        MEMSIDE_TRY(SharedLibrary library, SharedLibrary::open(name, path));
        PeerLibrary peer(std::move(library));
        const bool bound = peer.library_.bind("memside_peer_name", peer.name_) &&
                           peer.library_.bind("memside_peer_create", peer.create_) &&
                           peer.library_.bind("memside_peer_run", peer.run_) &&
                           peer.library_.bind("memside_peer_output", peer.output_) &&
                           peer.library_.bind("memside_peer_implementation", peer.how_) &&
                           peer.library_.bind("memside_peer_destroy", peer.destroy_);
        if (!bound) return peer.library_.other_version();
        return peer;
    }

    std::string name() const { return name_(); }

    Result<std::unique_ptr<Contestant>> make(const conv::ConvShape& s,
                                             const conv::ConvOperands& operands) const {
        const MemsidePeerShape shape{s.n, s.c,      s.h,   s.w,        s.k,       s.r,
                                     s.s, s.stride, s.pad, s.dilation, s.out_h(), s.out_w()};
        std::vector<float> scale;
        for (std::size_t k = 0; k < static_cast<std::size_t>(s.k); ++k) {
            scale.push_back(static_cast<float>(std::ldexp(operands.requantisation.multiplier[k],
                                                          -operands.requantisation.shift[k])));
        }
        const MemsidePeerOperands given{operands.input.data(), operands.weights.data(),
                                        operands.requantisation.bias.data(), scale.data()};
        std::array<char, 256> reason{};
        void* peer = create_(&shape, &given, reason.data(), reason.size());
        if (peer == nullptr) {
            return Error{name(), reason.data(), Error::Kind::environment};
        }
        const auto bytes = static_cast<std::size_t>(s.n * s.out_h() * s.out_w() * s.k);
        return std::unique_ptr<Contestant>(new Peer(*this, peer, bytes));
    }

  private:
    explicit PeerLibrary(SharedLibrary library) : library_(std::move(library)) {}

    class Peer final : public Contestant {
      public:
        Peer(const PeerLibrary& library, void* peer, std::size_t bytes)
            : library_(library.library_),
              run_(library.run_),
              output_(library.output_),
              how_(library.how_),
              peer_(peer, library.destroy_),
              bytes_(bytes) {}
        void run() override { run_(peer_.get()); }
        std::vector<std::uint8_t> output() override {
            std::vector<std::uint8_t> bytes(bytes_);
            output_(peer_.get(), bytes.data());
            return bytes;
        }
        std::string how() const override { return how_(peer_.get()); }

      private:
        SharedLibrary library_;  // open as long as this lives
        decltype(&memside_peer_run) run_;
        decltype(&memside_peer_output) output_;
        decltype(&memside_peer_implementation) how_;
        std::unique_ptr<void, void (*)(void*)> peer_;
        std::size_t bytes_;
    };

    SharedLibrary library_;
    decltype(&memside_peer_name) name_ = nullptr;
    decltype(&memside_peer_create) create_ = nullptr;
    decltype(&memside_peer_run) run_ = nullptr;
    decltype(&memside_peer_output) output_ = nullptr;
    decltype(&memside_peer_implementation) how_ = nullptr;
    decltype(&memside_peer_destroy) destroy_ = nullptr;
};

}  // namespace memside::bench
