// Decoding with pages in a file: the same numbers as with all of them in memory, bit for bit.
#include <rapidcheck/gtest.h>

#include <cstring>
#include <map>
#include <stdexcept>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/faulty_reader.h"
#include "engine/random_model.h"

namespace memside::engine {
namespace {

using test::RandomModel;

constexpr std::size_t prompt = 125;
constexpr std::size_t total = 150;

std::vector<TokenId> some_tokens(std::size_t count, std::size_t salt = 0) {
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < count; ++i) {
        tokens.push_back(static_cast<TokenId>((i * i * 7 + i * 3 + 1 + salt * (i + 5)) % 64));
    }
    return tokens;
}

// One file for all tests of a model.
const ModelFile& model_of(const std::string& architecture) {
    static TempFolder folder;
    static std::map<std::string, std::unique_ptr<ModelFile>> models;
    std::unique_ptr<ModelFile>& model = models[architecture];
    if (model == nullptr) {
        RandomModel random;
        random.shape.architecture = architecture;
        random.shape.vocab = 64;
        // Of gemma3 every sixth keeps all tokens.
        random.shape.layers = architecture == "gemma3" ? 7 : 3;
        random.sliding_window = architecture == "gemma3" ? 32 : 0;
        test::build(random);
        model = std::make_unique<ModelFile>(
            open_model(folder.write(architecture + ".gguf", random.file)).value());
    }
    return *model;
}

KvPolicy policy_of(std::string_view name, std::int64_t budget_tokens, int dense_layers = 0) {
    KvPolicy policy;
    policy.variant = &kv_policy_variant(name);
    policy.selection.budget_tokens = budget_tokens;
    policy.selection.pinned = {1, 1};
    policy.dense_layers = dense_layers;
    return policy;
}

DecoderOptions options_of(const KvPolicy& policy) {
    DecoderOptions options;
    options.capacity_tokens = static_cast<std::int64_t>(total);
    options.page_tokens = 16;
    options.threads = 2;
    options.policy = policy;
    return options;
}

std::unique_ptr<Decoder> make(const ModelFile& model, const DecoderOptions& options) {
    auto made = Decoder::make(model, options);
    if (!made.ok()) throw std::runtime_error(made.error().message());
    return std::move(made).value();
}

using Rows = std::vector<std::vector<float>>;

void feed(Decoder& decoder, std::span<const TokenId> tokens, Rows& rows) {
    const std::span<const float> row = decoder.feed(tokens).value();
    rows.emplace_back(row.begin(), row.end());
}

// Bits, so that what is no number is compared too.
bool same_bits(const Rows& a, const Rows& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0) return false;
    }
    return true;
}

// A prompt, steps, a rewind into a page that has long been written, and steps again.
Rows logits(Decoder& decoder, std::int64_t cut) {
    const std::vector<TokenId> tokens = some_tokens(total);
    const std::vector<TokenId> others = some_tokens(total, 3);
    Rows rows;
    feed(decoder, std::span(tokens).first(prompt), rows);
    for (std::size_t t = prompt; t < total; ++t) feed(decoder, std::span(&tokens[t], 1), rows);
    decoder.truncate(cut);
    const auto from = static_cast<std::size_t>(cut);
    const std::size_t until = std::min(total, from + 90);
    feed(decoder, std::span(others).subspan(from, std::min<std::size_t>(70, until - from)), rows);
    for (std::size_t t = from + 70; t < until; ++t) feed(decoder, std::span(&others[t], 1), rows);
    return rows;
}

// The smallest pool that is not refused.
std::int64_t smallest_pool(const ModelFile& model, DecoderOptions options) {
    for (options.tier.pool_bytes = 4096;; options.tier.pool_bytes += 4096) {
        const auto made = Decoder::make(model, options);
        if (made.ok()) return options.tier.pool_bytes;
        EXPECT_THAT(made.error().message(), testing::HasSubstr("--kv-pool"));
        if (testing::Test::HasFailure()) return 0;
    }
}

