// What programs are tuned for: where a search gets its space from, and its kernels. The targets
// stand in one table, targets.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tune/kernel.h"
#include "tune/search_space.h"
#include "tune/task.h"

namespace memside::tune {

// A kernel for programs that do not know Memside.
struct KernelFiles {
    std::string object;  // the bytes of an object file that defines the symbol
    std::string header;  // C: its prototype, and how its operands lie
};

class Target {
  public:
    virtual ~Target() = default;

    // The programs that compute the task. An Error for what the target does not have, such as a
    // type, or what this machine cannot run.
    virtual Result<std::shared_ptr<const SearchSpace>> space(const Task& task) const = 0;

    // Makes measurers of the space's points, with operands drawn from `seed`. Starts no threads,
    // and does what all workers need once, such as the reference.
    virtual Result<MeasurerFactory> measurer(const Task& task, std::uint64_t seed) const = 0;

    // `config` is a point's text (point_text()), as databases keep it.
    virtual Result<KernelFiles> emit(const Task& task, const std::string& config,
                                     const std::string& symbol) const = 0;
};

struct TargetKind {
    std::string_view name;
    // Null where this program has no code generator; then `missing` says so.
    std::unique_ptr<Target> (*make)();
    std::string_view missing;
};

std::span<const TargetKind> targets();

// bad_input at `where` for an unknown name; an environment Error that says what is missing when
// there is no code generator.
Result<std::unique_ptr<Target>> find_target(const std::string& name, const std::string& where);

}  // namespace memside::tune
