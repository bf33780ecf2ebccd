// The dispatcher: what the host does, how chunks come and go, and what is refused.
#include "pim/dynamic/dispatcher.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <random>
#include <set>

#include "pim/dynamic/attention_run.h"

namespace memside::pim {
namespace {

struct Nowhere : Sink {
    std::uint64_t instructions = 0;
    Status instruction(const Instruction&) override {
        ++instructions;
        return {};
    }
    Status hub(const HubCall&) override { return {}; }
};

// Keys take a row per 4,096 tokens and values too.
const AttentionShape shape{.head_dim = 128, .channels = 32, .queries = 1};

Dispatcher make(std::uint32_t rows, Dispatcher::NewChunk on_new_chunk = {}) {
    return Dispatcher::create(attention_program(AttentionLayout(shape)), ordered_pool(rows, 1),
                              std::move(on_new_chunk))
        .value();
}

TEST(Dispatcher, the_host_acts_on_a_new_request_a_new_chunk_and_a_release_alone) {
    std::uint64_t zeroed = 0;
    Dispatcher dispatcher = make(16, [&](std::uint32_t, std::uint32_t rows) { zeroed += rows; });
    Nowhere sink;
    ASSERT_TRUE(dispatcher.admit(1, 4000).ok());
    EXPECT_EQ(dispatcher.host_actions().new_requests, 1U);
    EXPECT_EQ(dispatcher.host_actions().new_chunks, 2U);
    for (int step = 0; step < 96; ++step) ASSERT_TRUE(dispatcher.step(1, sink).ok());
    EXPECT_EQ(dispatcher.host_actions().total(), 3U);  // 96 steps without the host
    EXPECT_EQ(dispatcher.tokens(1), 4096U);
    ASSERT_TRUE(dispatcher.step(1, sink).ok());  // the first token of the next rows
    EXPECT_EQ(dispatcher.host_actions().new_chunks, 4U);
    EXPECT_EQ(zeroed, 4U);
    ASSERT_TRUE(dispatcher.release(1).ok());
    EXPECT_EQ(dispatcher.host_actions().total(), 6U);
    EXPECT_EQ(dispatcher.pool().used(), 0U);
    EXPECT_GT(sink.instructions, 0U);
}

TEST(Dispatcher, without_a_free_chunk_a_step_sends_nothing_and_says_so) {
    Dispatcher dispatcher = make(3);
    Nowhere sink;
    ASSERT_TRUE(dispatcher.admit(1, 4096).ok());
    const Status full = dispatcher.step(1, sink);
    ASSERT_FALSE(full.ok());
    EXPECT_EQ(full.error().kind, Error::Kind::infeasible);
    EXPECT_EQ(full.error().message(), "2 chunks are needed, 1 are free");
    EXPECT_EQ(sink.instructions, 0U);
    EXPECT_EQ(dispatcher.tokens(1), 4096U);
    EXPECT_EQ(dispatcher.pool().used(), 2U);
    EXPECT_FALSE(dispatcher.admit(2, 1).ok());
    EXPECT_EQ(dispatcher.requests(), 1U);
}

TEST(Dispatcher, unknown_and_double_requests_are_refused) {
    Dispatcher dispatcher = make(8);
    Nowhere sink;
    EXPECT_EQ(dispatcher.step(5, sink).error().message(), "no request 5");
    EXPECT_EQ(dispatcher.release(5).error().message(), "no request 5");
    ASSERT_TRUE(dispatcher.admit(5, 0).ok());
    EXPECT_EQ(dispatcher.admit(5, 0).error().message(), "request 5 is there already");
}

TEST(Dispatcher, a_pool_that_does_not_fit_the_program_is_refused) {
    DynamicProgram program = attention_program(AttentionLayout(shape));
    EXPECT_FALSE(Dispatcher::create(program, ordered_pool(8, 2)).ok());
    EXPECT_FALSE(Dispatcher::create(program, ChunkPool({3, 3}, 1)).ok());
    EXPECT_FALSE(Dispatcher::create(program, ChunkPool({rows_per_bank}, 1)).ok());
    program.regions.push_back({"weights", 4, false, 6});
    EXPECT_EQ(Dispatcher::create(program, ordered_pool(8, 1)).error().message(),
              "chunks share rows with region 'weights'");
    EXPECT_TRUE(Dispatcher::create(program, ordered_pool(6, 1)).ok());
}

TEST(Dispatcher, a_region_without_appends_grows_by_hand) {
    DynamicProgram program = attention_program(AttentionLayout(shape));
    program.regions.push_back({"more", 0, true, 0});
    Dispatcher dispatcher = Dispatcher::create(program, ordered_pool(8, 1)).value();
    ASSERT_TRUE(dispatcher.admit(1, 1).ok());
    ASSERT_TRUE(dispatcher.reserve(1, 2, 3).ok());
    EXPECT_EQ(dispatcher.table(1, 2).first_rows.size(), 3U);
    ASSERT_TRUE(dispatcher.reserve(1, 2, 2).ok());  // there already
    EXPECT_EQ(dispatcher.pool().used(), 5U);
    EXPECT_FALSE(dispatcher.reserve(1, 2, 9).ok());
}

TEST(Dispatcher, a_modules_dispatcher_carries_out_its_entries_and_holds_their_regions) {
    // The same items for two modules, each with regions of its own.
    DynamicProgram program = attention_program(AttentionLayout(shape));
    program.regions.insert(program.regions.end(), {{"k1", 0, true, 0}, {"v1", 0, true, 0}});
    for (std::size_t i = 0; i < 2; ++i) {
        ExecutionEntry entry = program.entries[i];
        entry.module = 1;
        entry.region_base = 2;
        program.entries.push_back(entry);
    }
    const auto instructions = [&](std::optional<std::uint32_t> module) {
        Dispatcher dispatcher =
            Dispatcher::create(program, ordered_pool(16, 1), {}, module).value();
        Nowhere sink;
        EXPECT_TRUE(dispatcher.admit(1, 500).ok());
        EXPECT_TRUE(dispatcher.step(1, sink).ok());
        EXPECT_EQ(dispatcher.pool().used(), module ? 2U : 4U);
        EXPECT_EQ(dispatcher.table(1, 2).first_rows.empty(), module == 0U);
        return sink.instructions;
    };
    EXPECT_EQ(instructions(0), instructions(1));
    EXPECT_EQ(instructions(0) + instructions(1), instructions(std::nullopt));
}

TEST(Dispatcher, its_buffers_stay_below_the_papers_200_kilobytes_for_many_long_requests) {
    Dispatcher dispatcher = make(rows_per_bank);
    for (std::uint64_t id = 0; id < 64; ++id) ASSERT_TRUE(dispatcher.admit(id, 131072).ok());
    EXPECT_LT(dispatcher.buffer_bytes(), 200000U);
    EXPECT_GE(dispatcher.buffer_bytes(), 64U * 2 * 32 * 4);  // tables alone
}

// Requests that come, grow and go at random, against a simple count of what each must have.
RC_GTEST_PROP(Dispatcher, chunks_are_never_shared_and_are_as_many_as_tokens_need,
              (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    AttentionShape small{.head_dim = 16, .channels = 2, .queries = 1, .chunk_rows = 2};
    const AttentionLayout layout(small);
    Dispatcher dispatcher =
        Dispatcher::create(attention_program(layout), shuffled_pool(60, 2, seed)).value();
    std::map<std::uint64_t, std::uint64_t> expected;  // tokens by request
    Nowhere sink;
    const auto chunks = [](std::uint64_t tokens) {
        // 16 dimensions: a row of two channels holds 64 keys of each of 32 banks, or 16 x 64 x 2
        // tokens of values; two rows are a chunk.
        return (tokens + 4095) / 4096;
    };
    for (int event = 0; event < 60; ++event) {
        const std::uint64_t id = random() % 5;
        const std::uint64_t action = random() % 3;
        if (action == 0 && !expected.contains(id)) {
            const std::uint64_t tokens = random() % 20000;
            if (dispatcher.admit(id, tokens).ok()) expected[id] = tokens;
        } else if (action == 1 && expected.contains(id)) {
            if (dispatcher.step(id, sink).ok()) ++expected[id];
        } else if (expected.contains(id)) {
            RC_ASSERT(dispatcher.release(id).ok());
            expected.erase(id);
        }
        std::set<std::uint32_t> seen;
        std::size_t total = 0;
        for (const auto& [request, tokens] : expected) {
            RC_ASSERT(dispatcher.tokens(request) == tokens);
            for (const std::uint32_t region : {0U, 1U}) {
                const RowTable& table = dispatcher.table(request, region);
                RC_ASSERT(table.first_rows.size() == chunks(tokens));
                seen.insert(table.first_rows.begin(), table.first_rows.end());
                total += table.first_rows.size();
            }
        }
        RC_ASSERT(seen.size() == total);
        RC_ASSERT(dispatcher.pool().used() == total);
        RC_ASSERT(dispatcher.pool().free() == 30 - total);
    }
}

// Tokens of a request, dealt over modules: every one has its chunks and appends its own tokens.
TEST(Dispatcher, modules_that_share_tokens_append_and_reserve_their_own) {
    const AttentionShape small{.head_dim = 16, .channels = 1, .queries = 1};
    DynamicProgram program = attention_program(AttentionLayout(small));
    program.share = {.modules = 3, .block = 100, .index = 0};
    std::vector<std::uint64_t> appended(3, 0);
    for (std::uint32_t module = 0; module < 3; ++module) {
        struct Count : Sink {
            std::uint64_t writes = 0;
            Status instruction(const Instruction& made) override {
                writes += made.opcode == Opcode::wr_sbk ? 1 : 0;
                return {};
            }
            Status hub(const HubCall&) override { return {}; }
        } count;
        Dispatcher dispatcher =
            Dispatcher::create(program, ordered_pool(16, 1), {}, {}, module).value();
        ASSERT_TRUE(dispatcher.admit(1, 0).ok());
        const std::uint64_t per_token = 1 + small.head_dim;  // a key, and a tile for each dimension
        for (std::uint64_t token = 0; token < 450; ++token) {
            count.writes = 0;
            ASSERT_TRUE(dispatcher.step(1, count).ok());
            const bool own = token / 100 % 3 == module;
            EXPECT_EQ(count.writes, own ? per_token : 0) << token;
            appended[module] += own ? 1 : 0;
        }
        EXPECT_EQ(dispatcher.tokens(1), 450U);
        const Expander expander(program, module);
        EXPECT_EQ(expander.share().tokens(450), appended[module]);
        const std::uint32_t rows = *dispatcher.rows(0, appended[module]);
        EXPECT_EQ(dispatcher.table(1, 0).first_rows.size(), rows);
    }
    EXPECT_EQ(appended, (std::vector<std::uint64_t>{200, 150, 100}));
    EXPECT_FALSE(Dispatcher::create(program, ordered_pool(16, 1), {}, {}, 3).ok());
}

TEST(Dispatcher, a_region_that_says_how_it_grows_gets_its_chunks) {
    DynamicProgram program;
    program.regions = {{"scores", 0, true, 0, 64, 3}};
    DynamicItem write = DynamicItem::of({.opcode = Opcode::wr_sbk, .mask = 1});
    write.virtual_row = true;
    program.items = {write};
    program.entries.push_back({.name = "e", .channel_mask = 1, .item_count = 1});
    struct Ignore : Sink {
        Status instruction(const Instruction&) override { return {}; }
        Status hub(const HubCall&) override { return {}; }
    } ignore;
    Dispatcher dispatcher = Dispatcher::create(program, ordered_pool(16, 1)).value();
    ASSERT_TRUE(dispatcher.admit(1, 64).ok());
    EXPECT_EQ(dispatcher.table(1, 0).first_rows.size(), 3U);
    ASSERT_TRUE(dispatcher.step(1, ignore).ok());
    EXPECT_EQ(dispatcher.table(1, 0).first_rows.size(), 6U);
    program.regions[0].span_rows = 0;
    EXPECT_FALSE(Dispatcher::create(program, ordered_pool(16, 1)).ok());
}

}  // namespace
}  // namespace memside::pim
