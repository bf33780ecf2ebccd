// The file of a saved sequence: written, read, damaged.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "base/crc32c.h"
#include "base/temp_folder.h"
#include "engine/resume.h"
#include "engine/saved_kv_file.h"
#include "engine/saved_pages.h"
#include "engine/saved_store.h"
#include "kv/layout.h"

namespace memside::engine {
namespace {

using kv::ValueType;
using test::SavedStore;
using testing::HasSubstr;

constexpr ValueType types[] = {ValueType::f16, ValueType::bf16, ValueType::int8};

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

bool same_piece(const KvStore& a, const KvStore& b, int layer, std::int64_t page, int head) {
    return std::memcmp(a.piece(layer, page, head), b.piece(layer, page, head),
                       static_cast<std::size_t>(a.shape().page_bytes())) == 0;
}

class SavedKvTest : public testing::Test {
  protected:
    std::shared_ptr<const SavedKvFile> open(const std::string& name = "s") {
        auto file = SavedKvFile::open(folder_.path(name));
        EXPECT_TRUE(file.ok()) << file.error().message();
        return std::move(file).value();
    }

    // The first page of a layer that both stores hold.
    static std::int64_t first_page(const KvStore& store, int layer, std::int64_t tokens) {
        const KvShape& shape = store.shape();
        const std::int64_t pages = kv::page_count(tokens, shape.page_tokens);
        const std::int64_t kept = shape.kept_tokens[static_cast<std::size_t>(layer)];
        return kept == 0
                   ? 0
                   : std::max<std::int64_t>(pages - kv::page_count(kept, shape.page_tokens) - 1, 0);
    }

    TempFolder folder_;
    ThreadPool pool_{2};
};

TEST_F(SavedKvTest, what_is_loaded_is_what_was_saved_bit_for_bit) {
    for (const ValueType type : types) {
        // Within a page, whole pages, more than a window; a group of superpages and more.
        for (const std::int64_t tokens : {1, 15, 16, 100, 160, 331, 4500}) {
            const SavedStore made = SavedStore::make(type, tokens);
            const auto bytes = made.save(folder_.path("s"), pool_);
            ASSERT_TRUE(bytes.ok()) << bytes.error().message();
            const auto file = open();
            EXPECT_EQ(*bytes,
                      static_cast<std::int64_t>(std::filesystem::file_size(folder_.path("s"))));
            EXPECT_THAT(file->saved.tokens(), testing::ElementsAreArray(made.ids));
            EXPECT_EQ(file->saved.contents().fingerprint, 0x1234U);
            // The capacity decides where pages of a window lie.
            KvStore store = KvStore::make(test::saved_shape(type, tokens + 200)).value();
            const Status loaded = store.load(file, tokens, pool_);
            ASSERT_TRUE(loaded.ok()) << loaded.error().message();
            for (int layer = 0; layer < 3; ++layer) {
                for (std::int64_t page = first_page(store, layer, tokens);
                     page < kv::page_count(tokens, 16); ++page) {
                    for (int head = 0; head < 2; ++head) {
                        ASSERT_TRUE(store.usable(layer, page, head));
                        ASSERT_TRUE(same_piece(store, made.store, layer, page, head))
                            << layer << ' ' << page << ' ' << head;
                    }
                }
            }
            for (const int layer : {0, 2}) {
                const auto digests = file->saved.digests(layer);
                ASSERT_TRUE(digests.ok());
                const auto want = made.digests.stored(layer, tokens);
                ASSERT_EQ(digests->size(), want.size());
                ASSERT_EQ(std::memcmp(digests->data(), want.data(), want.size()), 0);
            }
            EXPECT_FALSE(file->saved.has_digests(1));
        }
    }
}

TEST_F(SavedKvTest, a_copy_of_a_loaded_sequence_is_the_same_file) {
    const SavedStore made = SavedStore::make(ValueType::int8, 331);
    ASSERT_TRUE(made.save(folder_.path("s"), pool_).ok());
    KvStore store = KvStore::make(test::saved_shape(ValueType::int8, 500)).value();
    ASSERT_TRUE(store.load(open(), 331, pool_).ok());
    ASSERT_TRUE(
        write_saved_kv({0x1234, made.ids, &store, &made.digests}, folder_.path("t"), pool_).ok());
    EXPECT_EQ(folder_.read("t"), folder_.read("s"));
    // Over the file that is mapped, which goes on living.
    ASSERT_TRUE(
        write_saved_kv({0x1234, made.ids, &store, &made.digests}, folder_.path("s"), pool_).ok());
    EXPECT_EQ(folder_.read("t"), folder_.read("s"));
}

// Where a byte of the file lies, by an arithmetic of its own.
enum class Region { contents, padding, digests, window, page };

struct Map {
    const SavedKv& saved;

