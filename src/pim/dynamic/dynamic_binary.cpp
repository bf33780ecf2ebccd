#include "pim/dynamic/dynamic_binary.h"

#include <bit>

#include "pim/binary_parts.h"
#include "pim/program_builder.h"
#include "pim/text_reader.h"

namespace memside::pim {
namespace {

using Kind = DynamicItem::Kind;
using Part = ProgramFault::Part;

constexpr std::string_view magic = "DPA\x1a\r\n";
constexpr unsigned char version = 2;

// First bytes that are no instruction's; those of virtual row, span and modification belong to the
// item before them and come in this order.
constexpr std::uint8_t byte_modification = 29;
constexpr std::uint8_t byte_end = 30;
constexpr std::uint8_t byte_loop = 31;
constexpr std::uint8_t byte_virtual = 61;
constexpr std::uint8_t byte_span = 62;
constexpr std::uint8_t byte_token_loop = 63;
constexpr std::uint8_t byte_hub = 94;

void put_text(std::string& out, const std::string& text) {
    put_number(out, text.size());
    out += text;
}

void put(std::string& out, const Region& region) {
    put_text(out, region.name);
    put_number(out, region.per_request ? 1 : 0);
    put_number(out, region.rows);
    put_number(out, region.first_row);
    put_number(out, region.span_tokens);
    put_number(out, region.span_rows);
}

void put(std::string& out, const ExecutionEntry& entry) {
    put_text(out, entry.name);
    put_number(out, static_cast<std::uint64_t>(entry.op_type));
    put_number(out, static_cast<std::uint64_t>(entry.partitioning));
    put_number(out, static_cast<std::uint64_t>(entry.communication));
    put_number(out, entry.module);
    put_number(out, entry.channel_mask);
    put_number(out, entry.first_item);
    put_number(out, entry.item_count);
    put_number(out, entry.region_base);
    put_number(out, entry.gpr);
    put_number(out, entry.tiles);
    put_number(out, entry.gpr_out);
    put_number(out, entry.parts);
}

void put(std::string& out, const HubInstruction& hub) {
    out += static_cast<char>(byte_hub);
    put_number(out, static_cast<std::uint64_t>(hub.op));
    const std::uint32_t has = info(hub.op).fields;
    for (std::size_t i = 0; i < hub_field_count; ++i) {
        if ((has >> i & 1U) == 0) continue;
        const HubField& field = hub_fields()[i];
        if (field.number != nullptr) put_number(out, hub.*field.number);
        if (field.real != nullptr) put_fixed(out, std::bit_cast<std::uint32_t>(hub.*field.real), 4);
    }
}

void put_tagged(std::string& out, std::uint8_t tag, std::uint64_t value) {
    out += static_cast<char>(tag);
    put_number(out, value);
}

void put(std::string& out, const DynamicItem& item) {
    switch (item.kind) {
        case Kind::loop_fixed:
            return put_tagged(out, byte_loop, item.amount);
        case Kind::loop_tokens:
            return put_tagged(out, byte_token_loop, item.amount);
        case Kind::loop_end:
            out += static_cast<char>(byte_end);
            return;
        case Kind::hub:
            put(out, item.hub);
            break;
        case Kind::instruction:
            put_instruction(out, item.instruction);
            if (item.virtual_row) put_tagged(out, byte_virtual, item.region);
            if (item.opsize_span != 0) put_tagged(out, byte_span, item.opsize_span);
            break;
    }
    for (const Modification& m : item.modifications) {
        put_tagged(out, byte_modification, static_cast<std::uint64_t>(m.operand));
        put_number(out, m.depth);
        put_number(out, fold_sign(m.step));
    }
}

class Reader {
  public:
    Reader(std::string_view bytes, const std::string& file) : in_(bytes, file) {}

    Result<DynamicProgram> read() {
        if (!in_.header(magic, version, "binary dynamic program", "items") || !head() ||
            !tables() || !regions() || !entries() || !items() || !valid()) {
            return in_.error();
        }
        return std::move(program_);
    }

