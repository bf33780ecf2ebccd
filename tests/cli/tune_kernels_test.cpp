// Tuning with real kernels, on the targets that this processor can run.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/process.h"
#include "codegen/conv_compiler.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Case {
    conv::Target target;
    const char* dtype;
    const char* method;
};

class TuneKernels : public testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        if (!codegen::runs_here(GetParam().target)) GTEST_SKIP() << name() << " cannot run here";
    }
    static std::string name() {
        return std::string(conv::target_names[static_cast<std::size_t>(GetParam().target)]);
    }
};

TEST_P(TuneKernels, a_tiny_convolution_is_tuned_and_its_best_kernel_written) {
    const Workplace place;
    const Outcome tuned = place.run({"tune",        "conv",
                                     "--shape",     "1,8,6,6,16,3,3,1,1",
                                     "--target",    name(),
                                     "--dtype",     GetParam().dtype,
                                     "--search",    GetParam().method,
                                     "--trials",    "10",
                                     "--plan",      "4",
                                     "--samples",   "1",
                                     "--sample-ms", "0.01",
                                     "--db",        "t.sqlite",
                                     "--json",      "-"});
    ASSERT_EQ(tuned.exit_status, 0) << tuned.err;
    const auto json = nlohmann::json::parse(tuned.out);
    EXPECT_EQ(json["trials"], 10);
    EXPECT_EQ(json["failures"], 0) << tuned.out;  // every kernel equals the reference
    EXPECT_GE(json["space_points"], 10);
    double best = 0;
    for (const auto& trial : json["history"]) best = std::max(best, trial["gops"].get<double>());
    EXPECT_GT(best, 0);
    EXPECT_EQ(json["best_gops"], best);

    const Outcome applied = place.run({"tune", "apply", "--db", "t.sqlite", "--out", "kernels"});
    ASSERT_EQ(applied.exit_status, 0) << applied.err;
    const auto manifest = nlohmann::json::parse(slurp(place.path() / "kernels/manifest.json"));
    ASSERT_EQ(manifest["kernels"].size(), 1);
    const auto& kernel = manifest["kernels"][0];
    EXPECT_EQ(kernel["config"], json["best_config"]);
    EXPECT_EQ(kernel["dtype"], GetParam().dtype);
    const std::string symbol = kernel["symbol"];
    const std::string object = slurp(place.path() / "kernels" / kernel["object"]);
    EXPECT_THAT(object, StartsWith("\x7f"
                                   "ELF"));
    EXPECT_THAT(object, HasSubstr(symbol));
    EXPECT_THAT(slurp(place.path() / "kernels" / kernel["header"]),
                HasSubstr(fmt::format("void {}(", symbol)));
}

INSTANTIATE_TEST_SUITE_P(Targets, TuneKernels,
                         testing::Values(Case{conv::Target::x86_vnni, "int8", "distinct"},
                                         Case{conv::Target::x86_vnni, "int4", "random"},
                                         Case{conv::Target::x86_avx2, "int8", "annealing"}));

}  // namespace
}  // namespace memside
