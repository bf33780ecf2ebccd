// How fast generated convolutions are, beside the peak of vpdpbusd and beside other libraries in
// the same run: u8 x s8 to u8 with a scale per channel and ReLU. The schedules are those that
// `memside tune network` found (--tuned), else the best of a fixed list. All contestants run turn
// by turn, in samples of at least 2 ms by the wall clock, after a sample that does not count.
// usage: bench_conv_speed [--threads N] [--rounds N] [--layer NAME] [--schedule 'KNOB=VALUE ...']
//                         [--tuned NETWORK.json] [--peer LIBRARY.so]... [--json FILE]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/number.h"
#include "conv_contestants.h"
#include "median.h"

namespace {

using namespace memside;
using bench::Contestant;
using conv::ConvProblem;
using conv::Schedule;
using conv::Target;

constexpr double sample_s = 2e-3;

struct Layer {
    std::string name;
    std::string shape;
    std::string schedule;  // "": the best of a list
};
// ResNet-50, batch 8: the four 3x3 layers, the stem, and 1x1 layers of several kinds.
const std::vector<Layer> usual_layers = {
    {"3x3-56", "8,64,56,56,64,3,3,1,1", ""},
    {"3x3-28", "8,128,28,28,128,3,3,1,1", ""},
    {"3x3-14", "8,256,14,14,256,3,3,1,1", ""},
    {"3x3-7", "8,512,7,7,512,3,3,1,1", ""},
    {"stem", "8,3,224,224,64,7,7,2,3", ""},
    {"1x1-56-expand", "8,64,56,56,256,1,1,1,0", ""},
    {"1x1-56-reduce", "8,256,56,56,64,1,1,1,0", ""},
    {"1x1-14-reduce", "8,1024,14,14,256,1,1,1,0", ""},
    {"1x1-7-expand", "8,512,7,7,2048,1,1,1,0", ""},
    {"1x1-28-down", "8,512,28,28,1024,1,1,2,0", ""},
    {"3x3-28-down", "8,128,56,56,128,3,3,2,1", ""},
    {"3x3-56-batch1", "1,64,56,56,64,3,3,1,1", ""},
};

struct Options {
    unsigned threads = 1;
    int rounds = 15;
    std::string layer;
    std::string schedule;
    std::string tuned;
    std::string json;
    std::vector<std::string> peers;
};

template <typename T>
T or_exit(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(2);
}

template <typename Work>
double best_s(int rounds, const Work& work) {
    double best = 1e9;
    for (int i = 0; i < rounds; ++i) best = std::min(best, bench::once_s(work));
    return best;
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

// Operations per second of independent vpdpbusd in registers, in 10^9.
double peak_gops() {
    return 128.0 * peak_sums * peak_repeats / best_s(50, multiply_in_registers) / 1e9;
}

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

// A contestant and the seconds of one of its convolutions, by round.
struct Entry {
    std::string name;
    std::unique_ptr<Contestant> contestant;
    std::vector<double> times_s;

    double median_s() const {
        std::vector<double> sorted = times_s;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
    double best_s() const { return *std::min_element(times_s.begin(), times_s.end()); }
};

// The median over rounds of the peer's time over ours: above 1, ours is faster.
double ratio(const Entry& ours, const Entry& peer) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.times_s.size(); ++i) {
        ratios.push_back(peer.times_s[i] / ours.times_s[i]);
    }
    std::sort(ratios.begin(), ratios.end());
    return ratios[ratios.size() / 2];
}

void measure_in_turn(std::vector<Entry>& entries, int rounds) {
    std::vector<int> repeats;
    for (Entry& entry : entries) {
        const double one = best_s(3, [&] { entry.contestant->run(); });
        repeats.push_back(std::max(1, static_cast<int>(sample_s / one) + 1));
    }
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t e = 0; e < entries.size(); ++e) {
            const auto sample = [&] {
                for (int i = 0; i < repeats[e]; ++i) entries[e].contestant->run();
            };
            sample();
            entries[e].times_s.push_back(bench::once_s(sample) / repeats[e]);
        }
    }
}

// The largest difference: oneDNN scales in floating point and rounds halves to even.
int difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    int most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
    return most;
}

class Bench {
  public:
    explicit Bench(const Options& options)
        : options_(options),
          compiler_(or_exit(codegen::ConvCompiler::open())),
          pool_(options.threads) {
        for (const std::string& path : options.peers) {
            peers_.push_back(or_exit(bench::PeerLibrary::open(path)));
        }
        peak_ = peak_gops() * options.threads;
    }

    void run(const std::vector<Layer>& layers) {
        fmt::print("{} thread(s), vpdpbusd peak {:.0f} GOPS; ratios are medians of {} turns\n",
                   options_.threads, peak_, options_.rounds);
        fmt::print("{:<20} {:>7} {:>8}", "layer", "ours", "of peak");
        for (const bench::PeerLibrary& peer : peers_) fmt::print(" {:>14} ratio", peer.name());
        fmt::print("  schedule\n");
        for (const Layer& layer : layers) measure(layer);
        if (options_.json.empty()) return;
        std::ofstream(options_.json) << nlohmann::json{{"threads", options_.threads},
                                                       {"peak_gops", peak_},
                                                       {"rounds", options_.rounds},
                                                       {"layers", results_}}
                                            .dump(1)
                                     << '\n';
    }

