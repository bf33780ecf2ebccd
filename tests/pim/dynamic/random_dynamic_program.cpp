#include "pim/dynamic/random_dynamic_program.h"

#include "pim/instruction_table.h"
#include "pim/kernels/kernel.h"

namespace memside::pim {

DynamicItem RandomDynamicPrograms::instruction(const DynamicProgram& program) {
    static constexpr Opcode opcodes[] = {
        Opcode::wr_sbk,    Opcode::wr_abk,    Opcode::wr_gb,   Opcode::wr_bias, Opcode::rd_mac,
        Opcode::rd_sbk,    Opcode::copy_bkgb, Opcode::mac_abk, Opcode::mac_sbk, Opcode::ewmul,
        Opcode::write_cfr, Opcode::ewadd,     Opcode::sync,    Opcode::af};
    const Opcode opcode = opcodes[below(std::size(opcodes))];
    Instruction made{.opcode = opcode,
                     .bank = static_cast<std::uint8_t>(below(16)),
                     .written = static_cast<std::uint8_t>(below(8)),
                     .column = static_cast<std::uint16_t>(below(4)),
                     .gbuf = static_cast<std::uint16_t>(below(4)),
                     .out = below(3),
                     .opsize = 1 + below(3),
                     .mask = 1 + below(channel_mask(program.channels)),
                     .row = below(3),
                     .gpr = below(40),
                     .gpr2 = below(40)};
    if (opcode == Opcode::write_cfr) {
        made.gpr = 2;
        made.gpr2 = below(8);
    }
    DynamicItem item = DynamicItem::of(canonical(made));
    const InstructionInfo& row = info(opcode);
    if (row.has(Field::row) && below(2) == 0) {
        item.virtual_row = true;
        item.region = below(2);
    }
    if (row.has(Field::opsize) && opcode != Opcode::ewadd && below(2) == 0) {
        item.opsize_span = 4 + below(40);
        item.instruction.opsize = 1;
    }
    return item;
}

DynamicItem RandomDynamicPrograms::hub(const DynamicProgram& program) {
    HubInstruction made;
    made.op = static_cast<HubOp>(below(hub_op_count - 1));
    made.state = below(hub_states);
    made.first_query = below(4);
    made.queries = 1 + below(4);
    made.head_dim = 2 + 2 * below(below(2) == 0 ? 3 : 40);
    made.gpr = below(100);
    made.gpr2 = below(100);
    made.gpr_out = below(100);
    made.tiles = 1 + below(4);
    made.query_stride = below(9);
    made.tile_stride = 1 + below(3);
    made.classes = 1 + below(4);
    made.class_stride = below(9);
    made.granule = lanes * (1 + below(4));
    made.window = below(2) * below(100);
    made.tokens = below(2) * below(100);
    made.first_token = made.tokens == 0 ? 0 : below(100);
    made.parts = 1 + below(3);
    made.values = 1 + below(60);
    made.heads = 1 + below(program.channels);
    made.ways = 1 + below(program.channels / made.heads);
    made.region = below(2);
    made.choice = below(2);
    made.table = below(2) == 0 ? 0 : below(4);
    made.scale = static_cast<float>(below(1000)) / 100.0F;
    made.theta = 1.0F + static_cast<float>(below(10000));
    return DynamicItem::of(canonical(made));
}

void RandomDynamicPrograms::modify(DynamicItem& item) {
    static constexpr Stride::Operand operands[] = {Stride::Operand::row, Stride::Operand::column,
                                                   Stride::Operand::gbuf, Stride::Operand::gpr,
                                                   Stride::Operand::out};
    for (const Stride::Operand operand : operands) {
        for (std::uint16_t depth = 1; depth <= depth_; ++depth) {
            if (below(3) != 0) continue;
            item.modifications.push_back({operand, depth, static_cast<std::int32_t>(below(6)) - 1});
        }
    }
}

void RandomDynamicPrograms::items(DynamicProgram& program, std::size_t longest) {
    // What does not pass validation where it stands is drawn again: here with loops closed around.
    const auto fits = [&](const DynamicItem& item) {
        DynamicProgram trial = program;
        trial.items.push_back(item);
        for (std::uint32_t i = 0; i < depth_; ++i) trial.items.push_back(DynamicItem::end());
        return validate(trial, "").ok();
    };
    const auto add_one = [&] {
        for (;;) {
            DynamicItem item = below(4) == 0 ? hub(program) : instruction(program);
            if (below(2) == 0) modify(item);
            if (!fits(item)) continue;
            program.items.push_back(item);
            return;
        }
    };
    add_one();
    for (std::size_t i = 0; i < longest; ++i) {
        const std::uint32_t kind = below(8);
        if (kind < 2 && depth_ < 3) {
            program.items.push_back(kind == 0 ? DynamicItem::loop(1 + below(3))
                                              : DynamicItem::token_loop(1 + below(90)));
            ++depth_;
            add_one();
        } else if (kind == 2 && depth_ > 0) {
            program.items.push_back(DynamicItem::end());
            --depth_;
        } else {
            add_one();
        }
    }
    for (; depth_ > 0; --depth_) program.items.push_back(DynamicItem::end());
}

DynamicProgram RandomDynamicPrograms::next(std::size_t longest) {
    DynamicProgram program;
    program.model = "random";
    program.target = "\xC3\xA9";
    program.channels = 1 + below(channel_count);
    program.chunk_rows = 1 + below(3);
    program.max_tokens = max_tokens;
    program.block_tokens = below(100);
    program.regions = {{"k", 0, true, 0, 16 * below(2), 0},
                       {"w", 4000, false, 17, 0, 0},
                       {"v", 5000, true, 0, 0, 0}};
    program.regions[0].span_rows = program.regions[0].span_tokens == 0 ? 0 : 1 + below(3);
    program.share.modules = 1 + below(2) * below(5);
    program.share.block = program.share.modules == 1 ? 0 : 1 + below(100);
    program.stage = {below(3), 3, below(40), 1 + below(9)};
    // Divisors for heads of few pairs, which hub() draws some of.
    for (const std::uint32_t pairs : {1U, 2U, 3U}) {
        std::vector<float>& table = program.tables.emplace_back(pairs);
        for (float& value : table) value = 0.5F + static_cast<float>(below(100));
    }
    const std::uint32_t entries = 1 + below(3);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const auto first = static_cast<std::uint32_t>(program.items.size());
        items(program, below(static_cast<std::uint32_t>(longest) + 1));
        const auto count = static_cast<std::uint32_t>(program.items.size()) - first;
        program.entries.push_back({fmt::format("entry {}", i),
                                   static_cast<OpType>(below(op_type_names.size())),
                                   static_cast<Partitioning>(below(partitioning_names.size())),
                                   static_cast<Communication>(below(communication_names.size())),
                                   below(3), channel_mask(program.channels), first, count, below(2),
                                   below(100), below(5), below(100), 1 + below(3)});
    }
    return canonical(program);
}

}  // namespace memside::pim
