// Workers in processes of their own.
#include "engine/shared_workers.h"

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "engine/page_list_attention.h"

namespace memside::engine {
namespace {

using testing::HasSubstr;

constexpr int heads = 6;
constexpr std::int64_t tokens = 1000;

class SharedWorkersTest : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        placement_.nodes = NumaTopology::synthetic(GetParam()).value().nodes();
        placement_.real = false;
        KvShape shape;
        shape.kv_heads = 2;
        shape.head_dim = 48;
        shape.page_tokens = 16;
        shape.capacity_tokens = 1024;
        shape.kept_tokens = {0, 0};
        shape.memory_nodes = placement_.count();
        store_ = std::make_unique<KvStore>(KvStore::make(shape, {}, true).value());
        workers_ = SharedWorkers::start(*store_, heads, placement_).value();
        // Written after the workers have started: it is one memory.
        std::vector<float> keys(96);
        std::vector<float> values(96);
        for (std::int64_t token = 0; token < tokens; ++token) {
            for (int layer = 0; layer < 2; ++layer) {
                for (float& value : keys) value = normal_(random_);
                for (float& value : values) value = normal_(random_);
                store_->write(layer, token, keys.data(), values.data());
            }
        }
        queries_.resize(heads * 48);
    }

    // The same by one process.
    std::vector<float> reference(int layer, const std::vector<kv::PageList>& pages) {
        ThreadPool pool(2);
        PageListAttention lists(pool);
        std::vector<PageListWork> works;
        for (int head = 0; head < 2; ++head) {
            PageListWork work{head * 3, 3, {}, {}, 16, {}};
            for (const kv::PageIndex page : pages[static_cast<std::size_t>(head)]) {
                work.pages.push_back(store_->page(layer, page, head));
                if (page == (tokens - 1) / 16) work.last_tokens = tokens - page * 16;
            }
            works.push_back(std::move(work));
        }
        std::vector<float> out(queries_.size());
        EXPECT_TRUE(lists.run(*store_, works, queries_.data(), out.data()).ok());
        return out;
    }

    std::vector<kv::PageList> some_pages() {
        std::vector<kv::PageList> pages(2);
        for (kv::PageList& list : pages) {
            for (kv::PageIndex page = 0; page < 63; ++page) {
                if (random_() % 3 == 0 || page == 62) list.push_back(page);
            }
        }
        return pages;
    }

    MemoryPlacement placement_;
    std::unique_ptr<KvStore> store_;
    std::unique_ptr<SharedWorkers> workers_;
    std::mt19937 random_{1};
    std::normal_distribution<float> normal_;
    std::vector<float> queries_;
};

TEST_P(SharedWorkersTest, compute_what_one_process_does) {
    std::vector<float> out(queries_.size());
    for (int step = 0; step < 200; ++step) {
        for (float& value : queries_) value = normal_(random_);
        std::vector<kv::PageList> pages = some_pages();
        // A node may have nothing to do.
        if (step % 5 == 0) pages = {{62}, {1, 62}};
        const Status done = workers_->run(step % 2, pages, tokens, queries_.data(), out.data());
        ASSERT_TRUE(done.ok()) << done.error().message();
        const std::vector<float> want = reference(step % 2, pages);
        for (std::size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], want[i], 1e-5);
    }
}

TEST_P(SharedWorkersTest, a_worker_that_dies_is_an_error_and_no_hang) {
    std::vector<float> out(queries_.size());
    const std::vector<kv::PageList> pages = some_pages();
    ASSERT_TRUE(workers_->run(0, pages, tokens, queries_.data(), out.data()).ok());
    // Stopped, so that it does not answer, and killed while it is waited for.
    const int last = placement_.count() - 1;
    ::kill(workers_->process(last), SIGSTOP);
    std::thread killer([process = workers_->process(last)] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        ::kill(process, SIGKILL);
    });
    const Status failed = workers_->run(0, pages, tokens, queries_.data(), out.data());
    killer.join();
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, Error::Kind::environment);
    EXPECT_THAT(failed.error().message(),
                HasSubstr(fmt::format("the worker of memory node {} is no more, killed by signal 9",
                                      last)));
    const Status again = workers_->run(0, pages, tokens, queries_.data(), out.data());
    ASSERT_FALSE(again.ok());
    EXPECT_THAT(again.error().message(), HasSubstr("is no more"));
}

INSTANTIATE_TEST_SUITE_P(Machines, SharedWorkersTest,
                         testing::Values("pack:1 [numa] core:2 pu:1", "pack:2 [numa] core:2 pu:1",
                                         "[numa] pack:2 [numa] core:2 pu:1"));

}  // namespace
}  // namespace memside::engine
