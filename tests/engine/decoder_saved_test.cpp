// Whole models that go on from a saved sequence.
#include <cmath>
#include <random>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/model_fingerprint.h"
#include "engine/random_model.h"
#include "engine/resume.h"
#include "engine/saved_kv_file.h"
#include "engine/saved_pages.h"

namespace memside::engine {
namespace {

using test::RandomModel;
using testing::HasSubstr;
using Logits = std::vector<float>;

constexpr std::int64_t total = 260;
constexpr std::int64_t cut = 200;

std::vector<TokenId> tokens_of(std::int64_t count) {
    std::vector<TokenId> tokens;
    for (std::int64_t i = 0; i < count; ++i) {
        tokens.push_back(static_cast<TokenId>((i * i * 7 + i * 3 + 1) % 64));
    }
    return tokens;
}

DecoderOptions options_of(std::string_view policy, std::int64_t budget = 64) {
    DecoderOptions options;
    options.capacity_tokens = total;
    options.page_tokens = 16;
    options.threads = 2;
    options.policy.variant = &kv_policy_variant(policy);
    options.policy.selection.budget_tokens = budget;
    options.policy.selection.pinned = {1, 1};
    options.policy.dense_layers = policy == "dense" ? 0 : 1;
    return options;
}

double difference(const Logits& a, const Logits& b) {
    double squares = 0.0;
    double differences = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        squares += static_cast<double>(b[i]) * static_cast<double>(b[i]);
        const double by = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        differences += by * by;
    }
    return std::sqrt(differences / squares);
}

class DecoderSavedTest : public testing::Test {
  protected:
    void open(const std::string& architecture, std::uint64_t seed = 1) {
        RandomModel model;
        model.shape.architecture = architecture;
        model.shape.vocab = 64;
        model.shape.layers = 3;
        model.sliding_window = architecture == "gemma3" ? 32 : 0;
        model.seed = seed;
        test::build(model);
        auto opened = open_model(folder_.write("model.gguf", model.file));
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        model_ = std::make_unique<ModelFile>(std::move(opened).value());
    }

    std::unique_ptr<Decoder> make(const DecoderOptions& options) {
        auto made = Decoder::make(*model_, options);
        EXPECT_TRUE(made.ok()) << made.error().message();
        return std::move(made).value();
    }

    // A prompt of 190 tokens and decode steps up to `cut`, saved.
    std::unique_ptr<Decoder> feed_and_save(const DecoderOptions& options) {
        auto decoder = make(options);
        const auto tokens = tokens_of(cut);
        const std::span<const TokenId> all(tokens);
        EXPECT_TRUE(decoder->feed(all.first(190)).ok());
        for (std::size_t t = 190; t < cut; ++t) EXPECT_TRUE(decoder->feed(all.subspan(t, 1)).ok());
        const auto saved = decoder->save(tokens, model_fingerprint(*model_), folder_.path("s"));
        EXPECT_TRUE(saved.ok()) << saved.error().message();
        return decoder;
    }

    std::shared_ptr<const SavedKvFile> saved(const std::string& name = "s") {
        auto file = SavedKvFile::open(folder_.path(name));
        EXPECT_TRUE(file.ok()) << file.error().message();
        return std::move(file).value();
    }

    // Logits of decode steps from the decoder's length up to `end`.
    static std::vector<Logits> steps(Decoder& decoder, std::int64_t end) {
        const auto tokens = tokens_of(end);
        std::vector<Logits> result;
        while (decoder.length() < end) {
            const auto at = static_cast<std::size_t>(decoder.length());
            const auto row = decoder.feed(std::span<const TokenId>(tokens).subspan(at, 1));
            EXPECT_TRUE(row.ok()) << row.error().message();
            result.emplace_back(row->begin(), row->end());
        }
        return result;
    }

