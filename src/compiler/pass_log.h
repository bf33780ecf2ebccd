// What --print-after and --pass-statistics show. LLVM's own statistics are compiled out of the
// distribution's release build.
#pragma once

#include <mlir/IR/Operation.h>
#include <mlir/Pass/PassInstrumentation.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace memside::compiler {

class PassLog {
  public:
    // `log` outlives the object and its instrumentation, and so does the object.
    PassLog(std::string print_after, bool statistics, std::string& log)
        : print_after_(std::move(print_after)), statistics_(statistics), log_(log) {}

    // The front is no pass, and `--print-after=front` shows what it makes.
    bool wanted_front() const { return print_after_ == "front"; }
    void print(const std::string& pass, mlir::Operation* op);

    // For one pass manager: after every pass a line of the time that it took and the operations of
    // each dialect that it left.
    std::unique_ptr<mlir::PassInstrumentation> instrumentation();

    // bad_input when there was no pass named so.
    std::optional<Error> finish() const;

  private:
    class Instrumentation;

    std::string print_after_;
    bool statistics_;
    std::string& log_;
    std::vector<std::string> passes_{"front"};
    bool printed_ = false;
};

}  // namespace memside::compiler
