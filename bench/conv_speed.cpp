// How fast generated convolutions are, beside the peak of vpdpbusd and beside oneDNN in the same
// run: u8 x s8 to u8 with a scale per channel and ReLU. There is no search here: a fixed list of
// schedules is tried, and the fastest is measured again, turn by turn with oneDNN.
// usage: bench_conv_speed [--threads N] [--rounds N] [--layer NAME] [--schedule 'KNOB=VALUE ...']
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dnnl.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/number.h"
#include "codegen/conv_compiler.h"
#include "conv/conv_plan.h"
#include "engine/thread_pool.h"
#include "median.h"

namespace {

using namespace memside;
using conv::ConvProblem;
using conv::ConvShape;
using conv::Schedule;
using conv::Target;

struct Layer {
    const char* name;
    const char* shape;
};
// ResNet-50, batch 8: the four 3x3 layers, the stem, and 1x1 layers of several kinds.
constexpr Layer layers[] = {
    {"3x3-56", "8,64,56,56,64,3,3,1,1"},         {"3x3-28", "8,128,28,28,128,3,3,1,1"},
    {"3x3-14", "8,256,14,14,256,3,3,1,1"},       {"3x3-7", "8,512,7,7,512,3,3,1,1"},
    {"stem", "8,3,224,224,64,7,7,2,3"},          {"1x1-56-expand", "8,64,56,56,256,1,1,1,0"},
    {"1x1-56-reduce", "8,256,56,56,64,1,1,1,0"}, {"1x1-14-reduce", "8,1024,14,14,256,1,1,1,0"},
    {"1x1-7-expand", "8,512,7,7,2048,1,1,1,0"},  {"1x1-28-down", "8,512,28,28,1024,1,1,2,0"},
    {"3x3-28-down", "8,128,56,56,128,3,3,2,1"},  {"3x3-56-batch1", "1,64,56,56,64,3,3,1,1"},
};

struct Options {
    unsigned threads = 1;
    int rounds = 15;
    std::string layer;
    std::optional<Schedule> schedule;
};

template <typename T>
T or_exit(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(2);
}

// Seconds of one call: of the thread's processor time, which others on the machine disturb least,
// or of the wall clock where there are several threads.
bool by_wall_clock = false;
template <typename Work>
double once_s(const Work& work) {
    if (by_wall_clock) return bench::once_s(work);
    const auto now_s = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    };
    const double start_s = now_s();
    work();
    return now_s() - start_s;
}

constexpr int peak_sums = 16;
constexpr int peak_repeats = 200000;

