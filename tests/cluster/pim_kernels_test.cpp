// Kernels of a module against closed forms, and what is remembered of them.
#include "cluster/pim_kernels.h"

#include <filesystem>
#include <fstream>
#include <set>

namespace memside {
namespace {

namespace fs = std::filesystem;

const PimDescription& description() {
    static const PimDescription read = *read_pim_description();
    return read;
}

std::vector<PimProgramOptions> every_option() {
    std::vector<PimProgramOptions> all;
    for (const PimPartition partition : {PimPartition::hfp, PimPartition::tcp}) {
        for (const pim::Scheduler scheduler :
             {pim::Scheduler::in_order, pim::Scheduler::ping_pong, pim::Scheduler::dcs}) {
            for (const bool reuse : {false, true}) {
                all.push_back({partition, scheduler, reuse, reuse});
            }
        }
    }
    return all;
}

PimKernelTime run(const PimProgramOptions& options, const PimAttention& shape) {
    const auto kernels = make_program_kernels(description(), options);
    const auto time = kernels->attention(shape);
    EXPECT_TRUE(time.ok()) << time.error().message();
    return *time;
}

PimKernelTime run(const PimProgramOptions& options, const PimGemv& shape) {
    const auto kernels = make_program_kernels(description(), options);
    const auto time = kernels->gemv(shape);
    EXPECT_TRUE(time.ok()) << time.error().message();
    return *time;
}

// A MAC16 every nCCDS in each of 32 channels.
double fastest_s(double macs) {
    const pim::Timing& timing = description().timing;
    return macs / (32 * 16 * 16) * timing.nCCDS * timing.clock_ns * 1e-9;
}

// Every query meets every key and every value once, whoever deals them out and in what order.
TEST(PimKernels, attention_multiplies_what_it_must_under_every_option) {
    for (const PimProgramOptions& options : every_option()) {
        PimAttention shape{.pairs = 1, .group = 4, .head_dim = 128, .tokens = 2048};
        if (options.partition == PimPartition::hfp) shape.pairs = 32;
        const PimKernelTime time = run(options, shape);
        const double macs = 2.0 * shape.pairs * 4 * 128 * 2048;
        EXPECT_EQ(time.macs(), macs);
        EXPECT_GT(time.time_s - time.hub_s, fastest_s(macs));
        EXPECT_GT(time.hub_s, 0);
        EXPECT_LE(time.open_channel_s, 32 * time.time_s * (1 + 1e-12));
    }
}

TEST(PimKernels, a_gemv_multiplies_every_weight_once_under_every_scheduler) {
    for (const PimProgramOptions& options : every_option()) {
        const PimKernelTime time = run(options, PimGemv{1024, 2048});
        EXPECT_EQ(time.macs(), 1024.0 * 2048);
        EXPECT_GT(time.time_s, fastest_s(1024.0 * 2048));
    }
}

TEST(PimKernels, what_fills_no_group_of_banks_is_padded) {
    // 513 outputs take two groups of 512; 1,025 inputs two chunks, one of them a tile.
    const PimKernelTime time = run(PimProgramOptions{}, PimGemv{513, 1025});
    EXPECT_EQ(time.count(pim::Command::mac16), 2U * 32 * (64 + 1));
}

TEST(PimKernels, a_pair_in_its_channel_leaves_the_others_closed) {
    PimProgramOptions options;
    options.partition = PimPartition::hfp;
    const PimAttention shape{.pairs = 4, .group = 2, .head_dim = 128, .tokens = 512};
    const PimKernelTime time = run(options, shape);
    EXPECT_DOUBLE_EQ(time.open_channel_s, 4 * time.time_s);
}

TEST(PimKernels, each_technique_makes_attention_faster) {
    const PimAttention shape{.pairs = 1, .group = 4, .head_dim = 128, .tokens = 8192};
    const auto aim_s = [&](pim::Scheduler scheduler, bool reuse) {
        PimProgramOptions options;
        options.scheduler = scheduler;
        options.row_reuse = reuse;
        const PimKernelTime time = run(options, shape);
        return time.time_s - time.hub_s;
    };
    EXPECT_LT(aim_s(pim::Scheduler::dcs, true), aim_s(pim::Scheduler::ping_pong, true));
    EXPECT_LT(aim_s(pim::Scheduler::ping_pong, true), aim_s(pim::Scheduler::in_order, true));
    EXPECT_LT(aim_s(pim::Scheduler::dcs, true), aim_s(pim::Scheduler::dcs, false));
}

PimKernelTime run(const PimProgramOptions& options, const PimSelected& shape) {
    const auto kernels = make_program_kernels(description(), options);
    const auto time = kernels->selected(shape);
    EXPECT_TRUE(time.ok()) << time.error().message();
    return *time;
}

// Every seventh page of 4,000, and some of those in between.
PimSelected scattered() {
    PimSelected shape{.group = 4, .head_dim = 128, .tokens = 128000, .page_tokens = 32};
    for (std::uint32_t page = 0; page < 4000; ++page) {
        if (page % 7 == 0 || page % 50 == 1) shape.pages.push_back(page);
    }
    return shape;
}

TEST(PimKernels, selected_pages_are_multiplied_once_under_every_option) {
    const PimSelected shape = scattered();
    for (PimProgramOptions options : every_option()) {
        options.partition = PimPartition::tcp;
        const PimKernelTime time = run(options, shape);
        const double tokens = 32.0 * static_cast<double>(shape.pages.size());
        // 4,000 digests of 256 values, in columns of 512.
        const double scan = 4.0 * 256 * 4096;
        EXPECT_EQ(time.macs(), scan + 2 * 4.0 * 128 * tokens);
        EXPECT_GT(time.time_s - time.hub_s, fastest_s(time.macs()));
        EXPECT_GT(time.scan_s, fastest_s(scan));
        EXPECT_GT(time.top_k_s, 0);
        EXPECT_LT(time.top_k_s, time.hub_s);
    }
}

// By hand: a lane opens each of its rows once. 8 slots of 512 tokens are a row of keys of 2
// channels in each of 16 lanes; 4,096 tokens a row of values of 16 channels in each of 2.
TEST(PimKernels, rows_of_scattered_pages_are_opened_once_a_lane) {
    const PimSelected shape = scattered();
    std::set<std::pair<std::uint32_t, std::uint32_t>> keys;
    std::set<std::pair<std::uint32_t, std::uint32_t>> values;
    for (const std::uint32_t page : shape.pages) {
        keys.emplace(page % 16, page / 128);
        values.emplace(page % 2, page / 128);
    }
    PimProgramOptions options;
    options.refresh = false;
    const std::size_t digests = 32 * 2;  // 2,048 a row
    EXPECT_EQ(run(options, shape).count(pim::Command::act16),
              keys.size() * 2 + values.size() * 16 + digests);
    // Without row reuse each of the four queries opens them anew.
    options.row_reuse = false;
    EXPECT_GE(run(options, shape).count(pim::Command::act16),
              4 * (keys.size() * 2 + values.size() * 16));
}

// The new token's key and value go where dense attention puts them; besides, its page's digest of
// 256 values is read and written, 16 values a column.
TEST(PimKernels, a_step_that_selects_appends_as_a_dense_one_does) {
    const PimSelected shape = scattered();
    const PimProgramOptions options;
    const PimKernelTime selected = run(options, shape);
    const PimKernelTime dense =
        *make_program_kernels(description(), options)
             ->attention({.pairs = 1, .group = 4, .head_dim = 128, .tokens = shape.tokens});
    EXPECT_GT(dense.count(pim::Command::wr), 0U);
    for (const pim::Command command : {pim::Command::rd, pim::Command::wr}) {
        EXPECT_EQ(selected.count(command), dense.count(command) + 256 / 16);
    }
}

TEST(PimKernels, pages_of_one_lane_make_the_others_wait) {
    PimSelected even{.group = 4, .head_dim = 128, .tokens = 128000, .page_tokens = 32};
    PimSelected uneven = even;
    for (std::uint32_t page = 0; page < 240; ++page) {
        even.pages.push_back(page);
        uneven.pages.push_back(16 * page);
    }
    const PimProgramOptions options;
    const PimKernelTime time = run(options, even);
    const PimKernelTime waiting = run(options, uneven);
    EXPECT_EQ(time.macs(), waiting.macs());
    EXPECT_GT(waiting.time_s - waiting.hub_s, 2 * (time.time_s - time.hub_s));
}

TEST(PimKernels, a_head_beyond_the_registers_is_refused) {
    const auto kernels = make_program_kernels(description(), PimProgramOptions{});
    const auto time = kernels->attention({.pairs = 64, .group = 64, .head_dim = 128, .tokens = 1});
    ASSERT_FALSE(time.ok());
    EXPECT_EQ(time.error().exit_status(), 2);
}

// Counts what is really run.
class CountedKernels : public PimKernels {
  public:
    Result<PimKernelTime> attention(const PimAttention& shape) override {
        ++runs;
        PimKernelTime time;
        time.time_s = 1.0 / 3 * static_cast<double>(shape.tokens);
        time.commands[1] = 7;
        return time;
    }
    Result<PimKernelTime> gemv(const PimGemv& shape) override {
        ++runs;
        PimKernelTime time;
        time.time_s = shape.rows;
        return time;
    }
    Result<PimKernelTime> selected(const PimSelected& shape) override {
        ++runs;
        PimKernelTime time;
        time.time_s = static_cast<double>(shape.pages.size());
        time.scan_s = 0.125;
        time.top_k_s = 0.25;
        time.blocks = {{.repeats = 3, .first = true, .scores_s = 1.0 / 3, .sums_s = 2},
                       {.waits = true, .softmax_s = 4, .accumulate_s = 5}};
        return time;
    }
    double hub_s(const pim::HubInstruction&) const override { return 0; }

