// Of decoder.h: sequences that come from a file and go into one.
#include <cassert>
#include <mutex>

#include "engine/decoder.h"
#include "engine/saved_kv_file.h"
#include "engine/saved_kv_writer.h"

namespace memside::engine {
namespace {

bool same_digests(const DigestConfig& a, const DigestConfig& b) {
    return a.kind == b.kind && a.type == b.type && a.coefficient == b.coefficient;
}

}  // namespace

Result<bool> Decoder::load(std::shared_ptr<const SavedKvFile> file, std::int64_t tokens) {
    const SavedKv& saved = file->saved;
    truncate(0);
    MEMSIDE_CHECK(store_.load(file, tokens, pool_));
    length_ = tokens;
    if (selected_ == nullptr) return false;
    std::vector<int> stored;
    std::vector<int> missing;
    const bool same = same_digests(saved.contents().digests, selected_->digests().config());
    for (int layer = 0; layer < config_.spec.layers; ++layer) {
        if (!selected_->selects(layer)) continue;
        (same && saved.has_digests(layer) ? stored : missing).push_back(layer);
    }
    Status result;
    std::mutex failing;
    pool_.run(static_cast<std::int64_t>(stored.size()), [&](std::int64_t i) {
        const int layer = stored[static_cast<std::size_t>(i)];
        const auto digests = saved.digests(layer);
        if (digests.ok()) return selected_->restore(layer, tokens, *digests);
        const std::lock_guard lock(failing);
        result = digests.error();
    });
    MEMSIDE_CHECK(result);
    for (const int layer : missing) {
        MEMSIDE_CHECK(store_.verify(layer, tokens, pool_));
        MEMSIDE_CHECK(selected_->append(layer, 0, tokens));
    }
    return !missing.empty();
}

Status Decoder::verify(const std::function<void(std::int64_t)>& done) {
    for (int layer = 0; layer < config_.spec.layers; ++layer) {
        MEMSIDE_CHECK(store_.verify(layer, length_, pool_));
        if (done) done(layer + 1);
    }
    return {};
}

Result<std::int64_t> Decoder::save(std::span<const TokenId> tokens, std::uint64_t fingerprint,
                                   const std::string& path,
                                   const std::function<void(std::int64_t)>& saved) {
    assert(static_cast<std::int64_t>(tokens.size()) == length_);
    SavedSequence sequence{fingerprint, tokens, &store_, nullptr};
    if (selected_ != nullptr) sequence.digests = &selected_->digests();
    return write_saved_kv(sequence, path, pool_, saved);
}

}  // namespace memside::engine