    TempFolder folder_;
    std::unique_ptr<ModelFile> model_;
};

TEST_F(DecoderSavedTest, going_on_after_a_load_is_never_having_stopped) {
    for (const char* architecture : {"llama", "gemma3", "qwen3"}) {
        ASSERT_NO_FATAL_FAILURE(open(architecture));
        for (const std::string_view policy : {"dense", "pnm-kv", "png-kv", "recall"}) {
            for (const auto type : {kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8}) {
                DecoderOptions options = options_of(policy);
                options.kv_type = type;
                const auto stays = feed_and_save(options);
                // Memory that grew with the sequence, and a capacity of another size.
                options.capacity_tokens += 100;
                const auto comes = make(options);
                const auto rebuilt = comes->load(saved(), cut);
                ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().message();
                EXPECT_FALSE(*rebuilt);
                EXPECT_EQ(comes->length(), cut);
                const auto want = steps(*stays, total);
                const auto got = steps(*comes, total);
                ASSERT_EQ(got.size(), want.size());
                // What a pool holds decides in which order pages are summed.
                const bool exact = policy == "dense" || policy == "pnm-kv";
                for (std::size_t i = 0; i < want.size(); ++i) {
                    if (exact) {
                        ASSERT_EQ(got[i], want[i]) << architecture << ' ' << policy << ' ' << i;
                    } else {
                        ASSERT_LT(difference(got[i], want[i]), 1e-5) << policy << ' ' << i;
                    }
                }
            }
        }
    }
}

TEST_F(DecoderSavedTest, a_prompt_block_goes_on_after_a_load_too) {
    ASSERT_NO_FATAL_FAILURE(open("gemma3"));
    const auto stays = feed_and_save(options_of("pnm-kv"));
    const auto comes = make(options_of("pnm-kv"));
    ASSERT_TRUE(comes->load(saved(), cut).ok());
    const auto tokens = tokens_of(total);
    const auto rest = std::span<const TokenId>(tokens).subspan(cut, 40);
    const auto want = stays->feed(rest);
    const auto got = comes->feed(rest);
    ASSERT_TRUE(want.ok() && got.ok());
    EXPECT_TRUE(std::ranges::equal(*got, *want));
    EXPECT_EQ(steps(*comes, total), steps(*stays, total));
}

TEST_F(DecoderSavedTest, digests_that_were_saved_otherwise_are_made_again) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    // A prompt alone: decode steps under other digests would have other keys.
    const auto tokens = tokens_of(cut);
    const auto file_of = [&](const DecoderOptions& options) {
        const auto decoder = make(options);
        EXPECT_TRUE(decoder->feed(tokens).ok());
        EXPECT_TRUE(decoder->save(tokens, 1, folder_.path("s")).ok());
        return saved();
    };
    const auto dense_file = file_of(options_of("dense"));
    const auto minmax_file = file_of(options_of("pnm-kv"));
    DecoderOptions options = options_of("pnm-kv");
    options.policy.digest.kind = kv::DigestKind::centre_mad;
    options.policy.digest.type = kv::DigestType::int8;
    const auto stays = make(options);
    ASSERT_TRUE(stays->feed(tokens).ok());
    const auto want = steps(*stays, total);
    const auto comes = make(options);
    const auto rebuilt = comes->load(minmax_file, cut);
    ASSERT_TRUE(rebuilt.ok());
    EXPECT_TRUE(*rebuilt);
    EXPECT_TRUE(comes->store().saved_pages()->verified(1, 0, 0));
    EXPECT_TRUE(steps(*comes, total) == want);
    EXPECT_TRUE(make(options_of("pnm-kv"))->load(dense_file, cut).value());
    // A layer more than the file has digests of.
    DecoderOptions more = options_of("pnm-kv");
    more.policy.dense_layers = 0;
    const auto wider = make(more);
    EXPECT_TRUE(wider->load(minmax_file, cut).value());
    EXPECT_FALSE(make(options_of("dense"))->load(minmax_file, cut).value());
}

TEST_F(DecoderSavedTest, a_beginning_of_the_saved_tokens_is_a_sequence_too) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    ASSERT_TRUE(feed_and_save(options_of("pnm-kv")) != nullptr);
    for (const std::int64_t tokens : {1, 16, 100, 112, 189}) {
        // As it was when it had these tokens, whatever came after them.
        const auto want_from = make(options_of("pnm-kv"));
        const auto all = tokens_of(tokens);
        ASSERT_TRUE(want_from->feed(all).ok());
        const auto comes = make(options_of("pnm-kv"));
        ASSERT_TRUE(comes->load(saved(), tokens).ok());
        const auto want = steps(*want_from, tokens + 30);
        const auto got = steps(*comes, tokens + 30);
        for (std::size_t i = 0; i < want.size(); ++i) {
            ASSERT_LT(difference(got[i], want[i]), 1e-5) << tokens << ' ' << i;
        }
    }
}