RC_GTEST_PROP(DecoderTier, a_file_gives_the_logits_of_memory_bit_for_bit, ()) {
    const TempFolder folder;
    const ModelFile& model = model_of(*rc::gen::arbitrary<bool>() ? "llama" : "gemma3");
    DecoderOptions options = options_of(policy_of("dense", 64, *rc::gen::inRange(0, 2)));
    const auto policies = kv_policy_variants();
    options.policy.variant = &policies[*rc::gen::inRange<std::size_t>(0, policies.size())];
    options.page_tokens = *rc::gen::element<std::int64_t>(16, 32);
    options.kv_type =
        *rc::gen::element(kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8);
    options.policy.selection.select_per =
        *rc::gen::element(kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head);
    options.policy.reselect_steps = *rc::gen::inRange(1, 3);
    options.threads = *rc::gen::inRange(1U, 4U);
    const auto cut = *rc::gen::inRange<std::int64_t>(1, static_cast<std::int64_t>(total));
    const auto in_memory = make(model, options);
    const Rows want = logits(*in_memory, cut);

    options.tier.folder = folder.path("");
    options.tier.write_bytes = 1;
    const auto readers = file_reader_variants();
    options.tier.reader = &readers[*rc::gen::inRange<std::size_t>(0, readers.size())];
    options.tier.read_ahead = *rc::gen::arbitrary<bool>();
    // From as little as a step needs to so much that few pages lie in the file.
    options.tier.pool_bytes =
        smallest_pool(model, options) + *rc::gen::inRange<std::int64_t>(0, 12) * 8192;
    const auto in_file = make(model, options);
    RC_ASSERT(same_bits(logits(*in_file, cut), want));
    // Of a short sequence a large pool may hold everything.
    const PageStream* stream = in_file->store().stream();
    const bool read = stream != nullptr && stream->counts().reads > 0;
    RC_PRE(read);
}

DecoderOptions filed(const ModelFile& model, std::string_view policy, const TempFolder& folder) {
    DecoderOptions options = options_of(policy_of(policy, 64));
    options.tier.folder = folder.path("");
    options.tier.write_bytes = 1;
    options.tier.pool_bytes = smallest_pool(model, options);
    return options;
}

// Feeds tokens as logits() does, again and again from where a feed has failed.
Rows stubborn_logits(Decoder& decoder, std::vector<std::string>& errors) {
    const std::vector<TokenId> tokens = some_tokens(total);
    Rows rows;
    while (decoder.length() < static_cast<std::int64_t>(total)) {
        const auto from = static_cast<std::size_t>(decoder.length());
        const std::size_t count = from < prompt ? prompt - from : 1;
        const auto row = decoder.feed(std::span(tokens).subspan(from, count));
        if (row.ok()) {
            rows.emplace_back(row->begin(), row->end());
        } else {
            errors.push_back(row.error().message());
        }
        if (errors.size() > 1000) break;
    }
    return rows;
}

TEST(DecoderTier, a_step_that_cannot_read_a_page_fails_and_the_same_step_works_once_it_can) {
    const ModelFile& model = model_of("llama");
    for (const char* policy : {"dense", "pnm-kv", "png-kv", "recall"}) {
        const TempFolder folder;
        std::vector<std::string> errors;
        const Rows want = stubborn_logits(*make(model, options_of(policy_of(policy, 64))), errors);
        ASSERT_TRUE(errors.empty());
        DecoderOptions options = filed(model, policy, folder);
        // A read in thirty, wherever it falls: the next attempt has other luck.
        const FileReaderVariant faulty =
            test::faulty_variant([](std::int64_t number, const FileRead&) -> std::int64_t {
                return number * 7919 % 1009 < 33 ? -EIO : 0;
            });
        options.tier.reader = &faulty;
        const Rows got = stubborn_logits(*make(model, options), errors);
        EXPECT_TRUE(same_bits(got, want)) << policy;
        ASSERT_FALSE(errors.empty()) << policy;
        for (const std::string& error : errors) {
            EXPECT_THAT(error,
                        testing::MatchesRegex(
                            "file of keys and values in '.*': cannot read layer [0-9]+, page "
                            "[0-9]+, KV head [0-9]+: Input/output error"));
        }
    }
}

