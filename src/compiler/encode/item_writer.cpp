#include "compiler/encode/item_writer.h"

#include <algorithm>
#include <cassert>

#include "pim/instruction_table.h"

namespace memside::compiler {

LoopId ItemWriter::open(pim::DynamicItem item) {
    items_.push_back(std::move(item));
    open_.push_back(next_);
    return next_++;
}

LoopId ItemWriter::begin_loop(std::uint32_t count) {
    return open(pim::DynamicItem::loop(count));
}

LoopId ItemWriter::begin_token_loop(std::uint32_t span) {
    return open(pim::DynamicItem::token_loop(span));
}

void ItemWriter::end_loop() {
    assert(!open_.empty());
    open_.pop_back();
    items_.push_back(pim::DynamicItem::end());
}

std::vector<pim::Modification> ItemWriter::modifications(const Steps& steps) const {
    std::vector<pim::Modification> made;
    for (const Step& step : steps) {
        const auto loop = std::find(open_.begin(), open_.end(), step.loop);
        assert(loop != open_.end());
        assert(step.step == static_cast<std::int32_t>(step.step));
        made.push_back({step.operand, static_cast<std::uint16_t>(open_.end() - loop),
                        static_cast<std::int32_t>(step.step)});
    }
    return made;
}

void ItemWriter::write(const CodeLine& line, const Steps& steps) {
    pim::DynamicItem item =
        pim::DynamicItem::of(pim::canonical(line.instruction), modifications(steps));
    // All that may be left out is written: canonical() leaves out what equals its default, which a
    // step would make ambiguous.
    item.instruction.written = pim::info(line.instruction.opcode).optional;
    item.virtual_row = line.region.has_value();
    item.region = line.region.value_or(0);
    item.opsize_span = line.opsize_span;
    items_.push_back(std::move(item));
}

void ItemWriter::write(const pim::HubInstruction& hub, const Steps& steps) {
    items_.push_back(pim::DynamicItem::of(pim::canonical(hub), modifications(steps)));
}

}  // namespace memside::compiler