  private:
    // All functions that return bool have set the error when it is false.

    bool head() {
        std::uint32_t max_tokens = 0;
        const bool read =
            in_.text(max_name_bytes, "the model's text", program_.model) &&
            in_.text(max_name_bytes, "the target's text", program_.target) &&
            in_.number_up_to(channel_count, "the number of channels", program_.channels) &&
            in_.number_up_to(rows_per_bank, "rows of a chunk", program_.chunk_rows) &&
            in_.number_up_to(max_request_tokens, "tokens of a request", max_tokens) &&
            in_.number_up_to(max_request_tokens, "tokens of a block", program_.block_tokens) &&
            in_.number_up_to(UINT32_MAX, "the stage", program_.stage.stage) &&
            in_.number_up_to(UINT32_MAX, "stages", program_.stage.stages) &&
            in_.number_up_to(UINT32_MAX, "the stage's first layer", program_.stage.first_layer) &&
            in_.number_up_to(UINT32_MAX, "the stage's layers", program_.stage.layers) &&
            in_.number_up_to(max_token_modules, "modules that share tokens",
                             program_.share.modules) &&
            in_.number_up_to(max_request_tokens, "tokens of a module's block",
                             program_.share.block);
        program_.max_tokens = max_tokens;
        return read;
    }

    bool tables() {
        std::uint32_t count = 0;
        if (!counted("the number of tables", max_dynamic_tables, count)) return false;
        for (std::uint32_t i = 0; i < count; ++i) {
            std::uint32_t values = 0;
            if (!counted("the table's values", in_.end(), values)) return false;
            std::vector<float>& table = program_.tables.emplace_back();
            for (std::uint32_t v = 0; v < values; ++v) {
                std::uint32_t bits = 0;
                if (!in_.fixed32(bits)) return false;
                table.push_back(std::bit_cast<float>(bits));
            }
        }
        return true;
    }

    bool regions() {
        std::uint32_t count = 0;
        if (!counted("the number of regions", max_dynamic_regions, count)) return false;
        for (std::uint32_t i = 0; i < count; ++i) {
            region_at_.push_back(in_.at());
            Region region;
            std::uint32_t per_request = 0;
            if (!in_.text(max_name_bytes, "the region's name", region.name) ||
                !in_.number_up_to(1, "per request", per_request) ||
                !in_.number_up_to(rows_per_bank, "rows of a region", region.rows) ||
                !in_.number_up_to(rows_per_bank, "the region's first row", region.first_row) ||
                !in_.number_up_to(max_request_tokens, "tokens of a row", region.span_tokens) ||
                !in_.number_up_to(rows_per_bank, "rows of those tokens", region.span_rows)) {
                return false;
            }
            region.per_request = per_request == 1;
            program_.regions.push_back(std::move(region));
        }
        return true;
    }

    bool entries() {
        std::uint32_t count = 0;
        if (!counted("the number of entries", max_dynamic_entries, count)) return false;
        for (std::uint32_t i = 0; i < count; ++i) {
            entry_at_.push_back(in_.at());
            ExecutionEntry entry;
            std::array<std::uint32_t, 3> kinds{};
            if (!in_.text(max_name_bytes, "the entry's name", entry.name) ||
                !in_.number_up_to(op_type_names.size() - 1, "op type", kinds[0]) ||
                !in_.number_up_to(partitioning_names.size() - 1, "partitioning", kinds[1]) ||
                !in_.number_up_to(communication_names.size() - 1, "communication", kinds[2]) ||
                !in_.number_up_to(UINT32_MAX, "module", entry.module) ||
                !in_.number_up_to(UINT32_MAX, "mask", entry.channel_mask) ||
                !in_.number_up_to(UINT32_MAX, "first item", entry.first_item) ||
                !in_.number_up_to(UINT32_MAX, "items", entry.item_count) ||
                !in_.number_up_to(UINT32_MAX, "region base", entry.region_base) ||
                !in_.number_up_to(gpr_entries - 1, "first register", entry.gpr) ||
                !in_.number_up_to(gpr_entries, "registers", entry.tiles) ||
                !in_.number_up_to(gpr_entries - 1, "first register out", entry.gpr_out) ||
                !in_.number_up_to(max_token_modules, "parts", entry.parts)) {
                return false;
            }
            entry.op_type = static_cast<OpType>(kinds[0]);
            entry.partitioning = static_cast<Partitioning>(kinds[1]);
            entry.communication = static_cast<Communication>(kinds[2]);
            program_.entries.push_back(std::move(entry));
        }
        return true;
    }

