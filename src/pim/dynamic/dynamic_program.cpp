#include "pim/dynamic/dynamic_program.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "pim/dynamic/head_faults.h"
#include "pim/instruction_table.h"
#include "pim/kernels/kernel.h"
#include "pim/program_builder.h"

namespace memside::pim {
namespace {

using Kind = DynamicItem::Kind;
using Problem = std::optional<std::string>;

// Entries that share items look at them once each.
constexpr std::uint64_t max_entry_items = std::uint64_t{1} << 28;

// What an item asks of the regions of every entry that it belongs to.
struct RegionUse {
    bool used = false;
    std::uint32_t region = 0;
    std::uint64_t last_row = 0;  // 0 when it grows without bound
    std::uint32_t mask = 0;      // channels
};

class Validator {
  public:
    explicit Validator(const DynamicProgram& program) : program_(program) {
        frames_.push_back({0, program.max_tokens});
    }

    std::optional<ProgramFault> run() {
        using Part = ProgramFault::Part;
        if (auto problem = head_fault(program_)) return ProgramFault{Part::head, 0, *problem};
        if (auto problem = tables_fault(program_)) return ProgramFault{Part::head, 0, *problem};
        for (std::size_t i = 0; i < program_.regions.size(); ++i) {
            if (auto problem = region_fault(program_.regions[i])) {
                return ProgramFault{Part::region, i, *problem};
            }
        }
        uses_.resize(program_.items.size());
        for (std::size_t i = 0; i < program_.items.size(); ++i) {
            depths_.push_back(frames_.size() - 1);
            if (auto problem = item(program_.items[i], uses_[i])) {
                return ProgramFault{Part::item, i, *problem};
            }
        }
        depths_.push_back(0);
        if (frames_.size() > 1) return ProgramFault{Part::end, 0, "a loop has no end"};
        for (std::size_t i = 0; i < program_.entries.size(); ++i) {
            if (auto problem = entry(program_.entries[i])) {
                return ProgramFault{Part::entry, i, *problem};
            }
        }
        return std::nullopt;
    }

  private:
    // Of an open loop; the first is the request. 0: no bound is known.
    struct Frame {
        std::uint64_t iterations = 1;
        std::uint64_t piece = 0;
        bool empty = true;
        std::uint64_t repeats = 1;  // of what is inside, as far as bounds are known
    };

    Problem item(const DynamicItem& item, RegionUse& use) {
        if (item.kind == Kind::loop_end) return end();
        frames_.back().empty = false;
        switch (item.kind) {
            case Kind::loop_fixed:
                return begin(item.amount, frames_.back().piece, "a loop of 0 iterations");
            case Kind::loop_tokens: {
                const std::uint64_t piece = frames_.back().piece;
                if (item.amount == 0) return "a loop over pieces of 0 tokens";
                const std::uint64_t count = (piece + item.amount - 1) / item.amount;
                const std::uint64_t inner =
                    piece == 0 ? item.amount : std::min<std::uint64_t>(piece, item.amount);
                if (item.amount > max_request_tokens) return "the span is above 2^31 tokens";
                return begin(count, inner, nullptr);
            }
            case Kind::instruction:
                return instruction(item, use);
            default:
                return hub(item, use);
        }
    }

    Problem begin(std::uint64_t iterations, std::uint64_t piece, const char* when_zero) {
        if (iterations == 0 && when_zero != nullptr) return when_zero;
        if (frames_.size() > max_loop_depth) {
            return fmt::format("loops nest deeper than {} levels", max_loop_depth);
        }
        const std::uint64_t known = std::max<std::uint64_t>(iterations, 1);
        if (known > max_unrolled / frames_.back().repeats) {
            return fmt::format("the loops unroll to more than {} iterations", max_unrolled);
        }
        frames_.push_back({iterations, piece, true, frames_.back().repeats * known});
        return std::nullopt;
    }

    Problem end() {
        if (frames_.size() == 1) return "an end without a loop";
        if (frames_.back().empty) return "the loop has no instruction";
        frames_.pop_back();
        return std::nullopt;
    }

    // The least and most that modifications add to an operand. `open`: without a known bound.
    struct Growth {
        std::int64_t low = 0;
        std::int64_t high = 0;
        bool open = false;
        bool moved = false;
    };
    using Growths = std::array<Growth, stride_operand_count>;

