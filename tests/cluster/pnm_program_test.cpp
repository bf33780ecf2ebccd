#include "cluster/pnm_program.h"

#include <rapidcheck/gtest.h>

#include "cluster/simulate.h"
#include "cluster/toy_system.h"

namespace memside {
namespace {

using pnm::Symbol;
using testing::HasSubstr;

constexpr std::int64_t context = 32768;
constexpr std::int64_t budget = 8192;

SimulationRequest toy(const std::string& policy) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(1, 2);
    request.policy = policy;
    request.context_tokens = context;
    request.budget_tokens = budget;
    request.batch = 4;
    return request;
}

DecodeJob job_of(const SimulationRequest& request) {
    return {request.model, request.context_tokens, request.budget_tokens, request.format,
            request.placement};
}

// Numbers in place of some of the names that do not depend on the requests.
pnm::LayerPrograms with_numbers(pnm::LayerPrograms programs, const DecodeJob& job,
                                const std::function<bool()>& replace) {
    pnm::Symbols symbols = layer_symbols(job);
    symbols[Symbol::selected] = static_cast<double>(job.budget_pages(job.context_tokens));
    for (pnm::LayerProgram* program : {&programs.selecting, &programs.whole}) {
        for (pnm::KernelCall& call : program->calls) {
            for (pnm::Operand& operand : call.operands) {
                if (operand.bound || symbols[operand.symbol] == 0 || !replace()) continue;
                operand = {.number = symbols[operand.symbol]};
            }
        }
    }
    return programs;
}

pnm::Operand& operand(pnm::LayerProgram& program, std::size_t call, std::string_view name) {
    const auto names = pnm::operand_names(program.calls[call].kernel);
    const auto found = std::find(names.begin(), names.end(), name);
    return program.calls[call].operands[static_cast<std::size_t>(found - names.begin())];
}

class FitPrograms : public testing::Test {
  protected:
    std::string message() {
        const auto fitted =
            fit_programs(programs, "mine.yaml", job_of(request), {{request.context_tokens, 1}});
        return fitted.ok() ? "accepted" : fitted.error().message();
    }

