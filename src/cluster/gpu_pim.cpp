#include "cluster/gpu_pim.h"

#include "base/number.h"
#include "pim/run_names.h"

namespace memside {
Result<std::unique_ptr<GpuPim>> GpuPim::make(const SimulationRequest& request) {
    if (kv::bits(request.format.value_type) != 16) {
        return bad_input("--kv-type", "the banks multiply 16-bit values; allowed: f16, bf16");
    }
    if (request.model.sliding_layers() > 0) {
        return bad_input("--model", fmt::format("{} has sliding-window layers, which are not "
                                                "modelled for --policy pim beside GPUs",
                                                request.model.name));
    }
    if (request.pim.program.attention) {
        return bad_input(
            "--program",
            "is of all heads of a module; beside GPUs pairs of KV head and request are "
            "dealt to all modules");
    }
    if (request.pim.tp != 0) {
        return bad_input("--tp",
                         "beside GPUs pairs of KV head and request are dealt to all modules; "
                         "allowed: --parallel best");
    }
    if (request.budget_tokens) {
        return bad_input("--budget",
                         "selected pages are modelled on modules by themselves, not "
                         "beside GPUs");
    }
    MEMSIDE_CHECK(refuse_selection_settings(request.settings));
    if (request.pim.hub == PimHub::overlap) {
        return bad_input("--hub", "beside GPUs only 'serial' is modelled");
    }
    MEMSIDE_TRY(PimDescription description, read_pim_description());
    return std::make_unique<GpuPim>(request, std::move(description));
}

GpuPim::GpuPim(const SimulationRequest& request, PimDescription description)
    : options_(request.pim),
      served_(!request.workload.empty()),
      description_(std::move(description)),
      programs_(make_program_kernels(description_, options_.program)),
      kernels_(*programs_, description_, options_.program, options_.cache_folder),
      between_(kernels_),
      policy_(make_gpu_pim_policy(options_, description_,
                                  served_ ? static_cast<PimKernels&>(between_) : kernels_)) {}

void GpuPim::add_assumptions(SimulationResult& result) const {
    const auto add = [&](std::string key, std::string value, std::string source) {
        result.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    };
    add("pairs", "over all modules",
        "assumed: a KV head of a request lies in one module with all layers, the longest pairs "
        "first to the module with the fewest tokens");
    if (served_) {
        add("pairs of a workload", "dealt anew in each step",
            "assumed: while requests come and go each takes an equal share of every module");
        add("kernel times", "between lengths a sixteenth of a power of two apart",
            "a straight line between two that were simulated");
    }
    add("partition", options_.program.partition == PimPartition::tcp ? "tcp" : "hfp",
        "as asked for or by default");
    add("scheduler", std::string(pim::scheduler_name(options_.program.scheduler)),
        "assumed: one accumulator per bank in order, one in each half with ping-pong, 64 with dcs");
    add("access", options_.access == PimAccess::chunks ? "dpa" : "static",
        options_.access == PimAccess::chunks
            ? "assumed: keys and values of a pair have whole rows of their channels"
            : "assumed: the model's window, or --reserve, is set aside for each request; loops end "
              "at its tokens");
    add("row-reuse", options_.program.row_reuse ? "on" : "off", "as asked for or by default");
    add("refresh", options_.program.refresh ? "on" : "off", "as asked for or by default");
    add("softmax", "on the module's hub", "assumed: only outputs of attention return to the GPUs");
    add("hub energy", "not counted",
        "not modelled: that of the extra processing unit; its time costs standby power");
    for (const auto& [file, constants] :
         {std::pair("aim", &description_.timing.constants),
          std::pair("hub", &description_.hub.constants),
          std::pair("aim_energy", &description_.energy.constants)}) {
        for (const dram::SourcedConstant& constant : *constants) {
            Constant noted;
            noted.path = fmt::format("{}.{}", file, constant.path);
            noted.text = constant.text;
            noted.source = constant.source;
            noted.where = constant.where;
            if (noted.assumed() || noted.inferred()) add(noted.path, noted.text, noted.source);
            result.constants.push_back(std::move(noted));
        }
    }
}

}  // namespace memside