__attribute__((target("avx512f,avx512vnni"))) void multiply_in_registers() {
    // In assembler: a compiler keeps an array of sums in memory.
    for (int repeat = 0; repeat < peak_repeats; ++repeat) {
        asm volatile(
            "vpdpbusd %%zmm31, %%zmm30, %%zmm0\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm1\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm2\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm3\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm4\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm5\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm6\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm7\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm8\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm9\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm10\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm11\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm12\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm13\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm14\n"
            "vpdpbusd %%zmm31, %%zmm30, %%zmm15\n"
            :
            :
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    }
}

template <typename Work>
double best_s(int rounds, Work&& work) {
    double best = 1e9;
    for (int i = 0; i < rounds; ++i) best = std::min(best, once_s(work));
    return best;
}

// Operations per second of independent vpdpbusd in registers, in 10^9.
double peak_gops() {
    return 128.0 * peak_sums * peak_repeats / best_s(50, multiply_in_registers) / 1e9;
}

class Ours {
  public:
    Ours(const codegen::ConvCompiler& compiler, const ConvProblem& problem,
         const conv::ConvOperands& operands, const Schedule& schedule, engine::ThreadPool& pool)
        : plan_(or_exit(conv::make_plan(problem, Target::x86_vnni, schedule))),
          kernel_(or_exit(compiler.compile(problem, Target::x86_vnni, schedule))),
          pool_(pool),
          weights_(conv::pack_weights(plan_, operands.weights)),
          tables_(conv::pack_tables(plan_, operands.weights, operands.requantisation)) {
        const ConvShape& shape = problem.shape;
        const auto layout = plan_.schedule.layout();
        input_ = conv::to_layout(operands.input, layout, shape.n, shape.h, shape.w, shape.c);
        output_.resize(static_cast<std::size_t>(conv::output_bytes(shape, layout)));
        scratch_bytes_ = static_cast<std::size_t>(plan_.scratch_bytes() + 63) / 64 * 64 + 64;
        for (unsigned i = 0; i < pool.threads(); ++i) {
            scratch_.emplace_back(
                static_cast<std::uint8_t*>(std::aligned_alloc(64, scratch_bytes_)), std::free);
        }
    }

    void run() {
        const std::int64_t parts = pool_.threads();
        pool_.run(parts, [&](std::int64_t part) {
            kernel_.function()(input_.data(), weights_.data(), tables_.data(), output_.data(),
                               scratch_[static_cast<std::size_t>(part)].get(),
                               plan_.tasks() * part / parts, plan_.tasks() * (part + 1) / parts);
        });
    }
    std::vector<std::uint8_t> output() const {
        const ConvShape& shape = plan_.problem.shape;
        return conv::from_layout(output_, plan_.schedule.layout(), shape.n, shape.out_h(),
                                 shape.out_w(), shape.k);
    }
    const Schedule& schedule() const { return plan_.schedule; }

  private:
    conv::ConvPlan plan_;
    codegen::CompiledConv kernel_;
    engine::ThreadPool& pool_;
    std::vector<std::uint8_t> input_, weights_, output_;
    std::vector<std::int32_t> tables_;
    std::size_t scratch_bytes_ = 0;
    std::vector<std::unique_ptr<std::uint8_t, void (*)(void*)>> scratch_;
};

// oneDNN in the layouts that it likes best; bringing operands into them is not timed.
class Peer {
  public:
    Peer(const ConvProblem& problem, const conv::ConvOperands& operands)
        : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
        using Tag = dnnl::memory::format_tag;
        using Type = dnnl::memory::data_type;
        const ConvShape& s = problem.shape;
        const auto any = [](dnnl::memory::dims dims, Type type) {
            return dnnl::memory::desc(std::move(dims), type, Tag::any);
        };
        const dnnl::memory::dims in{s.n, s.c, s.h, s.w};
        const dnnl::memory::dims weights{s.k, s.c, s.r, s.s};
        const dnnl::memory::dims out{s.n, s.k, s.out_h(), s.out_w()};
        const dnnl::convolution_forward::desc desc(
            dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
            any(in, Type::u8), any(weights, Type::s8), any({s.k}, Type::s32), any(out, Type::u8),
            {s.stride, s.stride}, {s.dilation - 1, s.dilation - 1}, {s.pad, s.pad}, {s.pad, s.pad});
        dnnl::primitive_attr attributes;
        std::vector<float> scales;
        for (std::size_t k = 0; k < static_cast<std::size_t>(s.k); ++k) {
            scales.push_back(static_cast<float>(std::ldexp(operands.requantisation.multiplier[k],
                                                           -operands.requantisation.shift[k])));
        }
        attributes.set_output_scales(2, scales);
        dnnl::post_ops relu;
        relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
        attributes.set_post_ops(relu);
        const dnnl::convolution_forward::primitive_desc chosen(desc, attributes, engine_);
        primitive_ = dnnl::convolution_forward(chosen);
        implementation_ = chosen.impl_info_str();

        // KRSC and NHWC, as the operands lie.
        put(DNNL_ARG_SRC, {in, Type::u8, Tag::nhwc}, operands.input.data(), chosen.src_desc());
        put(DNNL_ARG_WEIGHTS, {weights, Type::s8, Tag::ohwi}, operands.weights.data(),
            chosen.weights_desc());
        put(DNNL_ARG_BIAS, {{s.k}, Type::s32, Tag::a}, operands.requantisation.bias.data(),
            chosen.bias_desc());
        plain_out_ = {out, Type::u8, Tag::nhwc};
        arguments_.insert({DNNL_ARG_DST, dnnl::memory(chosen.dst_desc(), engine_)});
    }

    void run() {
        primitive_.execute(stream_, arguments_);
        stream_.wait();
    }
    std::vector<std::uint8_t> output() {
        std::vector<std::uint8_t> bytes(plain_out_.get_size());
        dnnl::memory plain(plain_out_, engine_, bytes.data());
        dnnl::memory result = arguments_.at(DNNL_ARG_DST);
        dnnl::reorder(result, plain).execute(stream_, result, plain);
        stream_.wait();
        return bytes;
    }
    const std::string& implementation() const { return implementation_; }

  private:
    void put(int argument, const dnnl::memory::desc& plain, const void* data,
             const dnnl::memory::desc& wanted) {
        dnnl::memory from(plain, engine_, const_cast<void*>(data));
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

// The list that is tried: register tiles that fill the registers, few thread tiles.
std::vector<Schedule> candidates(const ConvProblem& problem) {
    std::vector<Schedule> result;
    const auto add = [&](const Schedule& schedule) {
        if (!conv::valid(problem, Target::x86_vnni, schedule).ok()) return;
        const Schedule point = conv::canonical(problem, Target::x86_vnni, schedule);
        if (point.pixels * point.vectors < 12) return;
        if (std::find(result.begin(), result.end(), point) == result.end()) {
            result.push_back(point);
        }
    };
    for (const int reuse : {1, 0}) {
        for (const int tiled : {0, 1}) {
            for (const int rows : {2, 8, 16}) {
                for (const int pixels : {6, 7, 8, 10, 12, 14, 28}) {
                    for (const int vectors : {1, 2, 4}) {
                        for (const int blocks : {1, 16}) {
                            Schedule schedule;
                            schedule.tile_rows = rows;
                            schedule.tile_blocks = blocks;
                            schedule.pixels = pixels;
                            schedule.vectors = vectors;
                            schedule.chunk = 4;
                            schedule.packed = vectors > 1 ? 1 : 0;
                            schedule.tiled = tiled;
                            schedule.reuse = reuse;
                            add(schedule);
                        }
                    }
                }
            }
        }
    }
    return result;
}

Schedule fastest(const codegen::ConvCompiler& compiler, const ConvProblem& problem,
                 const conv::ConvOperands& operands, engine::ThreadPool& pool) {
    struct Timed {
        double seconds;
        Schedule schedule;
    };
    std::vector<Timed> timed;
    for (const Schedule& schedule : candidates(problem)) {
        Ours ours(compiler, problem, operands, schedule, pool);
        timed.push_back({best_s(4, [&] { ours.run(); }), schedule});
    }
    std::sort(timed.begin(), timed.end(),
              [](const Timed& a, const Timed& b) { return a.seconds < b.seconds; });
    timed.resize(std::min<std::size_t>(timed.size(), 8));
    for (Timed& one : timed) {
        Ours ours(compiler, problem, operands, one.schedule, pool);
        one.seconds = best_s(15, [&] { ours.run(); });
    }
    return std::min_element(timed.begin(), timed.end(),
                            [](const Timed& a, const Timed& b) { return a.seconds < b.seconds; })
        ->schedule;
}

// The largest difference: oneDNN scales in floating point and rounds halves to even.
int difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    int most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
    return most;
}

void measure(const Layer& layer, const Options& options, const codegen::ConvCompiler& compiler,
             engine::ThreadPool& pool, double peak) {
    ConvProblem problem;
    problem.shape = or_exit(conv::parse_shape(layer.shape, layer.name));
    const auto operands = conv::random_operands(problem, 1);
    Peer peer(problem, operands);
    const Schedule schedule =
        options.schedule ? *options.schedule : fastest(compiler, problem, operands, pool);
    Ours ours(compiler, problem, operands, schedule, pool);
    double ours_s = 1e9;
    double peer_s = 1e9;
    for (int round = 0; round < options.rounds; ++round) {
        ours_s = std::min(ours_s, once_s([&] { ours.run(); }));
        peer_s = std::min(peer_s, once_s([&] { peer.run(); }));
    }
    const double giga = problem.shape.operations() / 1e9;
    fmt::print("{:<14} {:>8.0f} {:>8.0f} {:>7.2f} {:>6.0f}% {:>5}  {}  ({})\n", layer.name,
               giga / ours_s, giga / peer_s, peer_s / ours_s, 100 * giga / ours_s / peak,
               difference(ours.output(), peer.output()), conv::format_schedule(ours.schedule()),
               peer.implementation());
    std::fflush(stdout);
}

[[noreturn]] void usage(const std::string& wrong) {
    fmt::print(stderr, "bench_conv_speed: {}; see the head of bench/conv_speed.cpp\n", wrong);
    std::exit(2);
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        if (i + 1 == argc) usage(name);
        const char* value = argv[i + 1];
        if (name == "--threads") {
            options.threads = static_cast<unsigned>(or_exit(parse_integer(value, 1, 1024, name)));
        } else if (name == "--rounds") {
            options.rounds = static_cast<int>(or_exit(parse_integer(value, 1, 100000, name)));
        } else if (name == "--layer") {
            options.layer = value;
        } else if (name == "--schedule") {
            options.schedule = or_exit(conv::parse_schedule(value, name));
        } else {
            usage(name);
        }
    }
    return options;
}

// oneDNN's threads are OpenMP's.
void limit_openmp(unsigned threads) {
    using Set = void (*)(int);
    const auto set = reinterpret_cast<Set>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set != nullptr) set(static_cast<int>(threads));
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    if (!codegen::runs_here(Target::x86_vnni)) {
        std::fprintf(stderr, "this processor has no AVX-512 VNNI\n");
        return 1;
    }
    limit_openmp(options.threads);
    by_wall_clock = options.threads > 1;
    const auto compiler = or_exit(codegen::ConvCompiler::open());
    engine::ThreadPool pool(options.threads);
    const double peak = peak_gops() * options.threads;
    fmt::print("{} thread(s), vpdpbusd peak {:.0f} GOPS\n", options.threads, peak);
    fmt::print("{:<14} {:>8} {:>8} {:>7} {:>7} {:>5}  schedule\n", "layer", "ours", "oneDNN",
               "ratio", "of peak", "diff");
    for (const Layer& layer : layers) {
        if (options.layer.empty() || options.layer == layer.name) {
            measure(layer, options, compiler, pool, peak);
        }
    }
    return 0;
}