  private:
    void measure(const Layer& layer) {
        ConvProblem problem;
        problem.shape = or_exit(conv::parse_shape(layer.shape, layer.name));
        const auto operands = conv::random_operands(problem, 1);
        const Schedule schedule = layer.schedule.empty()
                                      ? fastest(problem, operands)
                                      : or_exit(conv::parse_schedule(layer.schedule, layer.name));
        std::vector<Entry> entries;
        entries.push_back({"ours", generated(problem, operands, schedule), {}});
        for (const bench::PeerLibrary& peer : peers_) {
            entries.push_back({peer.name(), or_exit(peer.make(problem.shape, operands)), {}});
        }
        measure_in_turn(entries, options_.rounds);
        report(layer, problem.shape.operations() / 1e9, entries);
    }

    void report(const Layer& layer, double giga, std::vector<Entry>& entries) {
        const Entry& ours = entries.front();
        const std::vector<std::uint8_t> output = entries.front().contestant->output();
        nlohmann::json result{{"name", layer.name},
                              {"shape", layer.shape},
                              {"schedule", ours.contestant->how()},
                              {"gops", giga / ours.median_s()},
                              {"best_gops", giga / ours.best_s()},
                              {"peers", nlohmann::json::array()}};
        fmt::print("{:<20} {:>7.0f} {:>7.0f}%", layer.name, giga / ours.median_s(),
                   100 * giga / ours.median_s() / peak_);
        for (std::size_t e = 1; e < entries.size(); ++e) {
            Entry& peer = entries[e];
            fmt::print(" {:>14.0f} {:>5.2f}", giga / peer.median_s(), ratio(ours, peer));
            result["peers"].push_back(
                {{"name", peer.name},
                 {"gops", giga / peer.median_s()},
                 {"best_gops", giga / peer.best_s()},
                 {"ratio", ratio(ours, peer)},
                 {"largest_difference", difference(output, peer.contestant->output())},
                 {"implementation", peer.contestant->how()}});
        }
        fmt::print("  {}\n", ours.contestant->how());
        std::fflush(stdout);
        results_.push_back(std::move(result));
    }

    std::unique_ptr<Contestant> generated(const ConvProblem& problem,
                                          const conv::ConvOperands& operands,
                                          const Schedule& schedule) {
        return or_exit(bench::Generated::make(compiler_, problem, operands, schedule, pool_));
    }

    Schedule fastest(const ConvProblem& problem, const conv::ConvOperands& operands) {
        struct Timed {
            double seconds;
            Schedule schedule;
        };
        const auto faster = [](const Timed& a, const Timed& b) { return a.seconds < b.seconds; };
        std::vector<Timed> timed;
        for (const Schedule& schedule : candidates(problem)) {
            const auto ours = generated(problem, operands, schedule);
            timed.push_back({best_s(4, [&] { ours->run(); }), schedule});
        }
        std::sort(timed.begin(), timed.end(), faster);
        timed.resize(std::min<std::size_t>(timed.size(), 8));
        for (Timed& one : timed) {
            const auto ours = generated(problem, operands, one.schedule);
            one.seconds = best_s(15, [&] { ours->run(); });
        }
        return std::min_element(timed.begin(), timed.end(), faster)->schedule;
    }

    const Options& options_;
    codegen::ConvCompiler compiler_;
    engine::ThreadPool pool_;
    std::vector<bench::PeerLibrary> peers_;
    double peak_ = 0;
    nlohmann::json results_ = nlohmann::json::array();
};

// What `memside tune network --json` wrote. Layers without a program are left out.
std::vector<Layer> tuned_layers(const std::string& path) {
    constexpr std::size_t most_bytes = std::size_t{16} << 20;
    const auto root = nlohmann::json::parse(or_exit(read_file(path, most_bytes)), nullptr, false);
    std::vector<Layer> layers;
    if (root.is_object() && root.contains("layers")) {
        for (const auto& layer : root["layers"]) {
            if (!layer.value("best_config", nlohmann::json()).is_string()) continue;
            layers.push_back({layer.value("name", ""), layer.value("shape", ""),
                              layer["best_config"].get<std::string>()});
        }
    }
    if (layers.empty()) {
        std::fprintf(stderr, "%s: has no tuned layers\n", path.c_str());
        std::exit(2);
    }
    return layers;
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
            options.schedule = value;
        } else if (name == "--tuned") {
            options.tuned = value;
        } else if (name == "--json") {
            options.json = value;
        } else if (name == "--peer") {
            options.peers.emplace_back(value);
        } else {
            usage(name);
        }
    }
#ifdef MEMSIDE_ONEDNN_PEER
    if (options.peers.empty()) options.peers.emplace_back(MEMSIDE_ONEDNN_PEER);
#endif
    return options;
}

// Before a peer starts its threads: those of OpenMP, and of SYCL on processors.
void limit_threads(unsigned threads) {
    for (const char* variable : {"OMP_NUM_THREADS", "DPCPP_CPU_NUM_CUS"}) {
        setenv(variable, std::to_string(threads).c_str(), 1);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    if (!codegen::runs_here(Target::x86_vnni)) {
        std::fprintf(stderr, "this processor has no AVX-512 VNNI\n");
        return 1;
    }
    limit_threads(options.threads);
    std::vector<Layer> layers = options.tuned.empty() ? usual_layers : tuned_layers(options.tuned);
    std::erase_if(layers, [&](const Layer& layer) {
        return !options.layer.empty() && layer.name != options.layer;
    });
    if (layers.empty()) usage("no layer " + options.layer);
    for (Layer& layer : layers) {
        if (!options.schedule.empty()) layer.schedule = options.schedule;
    }
    Bench(options).run(layers);
    return 0;
}
