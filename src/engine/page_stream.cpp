#include "engine/page_stream.h"

#include <cassert>
#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace memside::engine {

Result<std::unique_ptr<PageStream>> PageStream::make(const KvFile& file,
                                                     const FileReaderVariant* variant,
                                                     std::int64_t frame_bytes) {
    MEMSIDE_TRY(auto reader, variant == nullptr ? make_file_reader(file.descriptor())
                                                : variant->make(file.descriptor()));
    MEMSIDE_TRY(HugeMemory memory, HugeMemory::reserve(static_cast<std::size_t>(frame_bytes)));
    return std::unique_ptr<PageStream>(
        new PageStream(file, std::move(reader), std::move(memory), frame_bytes));
}

PageStream::PageStream(const KvFile& file, std::unique_ptr<FileReader> reader, HugeMemory memory,
                       std::int64_t frame_bytes)
    : file_(file),
      reader_(std::move(reader)),
      memory_(std::move(memory)),
      frame_bytes_(frame_bytes) {}

PageStream::~PageStream() {
    settle();
}

// Frames of another size: nothing may be in them.
void PageStream::divide(std::int64_t read_bytes) {
    forget();
    settle();
    read_bytes_ = read_bytes;
    free_.clear();
    for (std::int64_t i = frames(read_bytes); i-- > 0;) {
        free_.push_back(memory_.data() + i * read_bytes);
    }
}

// Adds a read to the batch.
std::size_t PageStream::start(std::int64_t offset, std::byte* to) {
    if (free_ids_.empty()) {
        free_ids_.push_back(arrivals_.size());
        arrivals_.emplace_back();
    }
    const std::size_t id = free_ids_.back();
    free_ids_.pop_back();
    Arrival& arrival = arrivals_[id];
    arrival = {};
    arrival.offset = offset;
    arrival.at = to;
    if (to == nullptr) {
        arrival.framed = true;
        arrival.at = free_.back();
        free_.pop_back();
    }
    batch_.push_back({id, offset, arrival.at, read_bytes_});
    ++under_way_;
    return id;
}

void PageStream::submit() {
    if (batch_.empty()) return;
    const Status begun = reader_ ? reader_->begin(batch_) : Status(*error_);
    batch_.clear();
    if (!begun.ok()) fail(begun.error());
}

// A reader that fails itself, not one of its reads: it goes, and with it what it has under way.
void PageStream::fail(Error error) {
    reader_.reset();
    under_way_ = 0;
    error_ = std::move(error);
}

void PageStream::issue() {
    const std::int64_t depth = reader_ ? reader_->depth() : 0;
    while (next_ < reads_.size() && under_way_ < depth) {
        const PageRead& read = reads_[next_];
        if (of_[next_] < 0) {
            if (read.to == nullptr && free_.empty()) break;
            of_[next_] = static_cast<std::int64_t>(start(read.offset, read.to));
        }
        ++next_;
    }
    submit();
}

void PageStream::drop(std::size_t id) {
    Arrival& arrival = arrivals_[id];
    if (!arrival.arrived) {
        arrival.unwanted = true;
        return;
    }
    if (arrival.framed) free_.push_back(arrival.at);
    free_ids_.push_back(id);
}

void PageStream::finish(std::size_t id, std::int64_t result) {
    Arrival& arrival = arrivals_[id];
    --under_way_;
    const bool again = result == -EINTR || result == -EAGAIN;
    if (result > 0) {
        arrival.done += result;
        counts_.bytes += result;
    }
    if (again || (result > 0 && arrival.done < read_bytes_)) {
        batch_.push_back({id, arrival.offset + arrival.done, arrival.at + arrival.done,
                          read_bytes_ - arrival.done});
        ++under_way_;
        return;
    }
    arrival.arrived = true;
    ++counts_.reads;
    arrival.failed = result <= 0;
    if (arrival.failed && !error_ && !arrival.unwanted && !arrival.ahead) {
        error_ =
            file_.failed("read", arrival.offset,
                         result < 0 ? std::string(std::strerror(static_cast<int>(-result)))
                                    : fmt::format("the file ends {} bytes into it", arrival.done));
    }
    file_.forget(arrival.offset, read_bytes_);
    if (arrival.unwanted) drop(id);
}

// Waits for reads to end.
void PageStream::collect() {
    ended_.clear();
    if (const Status waited = reader_->wait(ended_); !waited.ok()) return fail(waited.error());
    for (const FileReadEnd& end : ended_) finish(end.id, end.result);
    submit();
}

// Nothing is under way any more.
void PageStream::settle() {
    while (under_way_ > 0) collect();
}

void PageStream::begin(std::vector<PageRead> reads, std::int64_t read_bytes) {
    assert(reads_.empty());
    if (read_bytes != read_bytes_) divide(read_bytes);
    reads_ = std::move(reads);
    of_.assign(reads_.size(), -1);
    next_ = arrived_ = released_ = 0;
    for (std::size_t i = 0; i < reads_.size() && !ahead_.empty(); ++i) {
        const auto found = ahead_.find(reads_[i].offset);
        // A read into a place of its own is made there, not copied from a frame.
        if (reads_[i].to != nullptr || found == ahead_.end()) continue;
        Arrival& arrival = arrivals_[found->second];
        // One that could not be read ahead is read again: the pass hears why.
        if (arrival.failed) continue;
        arrival.ahead = false;
        of_[i] = static_cast<std::int64_t>(found->second);
        ahead_.erase(found);
        ++counts_.ahead_wanted;
    }
    forget();
    issue();
}

Status PageStream::arrive(std::int64_t wave) {
    const double start = seconds_now();
    while (!error_) {
        while (arrived_ < next_ && reads_[arrived_].wave <= wave &&
               arrivals_[static_cast<std::size_t>(of_[arrived_])].arrived) {
            ++arrived_;
        }
        if (arrived_ == reads_.size() || reads_[arrived_].wave > wave) break;
        // Frames that were read ahead for later waves may be the last ones, but never all of them.
        assert(under_way_ > 0);
        collect();
        issue();
    }
    counts_.wait_s += seconds_now() - start;
    if (!error_) return {};
    settle();
    const Error error = *error_;
    end();
    forget();
    if (reader_) error_.reset();
    return error;
}

void PageStream::release(std::int64_t wave) {
    for (; released_ < reads_.size() && reads_[released_].wave <= wave; ++released_) {
        drop(static_cast<std::size_t>(of_[released_]));
    }
    issue();
}

void PageStream::end() {
    for (; released_ < reads_.size(); ++released_) {
        if (of_[released_] >= 0) drop(static_cast<std::size_t>(of_[released_]));
    }
    reads_.clear();
    of_.clear();
    next_ = arrived_ = released_ = 0;
}

void PageStream::read_ahead(std::span<const std::int64_t> offsets, std::int64_t read_bytes) {
    assert(reads_.empty());
    if (!reader_) return;
    if (read_bytes != read_bytes_) divide(read_bytes);
    forget();
    const std::int64_t most = std::min(frames(read_bytes) / 2, reader_->depth() - under_way_);
    for (const std::int64_t offset : offsets) {
        if (static_cast<std::int64_t>(ahead_.size()) >= most || free_.empty()) break;
        if (ahead_.contains(offset)) continue;
        const std::size_t id = start(offset, nullptr);
        arrivals_[id].ahead = true;
        ahead_.emplace(offset, id);
        ++counts_.ahead;
    }
    submit();
}

void PageStream::forget() {
    for (const auto& [offset, id] : ahead_) drop(id);
    ahead_.clear();
}

}  // namespace memside::engine
