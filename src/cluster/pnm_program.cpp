#include "cluster/pnm_program.h"

#include "base/number.h"
#include "base/text.h"

namespace memside {
namespace {

using pnm::Kernel;
using pnm::Symbol;

std::string names_of(const std::vector<Kernel>& kernels) {
    std::vector<std::string> names;
    for (const Kernel kernel : kernels) {
        names.emplace_back(pnm::kernel_names[static_cast<std::size_t>(kernel)]);
    }
    return join(names, ", ");
}

class Fitting {
  public:
    Fitting(const std::string& file, const DecodeJob& job, const Requests& requests)
        : file_(file), job_(job), requests_(requests), symbols_(layer_symbols(job)) {}

    Status layer(pnm::LayerProgram& program, std::string_view name,
                 const std::vector<Kernel>& wanted, int layers) const {
        if (layers == 0) return {};
        if (program.calls.empty()) {
            return bad_input(file_, fmt::format("has no layer '{}', and {} layers of {} need one",
                                                name, layers, job_.model.name));
        }
        std::vector<Kernel> kernels;
        for (const pnm::KernelCall& call : program.calls) kernels.push_back(call.kernel);
        if (kernels != wanted) {
            return bad_input(file_, fmt::format("layer '{}' has the kernels {}; a step runs {}",
                                                name, names_of(kernels), names_of(wanted)));
        }
        const bool whole = wanted.size() == 2;
        for (pnm::KernelCall& call : program.calls) {
            const auto names = pnm::operand_names(call.kernel);
            for (std::size_t i = 0; i < names.size(); ++i) {
                MEMSIDE_CHECK(
                    operand(call.operands[i], names[i], whole,
                            fmt::format("layer '{}', {}: {}", name,
                                        pnm::kernel_names[static_cast<std::size_t>(call.kernel)],
                                        names[i])));
            }
        }
        return {};
    }

  private:
    Status operand(pnm::Operand& operand, std::string_view name, bool whole,
                   const std::string& what) const {
        const auto* const own = std::find(pnm::symbol_names.begin(), pnm::symbol_names.end(), name);
        const auto symbol = static_cast<Symbol>(own - pnm::symbol_names.begin());
        if (!operand.bound) {
            if (operand.symbol == symbol) return {};
            return bad_input(
                file_,
                fmt::format("{} is '{}'; allowed: '{}' or a number", what,
                            pnm::symbol_names[static_cast<std::size_t>(operand.symbol)], name));
        }
        switch (symbol) {
            case Symbol::requests:
            case Symbol::pages:
            case Symbol::scores:
            case Symbol::attended_tokens:
                return bad_input(file_, fmt::format("{} is {}, and is known when a step runs; "
                                                    "allowed: '{}'",
                                                    what, operand.number, name));
            case Symbol::selected:
                return selected(operand, what);
            default:
                break;
        }
        // What lies in one piece and has no digests.
        const bool of_pages = symbol == Symbol::page_tokens || symbol == Symbol::digest_vectors ||
                              symbol == Symbol::digest_bits;
        if (operand.number == symbols_[symbol] || (whole && of_pages && operand.number == 0)) {
            return {};
        }
        return bad_input(file_, fmt::format("{} is {}; {} simulated with {}", what, operand.number,
                                            job_.model.name, symbols_[symbol]));
    }

    // The most pages of a request, which has no more than its context.
    Status selected(pnm::Operand& operand, const std::string& what) const {
        for (const RequestGroup& group : requests_) {
            const std::int64_t budget = job_.budget_pages(group.context_tokens);
            const auto all =
                static_cast<double>(kv::page_count(group.context_tokens, job_.format.page_tokens));
            if (std::min(operand.number, all) == static_cast<double>(budget)) continue;
            return bad_input(
                file_, fmt::format(
                           "{} is {}; a budget of {} tokens selects {} pages", what, operand.number,
                           format_tokens(job_.budget_tokens(group.context_tokens)), budget));
        }
        operand = {.bound = false, .symbol = Symbol::selected};
        return {};
    }

    const std::string& file_;
    const DecodeJob& job_;
    const Requests& requests_;
    pnm::Symbols symbols_;
};

}  // namespace

pnm::Symbols layer_symbols(const DecodeJob& job) {
    using enum pnm::Symbol;
    pnm::Symbols symbols;
    symbols[query_heads] = job.model.heads;
    symbols[kv_heads] = job.model.kv_heads;
    symbols[head_dim] = job.model.head_dim;
    symbols[kv_bits] = kv::bits(job.format.value_type);
    symbols[digest_vectors] = kv::digest_vectors;
    symbols[digest_bits] = kv::bits(job.format.digest_type);
    symbols[page_tokens] = static_cast<double>(job.format.page_tokens);
    return symbols;
}

Result<pnm::LayerPrograms> fit_programs(pnm::LayerPrograms programs, const std::string& file,
                                        const DecodeJob& job, const Requests& requests) {
    const Fitting fitting(file, job, requests);
    const int selecting = selecting_layers(job.model, job.format);
    MEMSIDE_CHECK(fitting.layer(programs.selecting, "selecting",
                                {Kernel::append, Kernel::score, Kernel::top_k, Kernel::attention},
                                selecting));
    MEMSIDE_CHECK(fitting.layer(programs.whole, "whole", {Kernel::append, Kernel::attention},
                                job.model.layers - selecting));
    return programs;
}

}  // namespace memside
