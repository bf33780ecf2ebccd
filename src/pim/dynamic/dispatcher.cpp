#include "pim/dynamic/dispatcher.h"

#include "base/text.h"
#include "pim/dynamic/append.h"
#include "pim/dynamic/dynamic_binary.h"

namespace memside::pim {
namespace {

bool same_layout(const KvLayout& a, const KvLayout& b) {
    return a.kind == b.kind && a.head_dim == b.head_dim && a.ways == b.ways && a.heads == b.heads;
}

}  // namespace

ChunkPool free_chunks(const DynamicProgram& program) {
    std::vector<const Region*> fixed;
    for (const Region& region : program.regions) {
        if (!region.per_request) fixed.push_back(&region);
    }
    std::sort(fixed.begin(), fixed.end(),
              [](const Region* a, const Region* b) { return a->first_row < b->first_row; });
    std::vector<std::uint32_t> first_rows;
    std::uint32_t row = 0;
    const auto fill = [&](std::uint32_t end) {
        for (; row + program.chunk_rows <= end; row += program.chunk_rows) {
            first_rows.push_back(row);
        }
    };
    for (const Region* region : fixed) {
        fill(region->first_row);
        row = std::max(row, region->first_row + region->rows);
    }
    fill(rows_per_bank);
    std::reverse(first_rows.begin(), first_rows.end());
    return {std::move(first_rows), program.chunk_rows};
}

Dispatcher::Dispatcher(DynamicProgram program, ChunkPool pool, NewChunk on_new_chunk,
                       std::optional<std::uint32_t> module, std::uint32_t share)
    : program_(std::make_unique<const DynamicProgram>(std::move(program))),
      expander_(*program_, share),
      pool_(std::move(pool)),
      on_new_chunk_(std::move(on_new_chunk)),
      module_(module),
      layouts_(program_->regions.size()) {}

Result<Dispatcher> Dispatcher::create(DynamicProgram program, ChunkPool pool, NewChunk on_new_chunk,
                                      std::optional<std::uint32_t> module, std::uint32_t share) {
    MEMSIDE_CHECK(validate(program, "the program"));
    if (share >= program.share.modules) {
        return bad_input("", fmt::format("part {} of a request's tokens; the program has {}", share,
                                         program.share.modules));
    }
    if (pool.chunk_rows() != program.chunk_rows) {
        return bad_input("", fmt::format("chunks of {} rows for a program with chunks of {}",
                                         pool.chunk_rows(), program.chunk_rows));
    }
    if (pool.overlaps() || pool.touches(rows_per_bank, UINT32_MAX - rows_per_bank)) {
        return bad_input("", fmt::format("chunks overlap or lie beyond row {}", rows_per_bank - 1));
    }
    for (const Region& region : program.regions) {
        if (region.per_request || !pool.touches(region.first_row, region.rows)) continue;
        return bad_input("",
                         fmt::format("chunks share rows with region {}", in_quotes(region.name)));
    }
    Dispatcher dispatcher(std::move(program), std::move(pool), std::move(on_new_chunk), module,
                          share);
    MEMSIDE_CHECK(dispatcher.find_layouts());
    dispatcher.program_bytes_ = to_binary(*dispatcher.program_).size();
    return dispatcher;
}

// The program says by its appends how rows follow from tokens.
Status Dispatcher::find_layouts() {
    for (const ExecutionEntry& entry : program_->entries) {
        if (!carries_out(entry)) continue;
        for (std::size_t i = 0; i < entry.item_count; ++i) {
            const DynamicItem& item = program_->items[entry.first_item + i];
            const bool appends =
                item.kind == DynamicItem::Kind::hub &&
                (item.hub.op == HubOp::append_key || item.hub.op == HubOp::append_value);
            if (!appends) continue;
            const KvLayout layout = layout_of(item.hub, program_->channels);
            MEMSIDE_CHECK(layout.check());
            std::optional<KvLayout>& known = layouts_[entry.region_base + item.hub.region];
            if (known && !same_layout(*known, layout)) {
                return bad_input(fmt::format("entry {}", in_quotes(entry.name)),
                                 "appends to a region that has another layout");
            }
            const Region& region = program_->regions[entry.region_base + item.hub.region];
            const bool other =
                region.span_tokens != 0 && (region.span_tokens != layout.row_tokens() ||
                                            region.span_rows != layout.rows_per_step());
            if (other) {
                return bad_input(fmt::format("entry {}", in_quotes(entry.name)),
                                 "appends to a region that says otherwise what tokens take");
            }
            known = layout;
        }
    }
    return {};
}

Result<Dispatcher::Request*> Dispatcher::find(RequestId id) {
    const auto found = requests_.find(id);
    if (found == requests_.end()) return bad_input("", fmt::format("no request {}", id));
    return &found->second;
}

std::size_t Dispatcher::lacking(const Request& request, std::uint32_t region,
                                std::uint32_t rows) const {
    const std::size_t needed = units(rows, program_->chunk_rows);
    const std::size_t there = request.tables[region].first_rows.size();
    return needed > there ? needed - there : 0;
}

void Dispatcher::grow(Request& request, std::uint32_t region, std::size_t chunks) {
    for (std::size_t i = 0; i < chunks; ++i) {
        const std::uint32_t first_row = *pool_.take();
        request.tables[region].first_rows.push_back(first_row);
        if (on_new_chunk_) on_new_chunk_(first_row, program_->chunk_rows);
        ++actions_.new_chunks;
    }
}

std::optional<std::uint32_t> Dispatcher::rows(std::uint32_t region, std::uint64_t tokens) const {
    if (layouts_[region]) return layouts_[region]->rows(tokens);
    const Region& of = program_->regions[region];
    if (of.span_tokens == 0) return std::nullopt;
    return units(tokens, of.span_tokens) * of.span_rows;
}

// All chunks or none.
Status Dispatcher::grow_to(Request& request, std::uint64_t tokens) {
    std::size_t total = 0;
    std::vector<std::size_t> chunks(layouts_.size(), 0);
    for (std::uint32_t region = 0; region < layouts_.size(); ++region) {
        const auto wanted = rows(region, expander_.share().tokens(tokens));
        if (!wanted || !program_->regions[region].per_request) continue;
        const std::uint32_t rows = *wanted;
        const std::uint32_t most = program_->regions[region].rows;
        if (most != 0 && rows > most) {
            return bad_input("", fmt::format("{} tokens take {} rows of region {}; it has {}",
                                             tokens, rows, region, most));
        }
        chunks[region] = lacking(request, region, rows);
        total += chunks[region];
    }
    if (total > pool_.free()) {
        return Error{"", fmt::format("{} chunks are needed, {} are free", total, pool_.free()),
                     Error::Kind::infeasible};
    }
    for (std::uint32_t region = 0; region < chunks.size(); ++region) {
        grow(request, region, chunks[region]);
    }
    return {};
}

Status Dispatcher::admit(RequestId id, std::uint64_t tokens) {
    if (requests_.contains(id))
        return bad_input("", fmt::format("request {} is there already", id));
    Request request{.tokens = tokens, .tables = {}};
    request.tables.resize(program_->regions.size());
    for (RowTable& table : request.tables) table.chunk_rows = program_->chunk_rows;
    MEMSIDE_CHECK(grow_to(request, tokens));
    requests_.emplace(id, std::move(request));
    ++actions_.new_requests;
    return {};
}

Status Dispatcher::reserve(RequestId id, std::uint32_t region, std::uint32_t rows) {
    MEMSIDE_TRY(Request * request, find(id));
    if (region >= layouts_.size() || !program_->regions[region].per_request) {
        return bad_input("", fmt::format("region {} is no request's", region));
    }
    const std::size_t chunks = lacking(*request, region, rows);
    if (chunks > pool_.free()) {
        return Error{"", fmt::format("{} chunks are needed, {} are free", chunks, pool_.free()),
                     Error::Kind::infeasible};
    }
    grow(*request, region, chunks);
    return {};
}

Status Dispatcher::release(RequestId id) {
    MEMSIDE_TRY(Request * request, find(id));
    for (const RowTable& table : request->tables) {
        for (const std::uint32_t first_row : table.first_rows) pool_.give(first_row);
    }
    requests_.erase(id);
    ++actions_.releases;
    return {};
}

Status Dispatcher::step(RequestId id, Sink& sink) {
    MEMSIDE_TRY(Request * request, find(id));
    MEMSIDE_CHECK(grow_to(*request, request->tokens + 1));
    for (const ExecutionEntry& entry : program_->entries) {
        if (!carries_out(entry)) continue;
        MEMSIDE_CHECK(expander_.run(entry, request->tokens + 1, request->tables, sink));
    }
    ++request->tokens;
    return {};
}

Status Dispatcher::expand(RequestId id, std::size_t entry, Sink& sink) {
    MEMSIDE_TRY(Request * request, find(id));
    if (entry >= program_->entries.size()) {
        return bad_input(
            "", fmt::format("entry {}; the program has {}", entry, program_->entries.size()));
    }
    MEMSIDE_CHECK(grow_to(*request, request->tokens + 1));
    return expander_.run(program_->entries[entry], request->tokens + 1, request->tables, sink);
}

Status Dispatcher::advance(RequestId id) {
    MEMSIDE_TRY(Request * request, find(id));
    MEMSIDE_CHECK(grow_to(*request, request->tokens + 1));
    ++request->tokens;
    return {};
}

std::uint64_t Dispatcher::buffer_bytes() const {
    std::uint64_t bytes = program_bytes_ + 16 * requests_.size();
    for (const auto& [id, request] : requests_) {
        for (const RowTable& table : request.tables) bytes += 4 * table.first_rows.size();
    }
    return bytes;
}

}  // namespace memside::pim