    // A count of things that take a byte each at least.
    bool counted(std::string_view what, std::size_t most, std::uint32_t& count) {
        return in_.number_up_to(std::min(most, in_.end() - in_.at()), what, count);
    }

    bool items() {
        if (in_.count() > max_dynamic_items) {
            return in_.fail(binary_count_at,
                            fmt::format("{} items are above {}", in_.count(), max_dynamic_items));
        }
        while (!in_.done()) {
            const std::size_t start = in_.at();
            std::uint8_t first = 0;
            if (!in_.byte(first) || !item(start, first)) return false;
            if (program_.items.size() > in_.count()) break;
        }
        if (program_.items.size() == in_.count()) return true;
        return in_.fail(binary_count_at, fmt::format("{} items are announced, {} follow",
                                                     in_.count(), program_.items.size()));
    }

    bool item(std::size_t start, std::uint8_t first) {
        if (first == byte_virtual || first == byte_span || first == byte_modification) {
            return suffix(start, first);
        }
        item_at_.push_back(start);
        suffix_ = 0;
        DynamicItem& made = program_.items.emplace_back();
        switch (first) {
            case byte_end:
                return true;
            case byte_loop:
                made.kind = Kind::loop_fixed;
                return in_.number_up_to(UINT32_MAX, "iterations", made.amount);
            case byte_token_loop:
                made.kind = Kind::loop_tokens;
                return in_.number_up_to(max_request_tokens, "span", made.amount);
            case byte_hub:
                made.kind = Kind::hub;
                return hub(made.hub);
            default:
                made.kind = Kind::instruction;
                return in_.instruction(start, first, made.instruction);
        }
    }

    bool hub(HubInstruction& made) {
        std::uint32_t op = 0;
        if (!in_.number_up_to(hub_op_count - 1, "hub operation", op)) return false;
        made.op = static_cast<HubOp>(op);
        const std::uint32_t has = info(made.op).fields;
        for (std::size_t i = 0; i < hub_field_count; ++i) {
            if ((has >> i & 1U) == 0) continue;
            const HubField& field = hub_fields()[i];
            if (field.number != nullptr) {
                if (!in_.number_up_to(field.high, field.name, made.*field.number)) return false;
            } else {
                std::uint32_t bits = 0;
                if (!in_.fixed32(bits)) return false;
                made.*field.real = std::bit_cast<float>(bits);
            }
        }
        return true;
    }

    bool suffix(std::size_t start, std::uint8_t first) {
        // A later stage of the order, or one more modification.
        const int stage = first == byte_virtual ? 1 : first == byte_span ? 2 : 3;
        const bool has_item = !program_.items.empty();
        const Kind kind = has_item ? program_.items.back().kind : Kind::loop_end;
        const bool allowed = kind == Kind::instruction || (kind == Kind::hub && stage == 3);
        if (!allowed || stage < suffix_ || (stage == suffix_ && stage != 3)) {
            return in_.fail(start, fmt::format("byte {} does not belong here", first));
        }
        suffix_ = stage;
        DynamicItem& item = program_.items.back();
        if (stage == 1) {
            item.virtual_row = true;
            return in_.number_up_to(UINT32_MAX, "region", item.region);
        }
        if (stage == 2) {
            if (item.instruction.opsize != 1) {
                return in_.fail(start, fmt::format("the opsize follows tokens but is written as {}",
                                                   item.instruction.opsize));
            }
            if (!in_.number_up_to(max_request_tokens, "span", item.opsize_span)) return false;
            return item.opsize_span != 0 || in_.fail(start, "the opsize follows 0 tokens");
        }
        return modification(start, item);
    }