    SimulationRequest request = toy("pnm-kv");
    pnm::LayerPrograms programs =
        with_numbers(*pnm::read_layer_programs(), job_of(request), [] { return true; });
};

RC_GTEST_PROP(FitProgramsOf, numbers_give_exactly_what_names_give, ()) {
    SimulationRequest request = toy(*rc::gen::element<std::string>("pnm-kv", "png-kv"));
    request.model.kv_heads = *rc::gen::element(1, 2, 4, 8);
    request.model.head_dim = 8 * *rc::gen::inRange(1, 33);
    derive_weights(request.model, 2, {});
    request.model.layers = *rc::gen::inRange(1, 4);
    request.format.dense_layers = *rc::gen::inRange(0, request.model.layers + 1);
    request.format.page_tokens = std::int64_t{1} << *rc::gen::inRange(4, 8);
    request.format.value_type = *rc::gen::element(kv::ValueType::f16, kv::ValueType::int4);
    request.format.digest_type = *rc::gen::element(kv::DigestType::f16, kv::DigestType::int8);
    request.context_tokens = *rc::gen::inRange(1000, 40000);
    request.selection.sample_pairs = 2;
    const auto named = simulate(request);
    RC_ASSERT(named.ok());
    request.programs = with_numbers(*pnm::read_layer_programs(), job_of(request),
                                    [] { return *rc::gen::arbitrary<bool>(); });
    const auto numbered = simulate(request);
    RC_ASSERT(numbered.ok());
    RC_ASSERT(named->tpot_s.value() == numbered->tpot_s.value());
    RC_ASSERT(named->kv_bytes_read_per_step.value() == numbered->kv_bytes_read_per_step.value());
    RC_ASSERT(named->digest_bytes_read_per_step.value() ==
              numbered->digest_bytes_read_per_step.value());
    RC_ASSERT(named->energy_j_per_token.value() == numbered->energy_j_per_token.value());
    RC_ASSERT(named->timeline.size() == numbered->timeline.size());
    for (std::size_t i = 0; i < named->timeline.size(); ++i) {
        RC_ASSERT(named->timeline[i].name == numbered->timeline[i].name);
        RC_ASSERT(named->timeline[i].start_s == numbered->timeline[i].start_s);
        RC_ASSERT(named->timeline[i].duration_s == numbered->timeline[i].duration_s);
        RC_ASSERT(named->timeline[i].bytes == numbered->timeline[i].bytes);
    }
}

// A program is what runs: one whose attention gathers no pages reads in one sweep.
TEST_F(FitPrograms, a_program_of_the_user_is_the_one_that_runs) {
    request.format.dense_layers = 1;
    request.system = toy_system(1, 2);
    set(request.system.components.at("pnm"), "kernel_latency", 1e-3);
    const auto shipped = simulate(request);
    request.programs = programs;
    // All digests of the model are built though no layer selects.
    for (const char* name : {"digest_vectors", "digest_bits", "page_tokens"}) {
        operand(request.programs->whole, 0, name) = operand(programs.selecting, 0, name);
    }
    const auto own = simulate(request);
    ASSERT_TRUE(own.ok()) << own.error().message();
    EXPECT_GT(*own->tpot_s, *shipped->tpot_s);
}

TEST_F(FitPrograms, numbers_of_another_model_are_refused) {
    EXPECT_EQ(message(), "accepted");
    operand(programs.selecting, 1, "head_dim").number = 128;
    EXPECT_EQ(message(),
              "mine.yaml: layer 'selecting', score: head_dim is 128; toy simulated with 100");
}

TEST_F(FitPrograms, numbers_of_another_format_are_refused) {
    request.format.page_tokens = 64;
    EXPECT_THAT(message(), HasSubstr("append: page_tokens is 32; toy simulated with 64"));
    request.format = {};
    request.format.value_type = kv::ValueType::int8;
    EXPECT_THAT(message(), HasSubstr("append: kv_bits is 16; toy simulated with 8"));
    request.format = {};
    request.format.digest_type = kv::DigestType::int8;
    EXPECT_THAT(message(), HasSubstr("append: digest_bits is 16; toy simulated with 8"));
}

TEST_F(FitPrograms, another_budget_is_refused_and_a_short_request_has_fewer_pages) {
    request.budget_tokens = 4096;
    EXPECT_THAT(message(),
                HasSubstr("top-k: selected is 256; a budget of 4K tokens selects 128 pages"));
    request.budget_tokens = budget;
    request.context_tokens = 4000;  // 125 pages of 256
    EXPECT_EQ(message(), "accepted");
}

TEST_F(FitPrograms, what_is_known_when_a_step_runs_is_no_number) {
    operand(programs.selecting, 3, "attended_tokens") = {.number = 8192};
    EXPECT_THAT(message(), HasSubstr("attention: attended_tokens is 8192, and is known when a step "
                                     "runs; allowed: 'attended_tokens'"));
}

TEST_F(FitPrograms, a_name_stands_where_it_belongs) {
    operand(programs.selecting, 1, "query_heads") = {.bound = false, .symbol = Symbol::kv_heads};
    EXPECT_THAT(message(),
                HasSubstr("score: query_heads is 'kv_heads'; allowed: 'query_heads' or a number"));
}

TEST_F(FitPrograms, a_layer_has_the_kernels_of_a_step) {
    programs.selecting.calls.erase(programs.selecting.calls.begin() + 1);
    EXPECT_THAT(message(),
                HasSubstr("layer 'selecting' has the kernels append, top-k, attention; a "
                          "step runs append, score, top-k, attention"));
}

TEST_F(FitPrograms, only_layers_that_run_are_needed) {
    programs.whole.calls.clear();
    EXPECT_EQ(message(), "accepted");
    request.format.dense_layers = 1;
    EXPECT_THAT(message(),
                HasSubstr("mine.yaml: has no layer 'whole', and 1 layers of toy need one"));
}

TEST_F(FitPrograms, what_has_no_devices_has_no_use_for_one) {
    request.programs = programs;
    request.policy = "dense";
    EXPECT_THAT(simulate(request).error().message(), HasSubstr("--program: is a layer of CXL-PNM"));
    request.policy = "pnm-kv";
    request.system.components["cpu"] = {};
    EXPECT_THAT(simulate(request).error().message(), HasSubstr("--program: is a layer of CXL-PNM"));
}

}  // namespace
}  // namespace memside
