// Decoding with pages in a file: the same numbers as with all of them in memory, bit for bit.
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/random_model.h"

namespace memside::engine {
namespace {

using test::RandomModel;

constexpr std::size_t prompt = 200;
constexpr std::size_t total = 230;

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
        random.shape.layers = 3;
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
    DecoderOptions options =
        options_of(policy_of("dense", 64, *rc::gen::inRange(0, 2)));
    const auto policies = kv_policy_variants();
    options.policy.variant = &policies[*rc::gen::inRange<std::size_t>(0, policies.size())];
    options.page_tokens = *rc::gen::element<std::int64_t>(16, 32);
    options.kv_type =
        *rc::gen::element(kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8);
    options.policy.selection.select_per = *rc::gen::element(
        kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head);
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
    const bool read = in_file->store().stream() != nullptr;
    RC_PRE(read);
    RC_ASSERT(in_file->store().stream()->counts().reads > 0);
}

}  // namespace
}  // namespace memside::engine
