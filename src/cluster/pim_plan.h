// How a model is spread over DRAM-PIM modules: layers over the stages of a pipeline (PP), heads and
// rows of weights over the modules of a stage (TP); and what then fits.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/pim_kernels.h"
#include "cluster/pim_machine.h"
#include "cluster/pim_pages.h"
#include "model/model_spec.h"

namespace memside {

enum class PimAccess : std::uint8_t {
    reserved,  // static: the window of the model is set aside for each request
    chunks,    // dynamic PIM access (DPA): chunks of 1 MiB as a request grows
};

// What the channels do while the hub's extra processing unit works.
enum class PimHub : std::uint8_t {
    serial,   // they wait
    overlap,  // they multiply for another head or round, whose block has registers of its own
};

// What `simulate --policy pim` is asked for.
struct PimOptions {
    PimProgramOptions program;
    std::string program_file;  // of program.attention, for messages
    PimAccess access = PimAccess::chunks;
    PimHub hub = PimHub::serial;
    std::int64_t tp = 0;  // 0: the best pair
    std::int64_t pp = 0;
    std::int64_t reserve_tokens = 0;  // of static access; 0: the window of the model
    // Where times of kernels are kept between runs; "": nowhere.
    std::string cache_folder;
    // What a step selects; nullptr: every layer attends all that it keeps.
    std::shared_ptr<PimPages> pages;
};

// What a layer's attention meets.
enum class PimLayerKind : std::uint8_t {
    whole,     // every token
    selected,  // pages by digest
    window,    // the last tokens, in a ring as long as the window
};
inline constexpr std::size_t pim_layer_kinds = 3;
PimLayerKind layer_kind(const ModelSpec& model, const PimOptions& options, int layer);

// A linear layer of one module: rows are outputs.
struct PimLinear {
    std::string_view name;
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;

    double parameters() const { return double{1} * rows * columns; }
};

struct PimStage {
    int layers = 0;
    bool last = false;  // has the output head
    int first_layer = 0;

    // Layers by PimLayerKind.
    std::array<int, pim_layer_kinds> kinds(const ModelSpec& model, const PimOptions& options) const;
};

struct PimPlan {
    std::int64_t tp = 1;
    std::int64_t pp = 1;
    std::vector<PimStage> stages;
    // KV heads of the modules of a stage, the fullest first: they differ by one at most.
    std::vector<std::int64_t> kv_heads;
    std::vector<PimLinear> linears;  // of a layer, in its order
    PimLinear output_head;

    std::int64_t most_heads() const { return kv_heads.front(); }
};

// bad_input: tp x pp is not the number of modules, or there are more stages than layers, or more
// modules in a stage than KV heads, which are not split.
Result<PimPlan> make_pim_plan(const ModelSpec& model, std::int64_t modules, std::int64_t tp,
                              std::int64_t pp);

// Every pair that make_pim_plan() takes.
std::vector<std::pair<std::int64_t, std::int64_t>> pim_pairs(const ModelSpec& model,
                                                             std::int64_t modules);

// Tokens that static access sets aside for a request which ends with `tokens`.
std::int64_t reserved_tokens(const ModelSpec& model, const PimOptions& options,
                             std::int64_t tokens);

// What fits: the fullest module of the fullest stage decides.
struct PimFit {
    std::int64_t max_batch = 0;
    double weight_bytes = 0;            // on the module that decides
    double request_bytes = 0;           // of a request there, what is lost to chunks included
    double live_bytes = 0;              // of a request in the whole system
    double kv_capacity_bytes = 0;       // left after weights in the whole system
    double reserved_request_bytes = 0;  // of a request in the whole system, as request_bytes
};

PimFit pim_fit(const PimPlan& plan, const ModelSpec& model, const PimMachine& machine,
               const PimOptions& options, std::int64_t context_tokens);

// Bytes of weights of a module of that stage: whole rows of all channels when the banks multiply.
double stage_weight_bytes(const PimPlan& plan, const PimStage& stage, const ModelSpec& model,
                          const PimModule& module);

}  // namespace memside