    Region region(std::uint64_t at) const {
        const SavedKvLayer& first = saved.layers()[0];
        if (at < first.digest_offset) return Region::contents;
        for (const SavedKvLayer& layer : saved.layers()) {
            const std::uint64_t bytes =
                layer.pages * 2 * static_cast<std::uint64_t>(saved.contents().shape.page_bytes());
            if (at >= layer.pages_offset && at < layer.pages_offset + bytes) {
                return layer.kept_tokens == 0 ? Region::page : Region::window;
            }
            if (at >= layer.digest_offset && at < layer.digest_offset + layer.digest_bytes) {
                return Region::digests;
            }
        }
        return Region::padding;
    }
};

TEST_F(SavedKvTest, a_flipped_byte_anywhere_is_refused_or_not_read) {
    constexpr std::int64_t tokens = 200;
    const SavedStore made = SavedStore::make(ValueType::f16, tokens);
    ASSERT_TRUE(made.save(folder_.path("s"), pool_).ok());
    const std::string good = folder_.read("s");
    const auto whole = open();
    const Map map{whole->saved};
    std::map<Region, int> met;
    std::mt19937_64 random(5);
    const std::uint64_t contents = whole->saved.layers()[0].digest_offset;
    for (int trial = 0; trial < 800; ++trial) {
        // The contents are a small part of the file.
        const std::uint64_t at = random() % (trial % 2 == 0 ? contents : good.size());
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
        folder_.write("bad", bad);
        const Region region = map.region(at);
        ++met[region];
        const auto file = SavedKvFile::open(folder_.path("bad"));
        if (region == Region::contents) {
            ASSERT_FALSE(file.ok()) << at;
            ASSERT_EQ(file.error().kind, Error::Kind::bad_input);
            ASSERT_THAT(file.error().message(), HasSubstr("bad: "));
            continue;
        }
        ASSERT_TRUE(file.ok()) << at << ": " << file.error().message();
        const bool digests = (*file)->saved.digests(0).ok() && (*file)->saved.digests(2).ok();
        ASSERT_EQ(digests, region != Region::digests) << at;
        KvStore store = KvStore::make(test::saved_shape(ValueType::f16, 300)).value();
        const Status loaded = store.load(*file, tokens, pool_);
        // Pages of a window are copied, and the last ones are written on: both at once.
        const std::int64_t last = tokens / 16;
        Status used = loaded;
        for (const int layer : {0, 2}) {
            if (loaded.ok()) used = used.ok() ? store.verify(layer, tokens, pool_) : used;
        }
        if (region == Region::window) {
            ASSERT_FALSE(loaded.ok());
        }
        ASSERT_EQ(used.ok(), region == Region::digests || region == Region::padding) << at;
        if (region != Region::page) continue;
        ASSERT_THAT(used.error().message(), HasSubstr("page ")) << at;
        if (!loaded.ok()) {
            ASSERT_THAT(used.error().message(), HasSubstr(fmt::format("page {} of", last)));
            continue;
        }
        // Of all pieces the one that holds the byte, and no other, is refused.
        int refused = 0;
        for (const int layer : {0, 2}) {
            for (std::int64_t page = 0; page < kv::page_count(tokens, 16); ++page) {
                for (int head = 0; head < 2; ++head) {
                    if (store.usable(layer, page, head)) continue;
                    ++refused;
                    const std::uint64_t offset = (*file)->saved.piece_offset(layer, page, head);
                    ASSERT_GE(at, offset);
                    ASSERT_LT(at - offset, store.shape().page_bytes());
                }
            }
        }
        ASSERT_EQ(refused, 1);
        ASSERT_EQ(store.take_failure().error().message(), used.error().message());
    }
    for (const Region region :
         {Region::contents, Region::padding, Region::digests, Region::window, Region::page}) {
        EXPECT_GT(met[region], 2) << static_cast<int>(region);
    }
}

TEST_F(SavedKvTest, a_file_that_is_cut_or_longer_is_refused) {
    ASSERT_TRUE(SavedStore::make(ValueType::f16, 40).save(folder_.path("s"), pool_).ok());
    const std::string good = folder_.read("s");
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{127},
          std::size_t{128}, std::size_t{5000}, good.size() - 1}) {
        folder_.write("bad", good.substr(0, length));
        EXPECT_FALSE(SavedKvFile::open(folder_.path("bad")).ok()) << length;
    }
    folder_.write("bad", good + '\0');
    const auto longer = SavedKvFile::open(folder_.path("bad"));
    ASSERT_FALSE(longer.ok());
    EXPECT_THAT(longer.error().message(), HasSubstr("it is not whole"));
}

