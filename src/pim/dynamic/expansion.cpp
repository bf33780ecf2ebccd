#include "pim/dynamic/expansion.h"

#include <cassert>

#include "base/text.h"
#include "pim/dynamic/append.h"
#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

using Kind = DynamicItem::Kind;

struct Piece {
    std::uint64_t first = 0;
    std::uint64_t tokens = 0;
};

// One entry of one request.
class Run {
  public:
    Run(const DynamicProgram& program, const std::vector<std::uint32_t>& loop_ends,
        const ExecutionEntry& entry, const TokenShare& share, std::uint64_t tokens,
        std::span<const RowTable> tables, Sink& sink)
        : program_(program),
          loop_ends_(loop_ends),
          entry_(entry),
          share_(share),
          all_tokens_(tokens),
          tokens_(share.tokens(tokens)),
          tables_(tables),
          sink_(sink) {}

    Status all() {
        return items(entry_.first_item, std::size_t{entry_.first_item} + entry_.item_count,
                     {0, tokens_});
    }

  private:
    Status items(std::size_t first, std::size_t last, const Piece& piece) {
        for (std::size_t i = first; i < last; ++i) {
            const DynamicItem& item = program_.items[i];
            switch (item.kind) {
                case Kind::loop_fixed:
                case Kind::loop_tokens:
                    MEMSIDE_CHECK(loop(i, piece));
                    i = loop_ends_[i];
                    break;
                case Kind::instruction:
                    MEMSIDE_CHECK(instruction(i, piece));
                    break;
                case Kind::hub:
                    MEMSIDE_CHECK(hub(item, piece));
                    break;
                case Kind::loop_end:
                    break;
            }
        }
        return {};
    }

    Status loop(std::size_t begin, const Piece& piece) {
        const DynamicItem& item = program_.items[begin];
        const std::size_t end = loop_ends_[begin];
        iterations_.push_back(0);
        if (item.kind == Kind::loop_fixed) {
            for (std::uint32_t i = 0; i < item.amount; ++i) {
                iterations_.back() = i;
                MEMSIDE_CHECK(items(begin + 1, end, piece));
            }
        } else {
            for (std::uint64_t done = 0; done < piece.tokens; done += item.amount) {
                const std::uint64_t rest = piece.tokens - done;
                MEMSIDE_CHECK(
                    items(begin + 1, end,
                          {piece.first + done, std::min<std::uint64_t>(item.amount, rest)}));
                ++iterations_.back();
            }
        }
        iterations_.pop_back();
        return {};
    }

    std::int64_t amount(const Modification& m) const {
        return m.step * static_cast<std::int64_t>(iterations_[iterations_.size() - m.depth]);
    }

    Status instruction(std::size_t index, const Piece& piece) {
        const DynamicItem& item = program_.items[index];
        Instruction made = item.instruction;
        std::int64_t row = made.row;
        for (const Modification& m : item.modifications) {
            const std::int64_t by = amount(m);
            switch (m.operand) {
                case Stride::Operand::row:
                    row += by;
                    break;
                case Stride::Operand::column:
                    made.column = static_cast<std::uint16_t>(made.column + by);
                    break;
                case Stride::Operand::gbuf:
                    made.gbuf = static_cast<std::uint16_t>(made.gbuf + by);
                    break;
                case Stride::Operand::gpr:
                    made.gpr = static_cast<std::uint32_t>(made.gpr + by);
                    break;
                case Stride::Operand::out:
                    made.out = static_cast<std::uint32_t>(made.out + by);
                    break;
            }
        }
        if (item.opsize_span != 0) {
            // A module that has none of the request's tokens yet.
            if (piece.tokens == 0) return {};
            made.opsize = units(piece.tokens, item.opsize_span);
        }
        made.row = static_cast<std::uint32_t>(row);
        if (item.virtual_row) {
            const std::size_t region = std::size_t{entry_.region_base} + item.region;
            const auto place = physical(region, made.row);
            if (!place) return missing(fmt::format("item {}", index), region, made.row);
            made.row = *place;
        }
        return sink_.instruction(canonical(made));
    }

