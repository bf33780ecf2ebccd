#include "engine/page_pool.h"

#include <rapidcheck/gtest.h>

#include <cstring>
#include <set>

#include "engine/random_weights.h"

namespace memside::engine {
namespace {

constexpr int kv_heads = 2;
constexpr int dim = 8;
constexpr std::int64_t page_tokens = 16;
constexpr std::int64_t pages = 24;

KvShape shape_of(int layers) {
    KvShape shape;
    shape.kv_heads = kv_heads;
    shape.head_dim = dim;
    shape.page_tokens = page_tokens;
    shape.capacity_tokens = pages * page_tokens;
    shape.kept_tokens.assign(static_cast<std::size_t>(layers), 0);
    return shape;
}

KvStore filled_store(int layers) {
    KvStore store = std::move(KvStore::make(shape_of(layers))).value();
    for (int layer = 0; layer < layers; ++layer) {
        for (std::int64_t t = 0; t < pages * page_tokens; ++t) {
            const auto seed = static_cast<std::uint64_t>(layer * 10000 + t);
            store.write(layer, t, test::random_values(kv_heads * dim, seed).data(),
                        test::random_values(kv_heads * dim, 70000 + seed).data());
        }
    }
    return store;
}

// Every resident page's copy, of every head, has the bytes of the page.
void expect_copies(const PagePool& pool, const KvStore& store, const PageSets& sets, int layer) {
    const auto bytes = static_cast<std::size_t>(store.shape().page_bytes());
    for (std::int64_t set = 0; set < sets.count(); ++set) {
        const kv::PageList& resident = pool.resident(layer, set);
        for (std::size_t i = 0; i < resident.size(); ++i) {
            for (int head = 0; head < sets.kv_heads(); ++head) {
                const std::byte* page =
                    store.piece(layer, resident[i], sets.first_kv_head(set) + head);
                EXPECT_EQ(std::memcmp(pool.piece(layer, set, i, head), page, bytes), 0)
                    << "layer " << layer << ", set " << set << ", page " << resident[i];
            }
        }
    }
}

TEST(PagePool, a_recalled_page_is_the_page_of_the_store_bit_for_bit) {
    const KvStore store = filled_store(1);
    for (const kv::SelectPer per :
         {kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head}) {
        const PageSets sets(per, 6, kv_heads);
        PagePool pool = std::move(PagePool::make(store.shape(), sets, {true}, 4)).value();
        for (std::int64_t set = 0; set < sets.count(); ++set) {
            pool.apply(store, 0, set, {{1, static_cast<kv::PageIndex>(2 + set), 20}, {}});
        }
        expect_copies(pool, store, sets, 0);
        EXPECT_EQ(pool.resident(0, 0), (kv::PageList{1, 2, 20}));
    }
}

TEST(PagePool, only_layers_that_select_take_memory) {
    const PageSets sets(kv::SelectPer::kv_head, 2, kv_heads);
    const KvShape shape = shape_of(3);
    const PagePool pool = std::move(PagePool::make(shape, sets, {false, true, false}, 5)).value();
    EXPECT_EQ(pool.bytes(), 5 * kv_heads * shape.page_bytes());
}

RC_GTEST_PROP(PagePool, after_any_changes_every_resident_page_has_its_own_copy, ()) {
    const KvStore store = filled_store(2);
    const PageSets sets(kv::SelectPer::kv_head, 2, kv_heads);
    constexpr std::int64_t places = 6;
    PagePool pool = std::move(PagePool::make(store.shape(), sets, {true, true}, places)).value();
    std::set<kv::PageIndex> expected[2][2];
    for (int step = 0; step < 20; ++step) {
        const int layer = *rc::gen::inRange(0, 2);
        const std::int64_t set = *rc::gen::inRange(0, 2);
        std::set<kv::PageIndex>& own = expected[layer][set];
        if (*rc::gen::inRange(0, 8) == 0) {
            const auto cut = *rc::gen::inRange<std::int64_t>(0, pages);
            pool.truncate(cut);
            for (auto& layers : expected) {
                for (auto& one : layers) {
                    one.erase(one.lower_bound(static_cast<kv::PageIndex>(cut)), one.end());
                }
            }
        }
        kv::ResidencyChange change;
        for (const kv::PageIndex page : own) {
            if (*rc::gen::arbitrary<bool>()) change.evicted.push_back(page);
        }
        const auto room = places - static_cast<std::int64_t>(own.size()) +
                          static_cast<std::int64_t>(change.evicted.size());
        for (kv::PageIndex page = 0; page < pages; ++page) {
            if (static_cast<std::int64_t>(change.recalled.size()) == room) break;
            if (!own.contains(page) && *rc::gen::inRange(0, 6) == 0) {
                change.recalled.push_back(page);
            }
        }
        pool.apply(store, layer, set, change);
        for (const kv::PageIndex page : change.evicted) own.erase(page);
        own.insert(change.recalled.begin(), change.recalled.end());
        RC_ASSERT(pool.resident(layer, set) == kv::PageList(own.begin(), own.end()));
        expect_copies(pool, store, sets, 0);
        expect_copies(pool, store, sets, 1);
    }
}

}  // namespace
}  // namespace memside::engine