    Problem grow(const std::vector<Modification>& modifications, Growths& growths) const {
        std::array<std::uint32_t, stride_operand_count> seen{};
        for (const Modification& m : modifications) {
            const auto operand = static_cast<std::size_t>(m.operand);
            if (operand >= stride_operand_count) return "an unknown operand is modified";
            const std::string_view name = stride_name(m.operand);
            if (m.depth < 1 || m.depth >= frames_.size()) {
                return fmt::format("{}+= of loop @{}, but {} are open here", name, m.depth,
                                   frames_.size() - 1);
            }
            if ((seen[operand] >> m.depth & 1U) != 0) {
                return fmt::format("{}+= of loop @{} is given twice", name, m.depth);
            }
            seen[operand] |= 1U << m.depth;
            Growth& growth = growths[operand];
            growth.moved = true;
            const std::uint64_t iterations = frames_[frames_.size() - m.depth].iterations;
            if (iterations == 0 && m.step < 0) {
                return fmt::format("{}+={} of a loop without a bound", name, m.step);
            }
            growth.open = growth.open || (iterations == 0 && m.step != 0);
            const std::int64_t most =
                m.step * (static_cast<std::int64_t>(std::max<std::uint64_t>(iterations, 1)) - 1);
            (most < 0 ? growth.low : growth.high) += most;
        }
        return std::nullopt;
    }

    Problem instruction(const DynamicItem& item, RegionUse& use) const {
        Instruction made = item.instruction;
        const InstructionInfo& row = info(made.opcode);
        if (auto problem = opcode(made, row)) return problem;
        if (item.opsize_span != 0) {
            if (auto problem = follow_piece(item, row, made)) return problem;
        }
        if (item.virtual_row && !row.has(Field::row)) {
            return fmt::format("{} has no row to translate", row.name);
        }
        if (const auto fault = pim::find_fault(made)) return fault->what;
        Growths growths{};
        if (auto problem = grow(item.modifications, growths)) return problem;
        for (std::size_t i = 0; i < stride_operand_count; ++i) {
            const Growth& growth = growths[i];
            const auto operand = static_cast<Stride::Operand>(i);
            const bool is_virtual = item.virtual_row && operand == Stride::Operand::row;
            if (is_virtual) {
                if (auto problem = virtual_row(made, growth, use)) return problem;
            } else if (growth.moved) {
                if (auto problem = moved(made, operand, growth)) return problem;
            }
        }
        use.used = item.virtual_row;
        use.region = item.region;
        use.mask = row.has(Field::mask) ? made.mask : 0;
        return std::nullopt;
    }

    Problem opcode(const Instruction& made, const InstructionInfo& row) const {
        switch (made.opcode) {
            case Opcode::eoc:
            case Opcode::write_gpr:
            case Opcode::read_gpr:
            case Opcode::write_mem:
            case Opcode::read_mem:
                return fmt::format("{}: the host takes no part in a dynamic program", row.name);
            default:
                break;
        }
        if (row.has(Field::mask) && (made.mask & ~channel_mask(program_.channels)) != 0) {
            return fmt::format("mask {:#x} addresses channels beyond the program's {}", made.mask,
                               program_.channels);
        }
        return std::nullopt;
    }

    // Leaves the largest opsize in `made`.
    Problem follow_piece(const DynamicItem& item, const InstructionInfo& row,
                         Instruction& made) const {
        if (!row.has(Field::opsize) || made.opcode == Opcode::ewadd) {
            return fmt::format("{} has no opsize that could follow the tokens", row.name);
        }
        const std::uint64_t piece = frames_.back().piece;
        if (piece == 0) return "the opsize follows tokens without a bound";
        const std::uint64_t most = (piece - 1) / item.opsize_span + 1;
        if (most > columns_per_row) {
            return fmt::format("the opsize of a piece of {} tokens, {} each, is above {}", piece,
                               item.opsize_span, columns_per_row);
        }
        made.opsize = static_cast<std::uint32_t>(most);
        return std::nullopt;
    }

    Problem virtual_row(const Instruction& made, const Growth& growth, RegionUse& use) const {
        const std::int64_t first = made.row;
        if (first + growth.low < 0)
            return fmt::format("virtual row {} is below 0", first + growth.low);
        const std::int64_t last = growth.open ? first : first + growth.high;
        if (last >= static_cast<std::int64_t>(max_request_tokens)) {
            return fmt::format("virtual row {} is beyond all memory", last);
        }
        use.last_row = static_cast<std::uint64_t>(last);
        return std::nullopt;
    }