TEST_F(SavedKvTest, a_file_of_another_version_is_refused_with_both_numbers) {
    ASSERT_TRUE(SavedStore::make(ValueType::f16, 40).save(folder_.path("s"), pool_).ok());
    std::string other = folder_.read("s");
    other[8] = 2;
    const auto parsed = SavedKv::parse(bytes_of(other), "s");
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().message(), "s: has version 2 of the format; this program reads 1");
}

// A header with a right checksum may say anything.
TEST_F(SavedKvTest, impossible_counts_are_refused_without_taking_memory) {
    ASSERT_TRUE(SavedStore::make(ValueType::f16, 40).save(folder_.path("s"), pool_).ok());
    const std::string good = folder_.read("s");
    const auto refused = [&](auto change) {
        std::string bad = good;
        SavedKvHeader header;
        std::memcpy(&header, bad.data(), sizeof header);
        change(header);
        header.header_crc = header_crc(header);
        std::memcpy(bad.data(), &header, sizeof header);
        const auto parsed = SavedKv::parse(bytes_of(bad), "s");
        ASSERT_FALSE(parsed.ok());
        EXPECT_THAT(parsed.error().message(),
                    testing::AnyOf(HasSubstr("impossible"), HasSubstr("contradicts"),
                                   HasSubstr("not whole")));
    };
    refused([](SavedKvHeader& h) { h.tokens = 0; });
    refused([](SavedKvHeader& h) { h.tokens = UINT64_MAX; });
    refused([](SavedKvHeader& h) { h.tokens = 1U << 30; });
    refused([](SavedKvHeader& h) { h.tokens = 100; });
    refused([](SavedKvHeader& h) { h.layers = 0; });
    refused([](SavedKvHeader& h) { h.layers = UINT32_MAX; });
    refused([](SavedKvHeader& h) { h.layers = 65536; });
    refused([](SavedKvHeader& h) { h.layers = 2; });
    refused([](SavedKvHeader& h) { h.kv_heads = 0; });
    refused([](SavedKvHeader& h) { h.kv_heads = 1U << 31; });
    refused([](SavedKvHeader& h) { h.kv_heads = 3; });
    refused([](SavedKvHeader& h) { h.head_dim = 0; });
    refused([](SavedKvHeader& h) { h.head_dim = UINT32_MAX; });
    refused([](SavedKvHeader& h) { h.page_tokens = 24; });
    refused([](SavedKvHeader& h) { h.page_tokens = 0; });
    refused([](SavedKvHeader& h) { h.page_tokens = 8192; });
    refused([](SavedKvHeader& h) { h.value_type = 3; });
    refused([](SavedKvHeader& h) { h.digest_kind = 4; });
    refused([](SavedKvHeader& h) { h.digest_type = 2; });
    refused([](SavedKvHeader& h) { h.piece_bytes += 64; });
    refused([](SavedKvHeader& h) { h.file_bytes += 65536; });
    refused([](SavedKvHeader& h) { h.reserved[10] = 1; });
}

