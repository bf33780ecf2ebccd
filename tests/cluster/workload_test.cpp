// Requests from a benchmark's lengths or from a file, with their arrivals.
#include "cluster/workload.h"

#include <algorithm>
#include <fstream>

#include "kv/counter_random.h"
#include "model/length_distribution.h"

namespace memside {
namespace {

using testing::HasSubstr;

WorkloadOptions of(const std::string& source) {
    WorkloadOptions options;
    options.source = source;
    return options;
}

// A file in the test's own folder, gone with it.
class WorkloadFiles : public testing::Test {
  protected:
    std::string write(const std::string& name, const std::string& text) {
        const std::string path = testing::TempDir() + "workload_test_" + name;
        std::ofstream(path) << text;
        files_.push_back(path);
        return path;
    }
    void TearDown() override {
        for (const std::string& path : files_) std::remove(path.c_str());
    }

  private:
    std::vector<std::string> files_;
};

TEST(Workload, named_lengths_have_the_published_mean_and_bounds) {
    for (const LengthStatistics& lengths : length_statistics()) {
        WorkloadOptions options = of(std::string(lengths.name));
        options.requests = 2000;
        const Workload workload = make_workload(options).value();
        ASSERT_EQ(workload.requests.size(), 2000U);
        // Three standard errors.
        EXPECT_NEAR(workload.mean_context(), lengths.mean_tokens,
                    3 * lengths.deviation_tokens / std::sqrt(2000.0));
        for (const ServedRequest& request : workload.requests) {
            EXPECT_GE(request.context_tokens, lengths.smallest_tokens);
            EXPECT_LE(request.context_tokens, lengths.largest_tokens);
            EXPECT_EQ(request.output_tokens, default_output_tokens);
            EXPECT_EQ(request.arrival_s, 0.0);
        }
    }
}

TEST(Workload, the_seed_alone_decides_and_more_requests_begin_alike) {
    WorkloadOptions options = of("qmsum");
    options.requests = 10;
    const Workload ten = make_workload(options).value();
    options.requests = 20;
    const Workload twenty = make_workload(options).value();
    options.seed = 2;
    const Workload other = make_workload(options).value();
    bool differs = false;
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(ten.requests[i].context_tokens, twenty.requests[i].context_tokens);
        differs |= ten.requests[i].context_tokens != other.requests[i].context_tokens;
    }
    EXPECT_TRUE(differs);
}

// Exponential gaps: their mean and their deviation are one over the rate.
TEST(Workload, poisson_arrivals_have_the_rate_that_was_asked_for) {
    WorkloadOptions options = of("musique");
    options.requests = 4000;
    options.arrivals_per_s = 8.0;
    const Workload workload = make_workload(options).value();
    double before = 0.0;
    double sum = 0.0;
    double squares = 0.0;
    for (const ServedRequest& request : workload.requests) {
        const double gap = request.arrival_s - before;
        EXPECT_GE(gap, 0.0);
        sum += gap;
        squares += gap * gap;
        before = request.arrival_s;
    }
    const double mean = sum / 4000;
    EXPECT_NEAR(mean, 1.0 / 8, 3.0 / 8 / std::sqrt(4000.0));
    EXPECT_NEAR(std::sqrt(squares / 4000 - mean * mean), 1.0 / 8, 0.1 / 8);
}

TEST_F(WorkloadFiles, requests_come_in_the_order_of_their_arrival) {
    const std::string file =
        write("a.csv", "context_tokens,output_tokens,arrival_s\n10,1,5\n20,2,0\n30,3,5\n");
    const Workload workload = make_workload(of(file)).value();
    ASSERT_EQ(workload.requests.size(), 3U);
    EXPECT_EQ(workload.requests[0].context_tokens, 20);
    EXPECT_EQ(workload.requests[1].context_tokens, 10);  // of equal ones the file's order
    EXPECT_EQ(workload.requests[2].context_tokens, 30);
    EXPECT_EQ(workload.output_tokens(), 6);
    EXPECT_EQ(workload.longest(), 33);
    EXPECT_EQ(workload.mean_context(), 20.0);
}

TEST_F(WorkloadFiles, options_fill_in_what_a_file_leaves_open) {
    WorkloadOptions options = of(write("b.csv", "context_tokens\n10\n20\n"));
    options.output_tokens = 9;
    options.requests = 1;
    options.arrivals_per_s = 1.0;
    const Workload workload = make_workload(options).value();
    ASSERT_EQ(workload.requests.size(), 1U);
    EXPECT_EQ(workload.requests[0].output_tokens, 9);
    EXPECT_GT(workload.requests[0].arrival_s, 0.0);
}

TEST_F(WorkloadFiles, what_both_give_is_refused) {
    WorkloadOptions options = of(write("c.csv", "context_tokens,output_tokens\n10,3\n"));
    options.output_tokens = 9;
    EXPECT_THAT(make_workload(options).error().message(), HasSubstr("--output-tokens: "));
    options = of(write("d.csv", "context_tokens,arrival_s\n10,3\n"));
    options.arrivals_per_s = 9;
    EXPECT_THAT(make_workload(options).error().message(), HasSubstr("--arrival-rate: "));
    options.arrivals_per_s.reset();
    options.requests = 2;
    EXPECT_THAT(make_workload(options).error().message(), HasSubstr("holds 1 requests, 2 were"));
}

TEST(Workload, an_unknown_source_is_told_what_is_known) {
    const auto made = make_workload(of("qasper"));
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message(), HasSubstr("no lengths are known of 'qasper'"));
    EXPECT_THAT(made.error().message(), HasSubstr("loogle-sd, FILE.csv, FILE.jsonl"));
    EXPECT_FALSE(make_workload(of("nowhere.csv")).ok());
}

// What capacity figures speak of are the same requests.
TEST(Workload, lengths_are_those_of_the_capacity_command) {
    WorkloadOptions options = of("loogle-sd");
    options.requests = 50;
    options.seed = 7;
    const Workload workload = make_workload(options).value();
    const LengthDistribution distribution(*find_length_statistics("loogle-sd", "test"));
    for (std::uint64_t i = 0; i < 50; ++i) {
        EXPECT_EQ(workload.requests[i].context_tokens,
                  distribution.quantile(kv::uniform(kv::random_bits(7, i))));
    }
}

}  // namespace
}  // namespace memside