    static Problem moved(const Instruction& made, Stride::Operand operand, const Growth& growth) {
        const Field field = stride_fields[static_cast<std::size_t>(operand)];
        const InstructionInfo& row = info(made.opcode);
        if (!row.has(field)) return fmt::format("{} has no {}", row.name, stride_name(operand));
        if (growth.open) {
            return fmt::format("{} grows with the tokens without a bound", stride_name(operand));
        }
        if (operand == Stride::Operand::column && row.has(Field::gbuf) &&
            (made.written & optional_gbuf) == 0) {
            return "the column moves: write gb= too, the entry it starts from";
        }
        const std::int64_t start = get(made, field);
        for (const std::int64_t end : {start + growth.low, start + growth.high}) {
            if (const auto fault = pim::find_fault(made, field, end)) {
                return fmt::format("{} in the loop's last iteration", fault->what);
            }
        }
        return std::nullopt;
    }

    Problem hub(const DynamicItem& item, RegionUse& use) const {
        if (item.hub.op >= HubOp::merge) return "merge is made by expansion alone";
        if (item.hub.op == HubOp::rope && item.hub.table != 0) {
            if (item.hub.table > program_.tables.size()) {
                return fmt::format("table {}; the program has {}", item.hub.table,
                                   program_.tables.size());
            }
            const std::size_t values = program_.tables[item.hub.table - 1].size();
            if (values != item.hub.head_dim / 2) {
                return fmt::format("table {} has {} values for {} pairs", item.hub.table, values,
                                   item.hub.head_dim / 2);
            }
        }
        Growths growths{};
        if (auto problem = grow(item.modifications, growths)) return problem;
        const std::uint32_t fields = info(item.hub.op).fields;
        for (const bool high : {false, true}) {
            HubInstruction moved = item.hub;
            for (std::size_t i = 0; i < stride_operand_count; ++i) {
                if (!growths[i].moved) continue;
                const auto operand = static_cast<Stride::Operand>(i);
                std::uint32_t HubInstruction::* field = moved_field(operand);
                if (field == nullptr || !has(fields, field)) {
                    return fmt::format("{} has no {} to step", info(item.hub.op).name,
                                       stride_name(operand));
                }
                if (growths[i].open) {
                    return fmt::format("{} grows with the tokens without a bound",
                                       stride_name(operand));
                }
                const std::int64_t value =
                    std::int64_t{moved.*field} + (high ? growths[i].high : growths[i].low);
                if (value < 0 || value >= gpr_entries) {
                    return fmt::format("{} {} is not within 0 to {} in every iteration",
                                       stride_name(operand), value, gpr_entries - 1);
                }
                moved.*field = static_cast<std::uint32_t>(value);
            }
            if (auto fault = pim::find_fault(moved, frames_.back().piece)) return fault;
        }
        const bool appends = item.hub.op == HubOp::append_key || item.hub.op == HubOp::append_value;
        if (appends && item.hub.heads * item.hub.ways > program_.channels) {
            return fmt::format("{} heads of {} channels each; the program has {} channels",
                               item.hub.heads, item.hub.ways, program_.channels);
        }
        use.used = appends;
        use.region = item.hub.region;
        return std::nullopt;
    }

    static std::uint32_t HubInstruction::* moved_field(Stride::Operand operand) {
        switch (operand) {
            case Stride::Operand::gpr:
                return &HubInstruction::gpr;
            case Stride::Operand::out:
                return &HubInstruction::gpr_out;
            case Stride::Operand::row:
                return &HubInstruction::gpr2;
            default:
                return nullptr;
        }
    }
    static bool has(std::uint32_t fields, std::uint32_t HubInstruction::* member) {
        for (std::size_t i = 0; i < hub_field_count; ++i) {
            if (hub_fields()[i].number == member) return (fields >> i & 1U) != 0;
        }
        return false;
    }

