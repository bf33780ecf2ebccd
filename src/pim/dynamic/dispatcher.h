// The dispatcher on a module: the program in its instruction buffer, a configuration buffer with
// each request's token index, and a table of virtual to physical rows for each request. It advances
// the indices itself; the host acts only on a new request, a new chunk and a release, which are
// counted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "pim/dynamic/chunk_pool.h"
#include "pim/dynamic/expansion.h"

namespace memside::pim {

struct HostActions {
    std::uint64_t new_requests = 0;
    std::uint64_t new_chunks = 0;
    std::uint64_t releases = 0;

    std::uint64_t total() const { return new_requests + new_chunks + releases; }
};

class Dispatcher {
  public:
    using RequestId = std::uint64_t;
    // The host's part of a new chunk: it zeroes rows [first_row, + chunk_rows).
    using NewChunk = std::function<void(std::uint32_t first_row, std::uint32_t chunk_rows)>;

    // The pool's chunks have the program's rows and lie outside of its other regions; bad_input
    // otherwise, or when the program is not valid. A region that two different layouts append to is
    // bad_input too. With a module, only its entries are carried out and given memory.
    // share: which of the modules that share a request's tokens it is; requests count them all.
    static Result<Dispatcher> create(DynamicProgram program, ChunkPool pool,
                                     NewChunk on_new_chunk = {},
                                     std::optional<std::uint32_t> module = {},
                                     std::uint32_t share = 0);

    // A new request with `tokens` tokens in its caches (0 and more): chunks for these, zeroed, in
    // all regions that the program appends to. infeasible when the pool has too few; nothing has
    // changed then.
    Status admit(RequestId id, std::uint64_t tokens);
    // Chunks for `rows` virtual rows of a region that the program appends nothing to.
    Status reserve(RequestId id, std::uint32_t region, std::uint32_t rows);
    Status release(RequestId id);

    // One decode step: expands all entries (of the module) for the request's tokens and the new
    // one, allocates the chunk that this one needs, and advances the token index. infeasible when
    // no chunk is free: then nothing was sent.
    Status step(RequestId id, Sink& sink);
    // One entry as step() does, without advancing; and the advance, when modules that exchange in
    // between have all carried out theirs.
    Status expand(RequestId id, std::size_t entry, Sink& sink);
    Status advance(RequestId id);

    // Of an admitted request: its token index, and its rows of a region.
    std::uint64_t tokens(RequestId id) const { return requests_.at(id).tokens; }
    const RowTable& table(RequestId id, std::uint32_t region) const {
        return requests_.at(id).tables[region];
    }
    // Of a region that the program appends to.
    const std::optional<KvLayout>& layout(std::uint32_t region) const { return layouts_[region]; }
    // Rows that `tokens` tokens of this module take; nothing where neither the program's appends
    // nor the region say so.
    std::optional<std::uint32_t> rows(std::uint32_t region, std::uint64_t tokens) const;

    const DynamicProgram& program() const { return *program_; }
    const ChunkPool& pool() const { return pool_; }
    const HostActions& host_actions() const { return actions_; }
    std::size_t requests() const { return requests_.size(); }

    // What the buffers on the module hold now: the program's binary form, 16 bytes per request (id
    // and token index), 4 bytes per chunk of a table.
    std::uint64_t buffer_bytes() const;

  private:
    struct Request {
        std::uint64_t tokens = 0;
        std::vector<RowTable> tables;  // by region
    };

    Dispatcher(DynamicProgram program, ChunkPool pool, NewChunk on_new_chunk,
               std::optional<std::uint32_t> module, std::uint32_t share);
    bool carries_out(const ExecutionEntry& entry) const {
        return !module_ || entry.module == *module_;
    }

    Status find_layouts();
    Result<Request*> find(RequestId id);
    Status grow_to(Request& request, std::uint64_t tokens);
    void grow(Request& request, std::uint32_t region, std::size_t chunks);
    std::size_t lacking(const Request& request, std::uint32_t region, std::uint32_t rows) const;

    // On the heap, so that the expander's pointer stays when the dispatcher moves.
    std::unique_ptr<const DynamicProgram> program_;
    Expander expander_;
    std::uint64_t program_bytes_ = 0;
    ChunkPool pool_;
    NewChunk on_new_chunk_;
    std::optional<std::uint32_t> module_;
    std::vector<std::optional<KvLayout>> layouts_;  // by region
    std::map<RequestId, Request> requests_;
    HostActions actions_;
};

// All whole chunks of a module that keep clear of the program's other regions; the lowest is taken
// first.
ChunkPool free_chunks(const DynamicProgram& program);

}  // namespace memside::pim
