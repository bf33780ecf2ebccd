#include "compiler/pass_log.h"

#include <llvm/Support/raw_ostream.h>
#include <mlir/Pass/Pass.h>

#include <chrono>
#include <map>

#include "base/text.h"

namespace memside::compiler {
namespace {

// "decode 12, func 2"
std::string count_by_dialect(mlir::Operation* top) {
    std::map<std::string, int> counts;
    top->walk([&](mlir::Operation* op) {
        if (op->getName().getDialectNamespace() != "builtin") {
            ++counts[op->getName().getDialectNamespace().str()];
        }
    });
    std::vector<std::string> parts;
    for (const auto& [dialect, count] : counts)
        parts.push_back(fmt::format("{} {}", dialect, count));
    return join(parts, ", ");
}

}  // namespace

class PassLog::Instrumentation : public mlir::PassInstrumentation {
  public:
    explicit Instrumentation(PassLog& log) : log_(log) {}

    void runBeforePass(mlir::Pass*, mlir::Operation*) override {
        begun_.push_back(std::chrono::steady_clock::now());
    }
    void runAfterPass(mlir::Pass* pass, mlir::Operation* op) override { after(pass, op, true); }
    void runAfterPassFailed(mlir::Pass* pass, mlir::Operation* op) override {
        after(pass, op, false);
    }

  private:
    void after(mlir::Pass* pass, mlir::Operation* op, bool succeeded) {
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - begun_.back();
        begun_.pop_back();
        // Adaptors, which run passes over parts, have no name on the command line.
        const std::string name = pass->getArgument().str();
        if (name.empty()) return;
        log_.passes_.push_back(name);
        if (log_.statistics_) {
            log_.log_ += fmt::format("{}: {:.2f} ms; {}{}\n", name, took.count(),
                                     count_by_dialect(op), succeeded ? "" : "; failed");
        }
        if (name == log_.print_after_) log_.print(name, op);
    }

    PassLog& log_;
    std::vector<std::chrono::steady_clock::time_point> begun_;
};

void PassLog::print(const std::string& pass, mlir::Operation* op) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    op->print(stream, mlir::OpPrintingFlags().useLocalScope());
    log_ += fmt::format("// after {}\n{}\n", pass, text);
    printed_ = true;
}

std::unique_ptr<mlir::PassInstrumentation> PassLog::instrumentation() {
    return std::make_unique<Instrumentation>(*this);
}

std::optional<Error> PassLog::finish() const {
    if (print_after_.empty() || printed_) return std::nullopt;
    return bad_input("--print-after", fmt::format("{} is no pass that ran; they were: {}",
                                                  in_quotes(print_after_), join(passes_, ", ")));
}

}  // namespace memside::compiler
