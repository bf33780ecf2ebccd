// Systems at equal size: what is chosen, how it is ranked, where a ranking flips.
#include "study/compare.h"

#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "report/json.h"
#include "study/csv_reader.h"
#include "system/catalog.h"

namespace memside {
namespace {

using testing::HasSubstr;

CompareRequest ask(std::vector<CompareAt> at) {
    CompareRequest request;
    request.settings.list = {
        {"model", "llama-3.1-8b", ""}, {"context", "32K", ""}, {"pim-cache", "off", ""}};
    request.at = std::move(at);
    return request;
}

const Comparison& all_of_8b() {
    static const Comparison made =
        *compare(ask({CompareAt::capacity, CompareAt::cost, CompareAt::power}));
    return made;
}

std::string refusal(const CompareRequest& request) {
    const auto result = compare(request);
    return result.ok() ? "compared" : result.error().message();
}

TEST(CompareSizes, a_system_is_as_large_as_its_parts) {
    const SystemSize size = size_of(*load_system("a100x2-pnm3", {}));
    EXPECT_DOUBLE_EQ(size.capacity_bytes, 2 * 80e9 + 3 * 549755813888.0);
    EXPECT_DOUBLE_EQ(size.power_w, 2 * 400 + 3 * 150);
    EXPECT_NEAR(size.usd_per_hour, 2 * 0.761 + 3 * 0.266 + 1.25 * 0.181, 1e-12);
    const SystemSize pim = size_of(*load_system("a100x1-pim4", {}));
    EXPECT_DOUBLE_EQ(pim.capacity_bytes, 80e9 + 4 * 17179869184.0);
    EXPECT_NEAR(pim.usd_per_hour, 0.761 + 4 * 0.03 + (0.4 + 4 * 0.065) * 0.181, 1e-12);
}

// By hand: what is left of a limit beside the GPUs, in whole modules.
RC_GTEST_PROP(CompareSizes, the_nearest_from_below_is_among_the_sizes, ()) {
    const auto& family = *rc::gen::elementOf(system_families());
    const auto at = *rc::gen::element(CompareAt::capacity, CompareAt::cost, CompareAt::power);
    const int eighths = *rc::gen::inRange(8, 40);
    const double limit = size_of(*load_system("a100x1", {})).of(at) * eighths / 4.0;
    Settings base;
    base.list = {{"model", "llama-3.1-8b", ""}, {"context", "32K", ""}};
    const auto points = sizes_near(family, "a100", at, limit, base);
    RC_ASSERT(points.ok());
    RC_ASSERT(!points->empty());
    std::set<std::string> names;
    double nearest = 0;
    for (const SizedPoint& point : *points) {
        const double size = size_of(point.system).of(at);
        if (size <= limit * (1 + 1e-9)) nearest = std::max(nearest, size);
        const std::string count = point.settings.text("cxl.count").value_or("");
        RC_ASSERT(names.insert(point.system.name + ":" + count).second);
    }
    // One module more than the nearest is too large.
    const double gpu = size_of(*load_system("a100x1", {})).of(at);
    const auto module_size = [&] {
        if (family.modules.empty()) return gpu;
        if (family.has_gpus) {
            const auto two = family_settings(family, "a100", 1, 2);
            std::vector<std::pair<std::string, std::string>> set;
            for (const Setting& s : two) {
                if (s.is_set()) set.emplace_back(s.name, s.value);
            }
            return size_of(*load_system(two.front().value, set)).of(at) -
                   size_of(*load_system(family_system(family, "a100", 1, 1), {})).of(at);
        }
        return size_of(*load_system(family.modules + "1", {})).of(at);
    }();
    const bool most_reached = !family.has_gpus && 144 * module_size <= limit;
    RC_ASSERT(nearest == 0 || most_reached || nearest + module_size > limit * (1 - 1e-9));
}

TEST(Compare, every_family_has_a_row_no_larger_than_the_reference_if_one_runs) {
    for (const CompareTable& table : all_of_8b().tables) {
        EXPECT_EQ(table.rows.size(), system_families().size());
        double before = INFINITY;
        for (const CompareRow& row : table.rows) {
            ASSERT_TRUE(row.runs()) << row.family << ": " << row.result.reason;
            EXPECT_LE(row.share, 1 + 1e-9) << row.label();
            EXPECT_GE(row.share, 0.5) << row.label();
            EXPECT_LE(row.merit, before) << "ranked";
            before = row.merit;
            EXPECT_DOUBLE_EQ(row.size.usd_per_hour, *row.result.usd_per_hour);
            EXPECT_DOUBLE_EQ(row.merit, table.at == CompareAt::power
                                            ? *row.result.throughput_tok_per_s / row.size.power_w
                                            : *row.result.tokens_per_usd);
            const auto parts = step_parts(row.result);
            EXPECT_NEAR(std::accumulate(parts.begin(), parts.end(), 0.0), *row.result.tpot_s,
                        1e-9 * *row.result.tpot_s);
        }
    }
}

TEST(Compare, the_reference_is_its_own_equal) {
    for (const CompareTable& table : all_of_8b().tables) {
        const auto gpu = std::find_if(table.rows.begin(), table.rows.end(),
                                      [](const CompareRow& row) { return row.family == "gpu"; });
        ASSERT_NE(gpu, table.rows.end());
        EXPECT_EQ(gpu->label(), "a100x8 dense");
        EXPECT_DOUBLE_EQ(gpu->share, 1.0);
        EXPECT_FALSE(gpu->ranged);  // a stated price
    }
}

// The closed form: the price at which n modules cost what makes both merits equal.
TEST(Compare, a_flip_is_where_two_systems_cost_the_same_per_token) {
    std::size_t flips = 0;
    for (const CompareTable& table : all_of_8b().tables) {
        for (const CompareRow& row : table.rows) {
            if (!row.ranged) continue;
            EXPECT_EQ(row.ranged->path,
                      table.at == CompareAt::power ? "pim.active_power" : "pim.price");
            const double modules = row.system.count("pim");
            for (const CompareRow& other : table.rows) {
                if (&other == &row) continue;
                const double wanted = *row.result.throughput_tok_per_s / other.merit *
                                      (table.at == CompareAt::power ? 1 : 3600);
                const double now =
                    table.at == CompareAt::power ? row.size.power_w : row.size.usd_per_hour;
                const double at = row.ranged->value + (wanted - now) / modules;
                const auto found =
                    std::find_if(row.flips.begin(), row.flips.end(),
                                 [&](const Flip& flip) { return flip.other == other.label(); });
                const bool inside = row.ranged->range->low <= at && at <= row.ranged->range->high;
                ASSERT_EQ(found != row.flips.end(), inside) << row.label() << other.label();
                if (!inside) continue;
                EXPECT_NEAR(found->at, at, 1e-9 * at);
                ++flips;
            }
        }
    }
    EXPECT_GT(flips, 5u);
}

RC_GTEST_PROP(Compare, a_crossing_is_found_if_and_only_if_there_is_one, ()) {
    const double low = *rc::gen::inRange(1, 1000);
    const double high = low + *rc::gen::inRange(1, 1000);
    const double at = *rc::gen::inRange(1, 2200) + 0.5;
    const auto found = crossing({low, high}, 1.0 / at, [](double x) { return 1.0 / x; });
    RC_ASSERT(found.has_value() == (low <= at && at <= high));
    if (found) RC_ASSERT(std::abs(*found - at) < 1e-6 * at);
}

// A price of zero makes a module's merit the highest, one of a GPU the lowest.
TEST(Compare, what_is_set_reaches_sizes_and_merits) {
    CompareRequest request = ask({CompareAt::cost});
    request.families = {"gpu", "cent"};
    request.settings.list.push_back({"pim.price", "0.761 USD/h", ""});
    const auto result = compare(request);
    ASSERT_TRUE(result.ok()) << result.error().message();
    const CompareRow& first = result->tables.front().rows.front();
    EXPECT_EQ(first.family, "gpu");
    const CompareRow& cent = result->tables.front().rows.back();
    EXPECT_EQ(cent.result.system, "cent-x8");
    EXPECT_FALSE(cent.ranged);  // the user's own price has no range
}

TEST(Compare, what_cannot_be_as_large_says_why) {
    CompareRequest request = ask({CompareAt::capacity});
    request.reference = "a100x1";
    request.families = {"gpu", "pnm-kv", "cent"};
    const auto result = compare(request);
    ASSERT_TRUE(result.ok()) << result.error().message();
    const CompareRow& last = result->tables.front().rows.back();
    EXPECT_EQ(last.family, "pnm-kv");
    EXPECT_FALSE(last.runs());
    EXPECT_EQ(last.result.reason, "the smallest that runs is 687 % above the reference");
    EXPECT_THAT(comparison_text(*result, false), HasSubstr("687 % above"));
}

TEST(Compare, an_explained_row_says_what_bounds_it) {
    CompareRequest request = ask({CompareAt::capacity});
    request.families = {"gpu", "gpu-pim", "cent"};
    request.explained = true;
    const auto result = compare(request);
    ASSERT_TRUE(result.ok()) << result.error().message();
    for (const CompareRow& row : result->tables.front().rows) {
        ASSERT_FALSE(row.bounds.empty());
        ASSERT_TRUE(row.best_improvement);
        EXPECT_GT(*row.best_improvement->throughput_ratio, 1.0);
        for (const PhaseBound& phase : row.bounds) {
            if (phase.name == "softmax") {
                EXPECT_EQ(phase.bound, "PIM hub");
            }
            if (phase.name == "attention") {
                EXPECT_EQ(phase.bound, row.family == "gpu" ? "GPU bandwidth" : "PIM banks");
            }
        }
    }
    const std::string page = comparison_page({*result}, "memside compare");
    EXPECT_THAT(page, HasSubstr("Who wins at equal memory capacity"));
    EXPECT_THAT(page, HasSubstr("PIM hub"));
    EXPECT_THAT(page, testing::Not(HasSubstr("src=\"http")));
}

TEST(Compare, outputs_have_the_same_figures) {
    const Comparison& made = all_of_8b();
    const auto csv = parse_csv(comparison_csv({made}), "comparison.csv");
    ASSERT_TRUE(csv.ok()) << csv.error().message();
    std::size_t line = 0;
    for (const CompareTable& table : made.tables) {
        for (const CompareRow& row : table.rows) {
            const auto cell = [&](std::string_view head) {
                return csv->rows[line][static_cast<std::size_t>(csv->column(head))];
            };
            EXPECT_EQ(cell("at"), compare_at_name(table.at));
            EXPECT_EQ(cell("system"), row.result.system);
            EXPECT_EQ(std::stod(cell("merit")), row.merit);
            EXPECT_EQ(cell("flips"), flip_text(row));
            ++line;
        }
    }
    EXPECT_EQ(line, csv->rows.size());
    const std::string json = comparison_json(made);
    EXPECT_THAT(json, HasSubstr("\"merit\": \"tokens_per_usd\""));
    EXPECT_THAT(json, HasSubstr("\"with\": "));
    for (const std::string& text : {comparison_text(made, false)}) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at);
            EXPECT_LE(end - at, 100u) << text.substr(at, end - at);
            at = end + 1;
        }
    }
}

TEST(Compare, what_is_wrong_is_named) {
    CompareRequest request = ask({CompareAt::cost});
    request.families = {"cents"};
    EXPECT_THAT(refusal(request), HasSubstr("--systems"));
    request = ask({CompareAt::cost});
    request.reference = "a100";
    EXPECT_THAT(refusal(request), HasSubstr("unknown system"));
    request = ask({CompareAt::cost});
    request.families = {"gpu"};
    request.settings.list.push_back({"pim.price", "1 USD/h", ""});
    EXPECT_THAT(refusal(request), HasSubstr("no point has a use for it"));
    request = ask({CompareAt::cost});
    request.settings.put({"model", "llama-3.1-405b", ""});
    EXPECT_THAT(refusal(request), HasSubstr("--reference"));
}

}  // namespace
}  // namespace memside