TEST_F(DecoderSavedTest, a_rewind_after_a_load_writes_over_saved_pages) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    for (const std::string_view policy : {"dense", "pnm-kv", "recall"}) {
        const auto stays = feed_and_save(options_of(policy));
        const auto comes = make(options_of(policy));
        ASSERT_TRUE(comes->load(saved(), cut).ok());
        for (const std::int64_t back : {195, 130, 64}) {
            stays->truncate(back);
            comes->truncate(back);
            const auto want = steps(*stays, back + 40);
            const auto got = steps(*comes, back + 40);
            for (std::size_t i = 0; i < want.size(); ++i) {
                ASSERT_LT(difference(got[i], want[i]), 1e-5) << policy << back << ' ' << i;
            }
        }
    }
}

TEST_F(DecoderSavedTest, random_values_take_the_place_of_a_loaded_sequence) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    ASSERT_TRUE(feed_and_save(options_of("dense")) != nullptr);
    const auto comes = make(options_of("dense"));
    ASSERT_TRUE(comes->load(saved(), cut).ok());
    const auto fresh = make(options_of("dense"));
    ASSERT_TRUE(comes->fill_random(150, 3).ok());
    ASSERT_TRUE(fresh->fill_random(150, 3).ok());
    EXPECT_TRUE(steps(*comes, 170) == steps(*fresh, 170));
}

TEST_F(DecoderSavedTest, a_step_that_touches_a_damaged_page_fails_and_names_it) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    for (const std::string_view policy : {"dense", "pnm-kv", "png-kv", "recall"}) {
        ASSERT_TRUE(feed_and_save(options_of(policy)) != nullptr);
        std::string bad = folder_.read("s");
        bad[saved()->saved.piece_offset(0, 4, 1) + 5] ^= 1;
        folder_.write("bad", bad);
        const auto comes = make(options_of(policy));
        ASSERT_TRUE(comes->load(saved("bad"), cut).ok());
        const TokenId token = 3;
        const auto step = comes->feed(std::span(&token, 1));
        ASSERT_FALSE(step.ok()) << policy;
        EXPECT_THAT(step.error().message(), HasSubstr("page 4 of layer 0, KV head 1"));
        EXPECT_EQ(comes->length(), cut);
        const std::vector<TokenId> block(5, 3);
        EXPECT_FALSE(comes->feed(block).ok());
        const auto checked = make(options_of(policy));
        ASSERT_TRUE(checked->load(saved("bad"), cut).ok());
        EXPECT_THAT(checked->verify().error().message(), HasSubstr("page 4 of layer 0, KV head 1"));
    }
}

TEST_F(DecoderSavedTest, a_damaged_page_that_no_step_selects_changes_nothing) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const auto stays = feed_and_save(options_of("pnm-kv"));
    const auto comes = make(options_of("pnm-kv"));
    ASSERT_TRUE(comes->load(saved(), cut).ok());
    const auto want = steps(*comes, cut + 2);
    int unread = 0;
    for (std::int64_t page = 0; page < cut / 16; ++page) {
        const bool touched = comes->store().saved_pages()->verified(2, page, 0);
        std::string bad = folder_.read("s");
        bad[saved()->saved.piece_offset(2, page, 0) + 9] ^= 2;
        folder_.write("bad", bad);
        const auto again = make(options_of("pnm-kv"));
        ASSERT_TRUE(again->load(saved("bad"), cut).ok());
        if (touched) continue;
        ++unread;
        EXPECT_EQ(steps(*again, cut + 2), want) << page;
        EXPECT_FALSE(again->store().saved_pages()->verified(2, page, 0));
    }
    EXPECT_GT(unread, 0);
}

TEST_F(DecoderSavedTest, the_fingerprint_changes_with_any_byte_of_the_model) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const std::uint64_t fingerprint = model_fingerprint(*model_);
    EXPECT_EQ(model_fingerprint(*model_, 1), fingerprint);
    const std::string good = folder_.read("model.gguf");
    std::mt19937_64 random(1);
    for (int trial = 0; trial < 50; ++trial) {
        std::string other = good;
        // Data: any change of the header might make it none.
        const std::uint64_t data = model_->header.data_start;
        other[data + random() % (good.size() - data)] ^= static_cast<char>(1 << trial % 8);
        const auto changed = open_model(folder_.write("other.gguf", other));
        ASSERT_TRUE(changed.ok());
        EXPECT_NE(model_fingerprint(*changed), fingerprint);
    }
    ASSERT_NO_FATAL_FAILURE(open("llama", 2));
    EXPECT_NE(model_fingerprint(*model_), fingerprint);
}

}  // namespace
}  // namespace memside::engine