TEST_F(SavedKvTest, another_model_or_shape_is_refused_with_both_values) {
    ASSERT_TRUE(SavedStore::make(ValueType::f16, 40).save(folder_.path("s"), pool_).ok());
    const auto file = open();
    const auto message = [&](const KvShape& shape, std::uint64_t fingerprint = 0x1234) {
        const Status status = check_saved_kv(file->saved, shape, fingerprint, "m.gguf");
        return status.ok() ? std::string() : status.error().message();
    };
    const KvShape good = test::saved_shape(ValueType::f16, 90);
    EXPECT_EQ(message(good), "");
    EXPECT_THAT(
        message(good, 0x99),
        HasSubstr("was saved by another model: its fingerprint is 0000000000001234, that of "
                  "m.gguf 0000000000000099"));
    EXPECT_THAT(message(test::saved_shape(ValueType::int8, 90)),
                HasSubstr("was saved with --kv-type f16, this run has int8"));
    EXPECT_THAT(message(test::saved_shape(ValueType::f16, 90, 64)),
                HasSubstr("was saved with --page-size 16, this run has 64"));
    KvShape other = good;
    other.kv_heads = 4;
    EXPECT_THAT(message(other), HasSubstr("KV heads 2, this run has 4"));
    other = good;
    other.head_dim = 32;
    EXPECT_THAT(message(other), HasSubstr("a head dimension of 24, this run has 32"));
    other = good;
    other.kept_tokens.push_back(0);
    EXPECT_THAT(message(other), HasSubstr("a number of layers of 3, this run has 4"));
    other = good;
    other.kept_tokens[1] = 80;
    EXPECT_THAT(message(other), HasSubstr("keeps 70 tokens of layer 1, this run 80"));
}

TEST_F(SavedKvTest, a_prompt_goes_on_after_what_it_shares_with_the_saved_tokens) {
    ASSERT_TRUE(SavedStore::make(ValueType::f16, 400).save(folder_.path("s"), pool_).ok());
    const auto file = open();
    constexpr std::int64_t window = 70 - 16;
    std::vector<std::int32_t> prompt = test::some_ids(400);
    const auto point = [&] { return resume_point(file->saved, prompt, window); };
    EXPECT_EQ(point().value(), 399);
    prompt.push_back(5);
    EXPECT_EQ(point().value(), 400);
    prompt.push_back(5);
    EXPECT_EQ(point().value(), 400);
    prompt[395] = 7;
    EXPECT_EQ(point().value(), 395);
    prompt[200] = 7;
    const auto gone = point();
    ASSERT_FALSE(gone.ok());
    // 25 pages, of which the window keeps the last 6: from token 304 on.
    EXPECT_THAT(gone.error().message(),
                HasSubstr("begins with 200; layers whose window slides hold tokens from 304 on, "
                          "enough to go on after 357 or more"));
    prompt[0] = 9;
    EXPECT_THAT(point().error().message(), HasSubstr("begins with none of them: token 0 is 0 there "
                                                     "and 9 in the prompt"));
    prompt = {0};
    EXPECT_THAT(point().error().message(), HasSubstr("a prompt of one token"));
    prompt.clear();
    EXPECT_FALSE(point().ok());
}