    std::optional<std::uint32_t> physical(std::size_t region, std::uint32_t row) const {
        const Region& of = program_.regions[region];
        if (of.per_request) {
            return region < tables_.size() ? tables_[region].physical(row) : std::nullopt;
        }
        if (row >= of.rows) return std::nullopt;
        return of.first_row + row;
    }

    Status missing(const std::string& where, std::size_t region, std::uint32_t row) const {
        const Region& of = program_.regions[region];
        return bad_input(where, fmt::format("row {} of region {} ({}) has no memory", row, region,
                                            in_quotes(of.name)));
    }

    Status hub(const DynamicItem& item, const Piece& piece) {
        HubCall call{item.hub, piece.first, piece.tokens, tokens_, std::nullopt, nullptr};
        if (share_.modules > 1) call.position = all_tokens_ - 1;
        if (call.hub.table != 0) call.table = &program_.tables[call.hub.table - 1];
        for (const Modification& m : item.modifications) {
            std::uint32_t& operand = m.operand == Stride::Operand::gpr   ? call.hub.gpr
                                     : m.operand == Stride::Operand::out ? call.hub.gpr_out
                                                                         : call.hub.gpr2;
            operand = static_cast<std::uint32_t>(operand + amount(m));
        }
        if (call.hub.op == HubOp::softmax_block && call.hub.tokens != 0) {
            call.first_token = call.hub.first_token;
            call.tokens = call.hub.tokens;
        }
        const bool appends = call.hub.op == HubOp::append_key || call.hub.op == HubOp::append_value;
        if (!appends) {
            // What validation left open where the program sets no bound.
            if (const auto fault = find_fault(call.hub, piece.tokens)) {
                return bad_input(std::string(info(call.hub.op).name), *fault);
            }
            return sink_.hub(call);
        }
        if (!share_.owns(all_tokens_ - 1)) return {};
        const std::size_t region = std::size_t{entry_.region_base} + call.hub.region;
        std::uint32_t lacking = 0;
        const auto rows = [&](std::uint32_t row) {
            lacking = row;
            return physical(region, row);
        };
        MEMSIDE_TRY(const bool placed, expand_append(call, program_.channels, rows, sink_));
        if (placed) return {};
        return missing(std::string(info(call.hub.op).name), region, lacking);
    }

    const DynamicProgram& program_;
    const std::vector<std::uint32_t>& loop_ends_;
    const ExecutionEntry& entry_;
    const TokenShare& share_;
    std::uint64_t all_tokens_;
    std::uint64_t tokens_;  // of this module
    std::span<const RowTable> tables_;
    Sink& sink_;
    std::vector<std::uint64_t> iterations_;  // of the open loops, innermost last
};

}  // namespace

Expander::Expander(const DynamicProgram& program, std::uint32_t module)
    : program_(&program), share_(program.share), loop_ends_(program.items.size(), 0) {
    assert(module < share_.modules);
    share_.index = module;
    std::vector<std::uint32_t> open;
    for (std::uint32_t i = 0; i < program.items.size(); ++i) {
        const Kind kind = program.items[i].kind;
        if (kind == Kind::loop_fixed || kind == Kind::loop_tokens) open.push_back(i);
        if (kind != Kind::loop_end) continue;
        assert(!open.empty());
        loop_ends_[open.back()] = i;
        open.pop_back();
    }
    assert(open.empty());
}

Status Expander::run(const ExecutionEntry& entry, std::uint64_t tokens,
                     std::span<const RowTable> tables, Sink& sink) const {
    const std::uint64_t most =
        program_->max_tokens == 0 ? max_request_tokens : program_->max_tokens;
    if (tokens == 0 || tokens > most) {
        return bad_input(
            "", fmt::format("a request of {} tokens; the program allows 1 to {}", tokens, most));
    }
    return Run(*program_, loop_ends_, entry, share_, tokens, tables, sink).all();
}

Status Expander::run_all(std::uint64_t tokens, std::span<const RowTable> tables, Sink& sink) const {
    for (const ExecutionEntry& entry : program_->entries) {
        MEMSIDE_CHECK(run(entry, tokens, tables, sink));
    }
    return {};
}

}  // namespace memside::pim
