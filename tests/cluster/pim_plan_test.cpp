// How a model is spread over modules, and what fits, against the allocators of kv/.
#include "cluster/pim_plan.h"

#include "cluster/toy_pim.h"
#include "kv/allocation.h"

namespace memside {
namespace {

TEST(PimPlan, layers_and_heads_are_all_dealt_out_and_evenly) {
    ModelSpec model = toy_decoder();
    model.layers = 10;
    const auto plan = make_pim_plan(model, 12, 3, 4);
    ASSERT_TRUE(plan.ok());
    std::vector<int> layers;
    for (const PimStage& stage : plan->stages) layers.push_back(stage.layers);
    EXPECT_EQ(layers, (std::vector<int>{3, 3, 2, 2}));
    EXPECT_EQ(plan->kv_heads, (std::vector<std::int64_t>{3, 3, 2}));
    EXPECT_TRUE(plan->stages.back().last);
    EXPECT_FALSE(plan->stages.front().last);
}

TEST(PimPlan, pairs_are_those_that_can_be_planned) {
    const ModelSpec model = toy_decoder();
    for (std::int64_t modules = 1; modules <= 40; ++modules) {
        std::vector<std::pair<std::int64_t, std::int64_t>> planned;
        for (std::int64_t tp = 1; tp <= modules; ++tp) {
            for (std::int64_t pp = 1; pp <= modules; ++pp) {
                if (make_pim_plan(model, modules, tp, pp).ok()) planned.emplace_back(tp, pp);
            }
        }
        EXPECT_EQ(pim_pairs(model, modules), planned) << modules;
    }
}

TEST(PimPlan, what_is_impossible_is_said) {
    const ModelSpec model = toy_decoder();
    const auto error = [&](std::int64_t modules, std::int64_t tp, std::int64_t pp) {
        return make_pim_plan(model, modules, tp, pp).error().message();
    };
    EXPECT_THAT(error(8, 2, 2), testing::HasSubstr("is not the 8 modules"));
    EXPECT_THAT(error(16, 16, 1), testing::HasSubstr("8 KV heads"));
    EXPECT_THAT(error(16, 1, 16), testing::HasSubstr("8 layers"));
}

TEST(PimPlan, weights_that_fill_the_banks_take_their_bytes) {
    const ModelSpec model = toy_decoder();
    const PimMachine machine = toy_modules(8, true);
    for (const auto& [tp, pp] : pim_pairs(model, 8)) {
        const auto plan = make_pim_plan(model, 8, tp, pp);
        double sum = 0;
        for (const PimStage& stage : plan->stages) {
            sum +=
                static_cast<double>(tp) * stage_weight_bytes(*plan, stage, model, machine.module);
        }
        // Norms are copied to each module of a stage.
        const double norms = static_cast<double>(tp) * (2 * 8 + 1) * 4096 * 2;
        EXPECT_EQ(sum, 2 * toy_parameters() + norms);
    }
}

// Requests go into the real allocator one after the other until it is full.
std::int64_t admitted(std::string_view variant, const kv::AllocationOptions& options,
                      std::int64_t regions, std::int64_t bytes) {
    const auto memory = kv::make_allocator(variant, options, "test");
    EXPECT_TRUE(memory.ok()) << memory.error().message();
    std::int64_t requests = 0;
    for (kv::RequestId id = 0;; ++requests) {
        for (std::int64_t region = 0; region < regions; ++region) {
            if (!(*memory)->admit(id++, bytes)) return requests;
        }
    }
}

TEST(PimFit, as_many_requests_fit_as_the_allocators_take) {
    const ModelSpec model = toy_decoder();
    const PimMachine machine = toy_modules(8, true);
    for (const std::int64_t context : {1000, 8000}) {
        for (const auto& [tp, pp] : pim_pairs(model, 8)) {
            const auto plan = make_pim_plan(model, 8, tp, pp);
            // The last stage has the least room, as it has the output head.
            const double weights =
                stage_weight_bytes(*plan, plan->stages.back(), model, machine.module);
            kv::AllocationOptions options;
            options.capacity_bytes =
                static_cast<std::int64_t>(machine.module.capacity_bytes - weights);
            const std::int64_t regions = 2 * plan->stages.back().layers * plan->most_heads();
            const std::int64_t region_bytes = 128 * 2 * (context + 1);
            PimOptions asked;
            options.chunk_bytes = 1 << 20;
            EXPECT_EQ(pim_fit(*plan, model, machine, asked, context).max_batch,
                      admitted("chunked", options, regions, region_bytes));
            asked.access = PimAccess::reserved;
            options.max_request_bytes = 128 * 2 * 8192;
            EXPECT_EQ(pim_fit(*plan, model, machine, asked, context).max_batch,
                      admitted("static", options, regions, region_bytes));
        }
    }
}

TEST(PimFit, live_bytes_never_exceed_what_is_set_aside) {
    const ModelSpec model = toy_decoder();
    const PimMachine machine = toy_modules(8, true);
    const auto plan = make_pim_plan(model, 8, 2, 4);
    for (const PimPartition partition : {PimPartition::hfp, PimPartition::tcp}) {
        for (const PimAccess access : {PimAccess::reserved, PimAccess::chunks}) {
            PimOptions options;
            options.program.partition = partition;
            options.access = access;
            const PimFit fit = pim_fit(*plan, model, machine, options, 3000);
            EXPECT_LT(fit.live_bytes, fit.reserved_request_bytes);
            EXPECT_GT(fit.max_batch, 0);
        }
    }
}

}  // namespace
}  // namespace memside
