#include "pnm/layer_program.h"

#include <rapidcheck/gtest.h>

namespace memside::pnm {
namespace {

Result<LayerPrograms> parse(const std::string& text) {
    const auto root = parse_config(text, "p.yaml");
    if (!root.ok()) return root.error();
    return parse_layer_programs(*root);
}

std::string with_kernel(const std::string& kernel) {
    return "program: pnm-layer\nversion: 1\nlayers:\n  selecting:\n    - " + kernel +
           "\n    - {kernel: attention, requests: requests, attended_tokens: 7, query_heads: 8, "
           "kv_heads: 2, head_dim: 64, kv_bits: 16, page_tokens: 0}\n  whole:\n    - {kernel: "
           "attention, requests: 1, attended_tokens: 7, query_heads: 8, kv_heads: 2, head_dim: 64, "
           "kv_bits: 16, page_tokens: 0}\n";
}

std::string message(const std::string& text) {
    const auto parsed = parse(text);
    return parsed.ok() ? "accepted" : parsed.error().message();
}

TEST(LayerProgram, that_ships_appends_scores_sorts_and_attends) {
    const LayerPrograms programs = read_layer_programs().value();
    const auto kernels = [](const LayerProgram& program) {
        std::vector<Kernel> result;
        for (const KernelCall& call : program.calls) result.push_back(call.kernel);
        return result;
    };
    EXPECT_EQ(kernels(programs.selecting),
              (std::vector{Kernel::append, Kernel::score, Kernel::top_k, Kernel::attention}));
    EXPECT_EQ(kernels(programs.whole), (std::vector{Kernel::append, Kernel::attention}));
}

// Llama-3.1-8B, pages of 32 tokens: sums by hand.
TEST(LayerProgram, that_ships_asks_for_what_a_layer_of_a_model_needs) {
    const LayerPrograms programs = read_layer_programs().value();
    Symbols symbols;
    symbols[Symbol::query_heads] = 32;
    symbols[Symbol::kv_heads] = 8;
    symbols[Symbol::head_dim] = 128;
    symbols[Symbol::kv_bits] = 16;
    symbols[Symbol::digest_vectors] = 2;
    symbols[Symbol::digest_bits] = 8;
    symbols[Symbol::page_tokens] = 32;
    symbols[Symbol::requests] = 3;
    symbols[Symbol::pages] = 12288;
    symbols[Symbol::scores] = 4096;
    symbols[Symbol::selected] = 1024;
    symbols[Symbol::attended_tokens] = 32768;
    const std::vector<KernelCall>& calls = programs.selecting.calls;
    const auto append = std::get<KvAppend>(calls[0].bind(symbols));
    EXPECT_EQ(append.requests, 3);
    EXPECT_EQ(append.kv_bytes, 3 * 4096);           // K and V of 8 heads x 128 values of 2 bytes
    EXPECT_EQ(append.digest_read_bytes, 3 * 2048);  // the keys
    EXPECT_EQ(append.digest_write_bytes, 3 * 2 * 1024 / 32);
    const auto scan = std::get<DigestScan>(calls[1].bind(symbols));
    EXPECT_EQ(scan.pages, 12288);
    EXPECT_EQ(scan.digest_bits, 8);
    const auto top = std::get<TopK>(calls[2].bind(symbols));
    EXPECT_EQ(top.scores, 4096);
    EXPECT_EQ(top.k, 1024);
    const auto attention = std::get<Attention>(calls[3].bind(symbols));
    EXPECT_EQ(attention.tokens, 32768);
    EXPECT_EQ(attention.query_heads, 32);
    EXPECT_EQ(attention.kv_heads, 8);
    EXPECT_EQ(attention.page_tokens, 32);
    const auto whole = std::get<KvAppend>(programs.whole.calls[0].bind(symbols));
    EXPECT_EQ(whole.kv_bytes, append.kv_bytes);
    EXPECT_EQ(whole.digest_read_bytes, 0);
    EXPECT_EQ(std::get<Attention>(programs.whole.calls[1].bind(symbols)).page_tokens, 0);
}

RC_GTEST_PROP(LayerProgram, comes_back_from_its_text, ()) {
    const auto layer = [] {
        LayerProgram program;
        const int before = *rc::gen::inRange(0, 4);
        for (int i = 0; i <= before; ++i) {
            KernelCall call;
            call.kernel =
                i == before ? Kernel::attention : static_cast<Kernel>(*rc::gen::inRange(0, 3));
            for (std::size_t o = 0; o < operand_names(call.kernel).size(); ++o) {
                Operand operand;
                operand.bound = *rc::gen::arbitrary<bool>();
                if (operand.bound) {
                    operand.number = *rc::gen::inRange(0, 1 << 20);
                } else {
                    operand.symbol =
                        static_cast<Symbol>(*rc::gen::inRange(0, static_cast<int>(symbol_count)));
                }
                call.operands.push_back(operand);
            }
            program.calls.push_back(std::move(call));
        }
        return program;
    };
    // A file may have one of them alone.
    const int which = *rc::gen::inRange(0, 3);
    const LayerPrograms programs{which == 1 ? LayerProgram{} : layer(),
                                 which == 2 ? LayerProgram{} : layer()};
    RC_ASSERT(parse(layer_programs_text(programs, "made by a test")).value() == programs);
}

TEST(LayerProgram, faults_are_named_with_their_line) {
    EXPECT_EQ(message(with_kernel("{kernel: top-k, scores: scores, selected: 3}")), "accepted");
    EXPECT_NE(message(with_kernel("{kernel: sort, scores: 1}")).find("p.yaml:5: "),
              std::string::npos);
    EXPECT_NE(
        message(with_kernel("{kernel: top-k, scores: scores}")).find("top-k needs 'selected'"),
        std::string::npos);
    EXPECT_NE(message(with_kernel("{kernel: top-k, scores: tokens, selected: 3}"))
                  .find("'tokens' is neither a number from 0 on nor one of query_heads"),
              std::string::npos);
    EXPECT_NE(message(with_kernel("{kernel: top-k, scores: -1, selected: 3}")).find("'-1'"),
              std::string::npos);
    const std::string attention =
        "{kernel: attention, requests: 1, attended_tokens: 7, query_heads: 8, kv_heads: 2, "
        "head_dim: 64, kv_bits: 16, page_tokens: 0}";
    EXPECT_NE(message(with_kernel(attention)).find("which ends a layer"), std::string::npos);
    EXPECT_NE(message("program: pnm-layer\nversion: 2\nlayers: {}\n").find("version"),
              std::string::npos);
    EXPECT_NE(message("program: pnm-layer\nversion: 1\nlayers: {}\n")
                  .find("has neither a layer 'selecting' nor one 'whole'"),
              std::string::npos);
    EXPECT_NE(message("program: pnm-layer\nversion: 1\nlayers:\n  whole: all\n")
                  .find("p.yaml:4: 'whole' must be a list of kernels"),
              std::string::npos);
}

}  // namespace
}  // namespace memside::pnm