    int runs = 0;
};

class PimCache : public testing::Test {
  protected:
    PimCache() : folder_(fs::path(testing::TempDir()) / "memside-pim-cache-test") {
        fs::remove_all(folder_);
    }
    ~PimCache() override { fs::remove_all(folder_); }

    RememberedKernels open(const PimProgramOptions& options = {}) {
        return {kernels_, description(), options, folder_.string()};
    }
    static PimAttention tokens(std::int64_t count) {
        return {.pairs = 1, .group = 4, .head_dim = 128, .tokens = count};
    }
    fs::path file() const { return fs::directory_iterator(folder_)->path(); }

    fs::path folder_;
    CountedKernels kernels_;
};

TEST_F(PimCache, contexts_of_one_granule_are_run_once) {
    RememberedKernels remembered = open();
    // A column of 32 channels holds 64 tokens of the values.
    const PimKernelTime first = *remembered.attention(tokens(65));
    EXPECT_EQ(remembered.attention(tokens(128))->time_s, first.time_s);
    EXPECT_EQ(kernels_.runs, 1);
    EXPECT_NE(remembered.attention(tokens(129))->time_s, first.time_s);
    EXPECT_EQ(kernels_.runs, 2);
    EXPECT_EQ(remembered.statistics().from_memory, 1U);
}

TEST_F(PimCache, another_process_finds_the_same_figures) {
    RememberedKernels writer = open();
    const PimKernelTime wrote = *writer.attention(tokens(64));
    ASSERT_TRUE(writer.save().ok());
    RememberedKernels reader = open();
    const PimKernelTime read = *reader.attention(tokens(64));
    EXPECT_EQ(read.time_s, wrote.time_s);
    EXPECT_EQ(read.commands, wrote.commands);
    EXPECT_EQ(reader.statistics().from_file, 1U);
    EXPECT_EQ(kernels_.runs, 1);
}

TEST_F(PimCache, page_sets_have_figures_of_their_own_with_all_their_blocks) {
    RememberedKernels writer = open();
    PimSelected shape{.group = 4, .head_dim = 128, .tokens = 4096, .page_tokens = 32};
    shape.pages = {1, 5, 9};
    const PimKernelTime wrote = *writer.selected(shape);
    PimSelected other = shape;
    other.pages = {1, 5, 10};
    ASSERT_TRUE(writer.selected(other).ok());
    EXPECT_EQ(kernels_.runs, 2);
    ASSERT_TRUE(writer.save().ok());
    RememberedKernels reader = open();
    const PimKernelTime read = *reader.selected(shape);
    EXPECT_EQ(kernels_.runs, 2);
    EXPECT_EQ(read.scan_s, wrote.scan_s);
    EXPECT_EQ(read.top_k_s, wrote.top_k_s);
    ASSERT_EQ(read.blocks.size(), 2U);
    EXPECT_EQ(read.blocks[0].repeats, 3);
    EXPECT_TRUE(read.blocks[0].first);
    EXPECT_EQ(read.blocks[0].scores_s, 1.0 / 3);
    EXPECT_TRUE(read.blocks[1].waits);
    EXPECT_EQ(read.blocks[1].accumulate_s, 5);
}

TEST_F(PimCache, two_writers_keep_what_both_have_found) {
    RememberedKernels one = open();
    RememberedKernels two = open();
    ASSERT_TRUE(one.gemv({1, 2}).ok());
    ASSERT_TRUE(two.gemv({3, 4}).ok());
    ASSERT_TRUE(one.save().ok());
    ASSERT_TRUE(two.save().ok());
    RememberedKernels reader = open();
    EXPECT_EQ(reader.gemv({1, 2})->time_s, 1);
    EXPECT_EQ(reader.gemv({3, 4})->time_s, 3);
    EXPECT_EQ(kernels_.runs, 2);
}

TEST_F(PimCache, another_program_has_figures_of_its_own) {
    RememberedKernels dcs = open();
    ASSERT_TRUE(dcs.gemv({1, 2}).ok());
    ASSERT_TRUE(dcs.save().ok());
    RememberedKernels in_order = open({.scheduler = pim::Scheduler::in_order});
    ASSERT_TRUE(in_order.gemv({1, 2}).ok());
    EXPECT_EQ(in_order.statistics().from_file, 0U);
}

TEST_F(PimCache, a_damaged_file_is_run_again) {
    RememberedKernels writer = open();
    ASSERT_TRUE(writer.gemv({1, 2}).ok());
    ASSERT_TRUE(writer.save().ok());
    std::string text;
    {
        std::ifstream in(file());
        text.assign(std::istreambuf_iterator<char>(in), {});
    }
    const std::size_t digit = text.find(" 1 ");
    ASSERT_NE(digit, std::string::npos);
    text[digit + 1] = '9';
    std::ofstream(file()) << text;
    RememberedKernels reader = open();
    EXPECT_EQ(reader.gemv({1, 2})->time_s, 1);
    EXPECT_EQ(kernels_.runs, 2);
}

TEST_F(PimCache, another_description_has_another_file) {
    RememberedKernels writer = open();
    ASSERT_TRUE(writer.gemv({1, 2}).ok());
    ASSERT_TRUE(writer.save().ok());
    PimDescription slower = description();
    slower.timing.constants.front().text = "1 ns";
    RememberedKernels other(kernels_, slower, {}, folder_.string());
    ASSERT_TRUE(other.gemv({1, 2}).ok());
    EXPECT_EQ(other.statistics().from_file, 0U);
}

}  // namespace
}  // namespace memside
