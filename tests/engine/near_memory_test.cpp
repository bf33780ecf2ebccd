// Attention by the threads of each memory node, on machines that are not there.
#include "engine/near_memory.h"

#include <cstring>
#include <mutex>
#include <random>
#include <set>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/random_model.h"

namespace memside::engine {
namespace {

MemoryPlacement placement(const std::string& description) {
    MemoryPlacement made;
    made.nodes = NumaTopology::synthetic(description).value().nodes();
    made.real = false;
    return made;
}

const char* const two_nodes = "pack:2 [numa] core:2 pu:1";
const char* const with_expander = "[numa] pack:2 [numa] core:2 pu:1";

TEST(NearMemory, every_part_of_every_node_is_done_once) {
    for (const char* description : {two_nodes, with_expander}) {
        const MemoryPlacement made = placement(description);
        EXPECT_EQ(made.threads(0), 4U);
        EXPECT_EQ(made.threads(3), 3U);
        for (const unsigned threads : {1U, 2U, 5U}) {
            ThreadPool pool(threads, [&](unsigned i) { made.start_thread(i); });
            NearMemory near(pool, made.count());
            for (int round = 0; round < 50; ++round) {
                std::vector<std::int64_t> counts;
                for (int node = 0; node < made.count(); ++node) counts.push_back(node * 3 % 5);
                std::mutex lock;
                std::multiset<std::pair<int, std::int64_t>> done;
                near.run(counts, [&](int node, std::int64_t i) {
                    const std::lock_guard guard(lock);
                    done.emplace(node, i);
                });
                std::multiset<std::pair<int, std::int64_t>> want;
                for (int node = 0; node < made.count(); ++node) {
                    for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(node)]; ++i) {
                        want.emplace(node, i);
                    }
                }
                ASSERT_EQ(done, want);
            }
        }
    }
}

TEST(NearMemory, pages_go_to_the_nodes_in_turn_and_keep_what_is_written) {
    KvShape shape;
    shape.kv_heads = 2;
    shape.head_dim = 16;
    shape.page_tokens = 16;
    shape.capacity_tokens = 1000;
    shape.kept_tokens = {0, 100};
    shape.memory_nodes = 3;
    KvStore spread = KvStore::make(shape).value();
    shape.memory_nodes = 1;
    KvStore plain = KvStore::make(shape).value();
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> row(32);
    for (std::int64_t token = 0; token < 1000; ++token) {
        for (int layer = 0; layer < 2; ++layer) {
            for (float& value : row) value = normal(random);
            spread.write(layer, token, row.data(), row.data());
            plain.write(layer, token, row.data(), row.data());
        }
    }
    for (std::int64_t page = 0; page < 62; ++page) {
        EXPECT_EQ(spread.node_of(0, page), page % 3);
        EXPECT_EQ(plain.node_of(0, page), 0);
        for (int layer = page < 56 ? 0 : 1; layer >= 0; --layer) {
            ASSERT_EQ(std::memcmp(spread.piece(layer, page, 0), plain.piece(layer, page, 0),
                                  static_cast<std::size_t>(2 * shape.page_bytes())),
                      0);
        }
    }
}

class NearDecoderTest : public testing::Test {
  protected:
    std::vector<std::vector<float>> logits(const std::string& policy,
                                           const MemoryPlacement& where) {
        DecoderOptions options;
        options.capacity_tokens = 240;
        options.page_tokens = 16;
        options.threads = where.nodes.empty() ? 2 : 0;
        options.placement = where;
        options.policy.variant = &kv_policy_variant(policy);
        options.policy.selection.budget_tokens = 64;
        options.policy.selection.pinned = {1, 1};
        const auto decoder = Decoder::make(*model_, options).value();
        std::vector<TokenId> tokens;
        for (int i = 0; i < 240; ++i) tokens.push_back((i * i * 7 + i * 3 + 1) % 64);
        const std::span<const TokenId> all(tokens);
        std::vector<std::vector<float>> rows;
        for (std::size_t at = 0; at < 240;) {
            const std::size_t count = at == 0 ? 200 : 1;
            const auto row = decoder->feed(all.subspan(at, count));
            EXPECT_TRUE(row.ok());
            rows.emplace_back(row->begin(), row->end());
            at += count;
        }
        return rows;
    }

    TempFolder folder_;
    std::unique_ptr<ModelFile> model_;
};

TEST_F(NearDecoderTest, several_nodes_compute_what_one_does) {
    for (const char* architecture : {"llama", "gemma3"}) {
        test::RandomModel model;
        model.shape.architecture = architecture;
        model.shape.vocab = 64;
        model.sliding_window = std::string_view(architecture) == "gemma3" ? 32 : 0;
        test::build(model);
        model_ = std::make_unique<ModelFile>(
            open_model(folder_.write("model.gguf", model.file)).value());
        for (const char* policy : {"dense", "pnm-kv", "png-kv", "recall"}) {
            const auto want = logits(policy, {});
            for (const char* description : {two_nodes, with_expander}) {
                const auto got = logits(policy, placement(description));
                for (std::size_t i = 0; i < want.size(); ++i) {
                    for (std::size_t v = 0; v < want[i].size(); ++v) {
                        ASSERT_NEAR(got[i][v], want[i][v], 1e-4) << policy << ' ' << description;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace memside::engine