    bool modification(std::size_t start, DynamicItem& item) {
        std::uint32_t operand = 0;
        std::uint32_t depth = 0;
        std::uint64_t step = 0;
        if (!in_.number_up_to(stride_operand_count - 1, "operand", operand) ||
            !in_.number_up_to(max_loop_depth, "depth", depth) || !in_.number(step)) {
            return false;
        }
        const std::int64_t amount = unfold_sign(step);
        if (amount < INT32_MIN || amount > INT32_MAX) {
            return in_.fail(start, fmt::format("step {} is not within -2^31 to 2^31 - 1", amount));
        }
        item.modifications.push_back({static_cast<Stride::Operand>(operand),
                                      static_cast<std::uint16_t>(depth),
                                      static_cast<std::int32_t>(amount)});
        return true;
    }

    // What is in range but does not go together, at the byte where its part begins.
    bool valid() {
        const auto fault = find_fault(program_);
        if (!fault) return canonical_items();
        switch (fault->part) {
            case Part::region:
                return in_.fail(region_at_[fault->index], fault->what);
            case Part::item:
                return in_.fail(item_at_[fault->index], fault->what);
            case Part::entry:
                return in_.fail(entry_at_[fault->index], fault->what);
            case Part::head:
                return in_.fail(binary_header_bytes, fault->what);
            case Part::end:
                break;
        }
        return in_.fail(in_.end(), fault->what);
    }

    bool canonical_items() {
        const DynamicProgram whole = canonical(program_);
        for (std::size_t i = 0; i < whole.items.size(); ++i) {
            if (whole.items[i] != program_.items[i]) {
                return in_.fail(item_at_[i], "an operand is not written that has to be");
            }
        }
        return true;
    }

    BinaryReader in_;
    DynamicProgram program_;
    std::vector<std::size_t> region_at_;
    std::vector<std::size_t> entry_at_;
    std::vector<std::size_t> item_at_;
    int suffix_ = 0;  // stage of the last item's suffixes
};

}  // namespace

bool is_dynamic_binary(std::string_view bytes) {
    return bytes.starts_with(magic);
}

std::string to_binary(const DynamicProgram& program) {
    const DynamicProgram whole = canonical(program);
    std::string out = begin_binary(magic, version, whole.items.size());
    put_text(out, whole.model);
    put_text(out, whole.target);
    put_number(out, whole.channels);
    put_number(out, whole.chunk_rows);
    put_number(out, whole.max_tokens);
    put_number(out, whole.block_tokens);
    put_number(out, whole.stage.stage);
    put_number(out, whole.stage.stages);
    put_number(out, whole.stage.first_layer);
    put_number(out, whole.stage.layers);
    put_number(out, whole.share.modules);
    put_number(out, whole.share.block);
    put_number(out, whole.tables.size());
    for (const std::vector<float>& table : whole.tables) {
        put_number(out, table.size());
        for (const float value : table) put_fixed(out, std::bit_cast<std::uint32_t>(value), 4);
    }
    put_number(out, whole.regions.size());
    for (const Region& region : whole.regions) put(out, region);
    put_number(out, whole.entries.size());
    for (const ExecutionEntry& entry : whole.entries) put(out, entry);
    for (const DynamicItem& item : whole.items) put(out, item);
    end_binary(out);
    return out;
}

Result<DynamicProgram> parse_dynamic_binary(std::string_view bytes, const std::string& file) {
    if (bytes.size() > max_program_bytes) {
        return bad_input(
            file, fmt::format("{} bytes; allowed: up to {}", bytes.size(), max_program_bytes));
    }
    return Reader(bytes, file).read();
}

}  // namespace memside::pim