TEST(DecoderTier, a_random_fill_is_that_of_memory) {
    const ModelFile& model = model_of("gemma3");
    for (const char* policy : {"dense", "pnm-kv", "recall"}) {
        const TempFolder folder;
        Rows rows[2];
        int side = 0;
        for (const DecoderOptions& options :
             {options_of(policy_of(policy, 64)), filed(model, policy, folder)}) {
            const auto decoder = make(model, options);
            ASSERT_EQ(decoder->store().stream() != nullptr, side == 1);
            std::int64_t heard = 0;
            ASSERT_TRUE(decoder->fill_random(prompt, 5, [&](std::int64_t n) { heard = n; }).ok());
            EXPECT_EQ(heard, static_cast<std::int64_t>(prompt));
            for (const TokenId token : some_tokens(20)) {
                feed(*decoder, std::span(&token, 1), rows[side]);
            }
            ++side;
        }
        EXPECT_TRUE(same_bits(rows[0], rows[1])) << policy;
    }
}

TEST(DecoderTier, memory_stays_within_the_pool_and_the_pages_being_written) {
    const ModelFile& model = model_of("llama");
    for (const char* policy : {"dense", "pnm-kv", "png-kv", "recall"}) {
        const TempFolder folder;
        DecoderOptions options = filed(model, policy, folder);
        options.tier.pool_bytes += 40960;
        const auto decoder = make(model, options);
        const KvShape& shape = decoder->store().shape();
        std::int64_t open = 0;
        for (std::size_t layer = 0; layer < shape.kept_tokens.size(); ++layer) {
            open += decoder->store().open_pages(static_cast<int>(layer)) * shape.whole_bytes();
        }
        EXPECT_LE(decoder->memory().memory_bytes, options.tier.pool_bytes + open) << policy;
        // A block of a prompt, 96 tokens, and one page more for where it begins.
        EXPECT_EQ(open, 3 * (96 / 16 + 1) * shape.whole_bytes());
    }
}

TEST(DecoderTier, bytes_found_in_memory_and_in_the_file_are_those_attended) {
    const ModelFile& model = model_of("llama");
    const TempFolder folder;
    DecoderOptions options = filed(model, "dense", folder);
    options.tier.read_ahead = false;
    const auto decoder = make(model, options);
    const std::vector<TokenId> tokens = some_tokens(total);
    ASSERT_TRUE(decoder->feed(std::span(tokens).first(144)).ok());
    decoder->reset_statistics();
    ASSERT_TRUE(decoder->feed(std::span(&tokens[144], 1)).ok());
    // Ten pages, the last of one token; the last seven are those of the ring.
    const KvShape& shape = decoder->store().shape();
    const StepStatistics step = decoder->statistics();
    EXPECT_EQ(step.kv_bytes(), 3 * 10 * shape.kv_heads * shape.page_bytes());
    EXPECT_EQ(step.kv_bytes_from_file(), 3 * 3 * shape.kv_heads * shape.page_bytes());
    EXPECT_EQ(step.stream.bytes, 3 * 3 * shape.whole_bytes());
    EXPECT_EQ(step.stream.reads, 3 * 3);
    EXPECT_EQ(step.stream.ahead, 0);
}

TEST(DecoderTier, all_that_dense_layers_read_ahead_is_wanted) {
    const ModelFile& model = model_of("gemma3");
    const TempFolder folder;
    DecoderOptions options = filed(model, "dense", folder);
    options.tier.reader = &file_reader_variants()[1];
    const auto decoder = make(model, options);
    const std::vector<TokenId> tokens = some_tokens(total);
    ASSERT_TRUE(decoder->feed(std::span(tokens).first(prompt)).ok());
    for (std::size_t t = prompt; t < prompt + 3; ++t) {
        ASSERT_TRUE(decoder->feed(std::span(&tokens[t], 1)).ok());
    }
    const StreamCounts& counts = decoder->store().stream()->counts();
    EXPECT_GT(counts.ahead, 0);
    // The step after the last one has not asked yet.
    EXPECT_LE(counts.ahead - counts.ahead_wanted, options.tier.pool_bytes / 4096);
    EXPECT_GE(counts.ahead_wanted, 3);
}

}  // namespace
}  // namespace memside::engine