    Problem entry(const ExecutionEntry& entry) {
        if (!printable_name(entry.name)) return "the name is too long or has control characters";
        const std::uint64_t last = std::uint64_t{entry.first_item} + entry.item_count;
        const bool needs_items = entry.communication == Communication::none;
        if (last > program_.items.size() || (entry.item_count == 0 && needs_items)) {
            return fmt::format("items {} to {}; the program has {}", entry.first_item, last,
                               program_.items.size());
        }
        if (entry.parts < 1 || entry.parts > max_token_modules || entry.tiles > gpr_entries) {
            return fmt::format("exchanges {} tiles with {} modules", entry.tiles, entry.parts);
        }
        for (const std::uint32_t gpr : {entry.gpr, entry.gpr_out}) {
            const std::uint64_t end = gpr + std::uint64_t{entry.tiles} * entry.parts;
            if (gpr < gpr_entries && end <= gpr_entries) continue;
            return fmt::format("exchanges registers {} to {}; a module has {}", gpr, end,
                               gpr_entries);
        }
        if (depths_[entry.first_item] != 0 || depths_[last] != 0) {
            return "its items begin or end inside a loop";
        }
        if ((entry.channel_mask & ~channel_mask(program_.channels)) != 0) {
            return fmt::format("mask {:#x} addresses channels beyond the program's {}",
                               entry.channel_mask, program_.channels);
        }
        entry_items_ += entry.item_count;
        if (entry_items_ > max_entry_items) return "the entries name too many items together";
        for (std::uint64_t i = entry.first_item; i < last; ++i) {
            if (auto problem = of_entry(entry, uses_[i])) {
                return fmt::format("item {}: {}", i, *problem);
            }
        }
        return std::nullopt;
    }

    Problem of_entry(const ExecutionEntry& entry, const RegionUse& use) const {
        if ((use.mask & ~entry.channel_mask) != 0) {
            return fmt::format("mask {:#x} is not within the entry's {:#x}", use.mask,
                               entry.channel_mask);
        }
        if (!use.used) return std::nullopt;
        const std::uint64_t index = std::uint64_t{entry.region_base} + use.region;
        if (index >= program_.regions.size()) {
            return fmt::format("region {}; the program has {}", index, program_.regions.size());
        }
        const Region& region = program_.regions[index];
        if (region.rows != 0 && use.last_row >= region.rows) {
            return fmt::format("virtual row {}; region {} has {}", use.last_row, index,
                               region.rows);
        }
        return std::nullopt;
    }

    const DynamicProgram& program_;
    std::vector<Frame> frames_;
    std::vector<std::size_t> depths_;  // open loops before each item
    std::vector<RegionUse> uses_;      // by item
    std::uint64_t entry_items_ = 0;
};

}  // namespace

std::optional<ProgramFault> find_fault(const DynamicProgram& program) {
    return Validator(program).run();
}

Status validate(const DynamicProgram& program, const std::string& where) {
    const auto fault = find_fault(program);
    if (!fault) return {};
    static constexpr std::array<std::string_view, 5> parts{"", "region", "item", "entry", ""};
    const std::string_view part = parts[static_cast<std::size_t>(fault->part)];
    if (part.empty()) return bad_input(where, fault->what);
    return bad_input(where, fmt::format("{} {}: {}", part, fault->index, fault->what));
}

DynamicProgram canonical(const DynamicProgram& program) {
    DynamicProgram result = program;
    for (DynamicItem& item : result.items) {
        DynamicItem made;
        made.kind = item.kind;
        if (item.kind == Kind::loop_fixed || item.kind == Kind::loop_tokens) {
            made.amount = item.amount;
        }
        if (item.kind == Kind::hub) made.hub = canonical(item.hub);
        if (item.kind == Kind::instruction) {
            made.virtual_row = item.virtual_row;
            if (item.virtual_row) made.region = item.region;
            made.opsize_span = item.opsize_span;
            made.instruction = canonical(item.instruction);
            if (item.opsize_span != 0) made.instruction.opsize = 1;
        }
        if (item.kind == Kind::hub || item.kind == Kind::instruction) {
            made.modifications = std::move(item.modifications);
        }
        for (const Modification& m : made.modifications) {
            const bool column = item.kind == Kind::instruction &&
                                m.operand == Stride::Operand::column &&
                                info(made.instruction.opcode).has(Field::gbuf);
            if (column) made.instruction.written |= optional_gbuf;
        }
        item = std::move(made);
    }
    return result;
}

}  // namespace memside::pim