TEST_F(SavedKvTest, a_page_is_verified_at_its_first_touch_and_not_again) {
    ASSERT_TRUE(SavedStore::make(ValueType::f16, 100).save(folder_.path("s"), pool_).ok());
    KvStore store = KvStore::make(test::saved_shape(ValueType::f16, 300)).value();
    ASSERT_TRUE(store.load(open(), 100, pool_).ok());
    const SavedPages& pages = *store.saved_pages();
    // The page that goes on being written has been verified, and those after it are nobody's.
    EXPECT_FALSE(pages.verified(0, 5, 1));
    EXPECT_TRUE(pages.verified(0, 6, 1));
    EXPECT_TRUE(pages.verified(0, 7, 0));
    EXPECT_TRUE(pages.verified(1, 5, 1));
    EXPECT_TRUE(store.usable(0, 5, 1));
    EXPECT_TRUE(pages.verified(0, 5, 1));
    EXPECT_FALSE(pages.verified(0, 5, 0));
    EXPECT_FALSE(pages.verified(2, 5, 1));
    // Tokens 64 to 79 anew: their page is no longer the file's.
    ASSERT_TRUE(store.prepare_write(64, 1).ok());
    EXPECT_TRUE(pages.verified(0, 4, 0));
    EXPECT_FALSE(pages.verified(0, 5, 0));
    EXPECT_FALSE(pages.verified(0, 3, 0));
}

TEST_F(SavedKvTest, a_damaged_page_is_not_saved_as_a_good_one) {
    const SavedStore made = SavedStore::make(ValueType::f16, 100);
    ASSERT_TRUE(made.save(folder_.path("s"), pool_).ok());
    std::string bad = folder_.read("s");
    bad[open()->saved.piece_offset(2, 3, 1) + 11] ^= 4;
    folder_.write("bad", bad);
    KvStore store = KvStore::make(test::saved_shape(ValueType::f16, 100)).value();
    ASSERT_TRUE(store.load(open("bad"), 100, pool_).ok());
    const auto again = write_saved_kv({1, made.ids, &store, nullptr}, folder_.path("t"), pool_);
    ASSERT_FALSE(again.ok());
    EXPECT_THAT(again.error().message(), HasSubstr("page 3 of layer 2, KV head 1"));
    EXPECT_THAT(folder_.names(), testing::ElementsAre("bad", "s"));
}

TEST_F(SavedKvTest, a_kill_while_saving_leaves_the_old_sequence_or_the_new_one) {
    const SavedStore a = SavedStore::make(ValueType::f16, 300, 1);
    const SavedStore b = SavedStore::make(ValueType::f16, 310, 2);
    ASSERT_TRUE(a.save(folder_.path("s"), pool_).ok());
    std::mt19937 random(9);
    for (int kill = 0; kill < 10; ++kill) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            ThreadPool own(1);
            for (;;) {
                if (!b.save(folder_.path("s"), own).ok()) std::_Exit(1);
                if (!a.save(folder_.path("s"), own).ok()) std::_Exit(1);
            }
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 30000));
        ::kill(pid, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        ASSERT_TRUE(WIFSIGNALED(status));
        const auto file = open();
        const std::int64_t tokens = file->saved.contents().tokens();
        const SavedStore& want = tokens == 300 ? a : b;
        KvStore store = KvStore::make(test::saved_shape(ValueType::f16, 400)).value();
        ASSERT_TRUE(store.load(file, tokens, pool_).ok());
        for (const int layer : {0, 2}) {
            ASSERT_TRUE(store.verify(layer, tokens, pool_).ok());
            ASSERT_TRUE(file->saved.digests(layer).ok());
            ASSERT_TRUE(same_piece(store, want.store, layer, 5, 1));
        }
    }
    ASSERT_TRUE(b.save(folder_.path("s"), pool_).ok());
    EXPECT_THAT(folder_.names(), testing::ElementsAre("s"));
}

}  // namespace
}  // namespace memside::engine
