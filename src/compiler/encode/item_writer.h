// Makes items of a dynamic program of what a kernel writes, or of what a pass has left.
#pragma once

#include "compiler/plan/code_writer.h"
#include "pim/dynamic/dynamic_program.h"

namespace memside::compiler {

class ItemWriter : public CodeWriter {
  public:
    // Loops without a template around them, for who walks a tree.
    LoopId open(std::uint32_t count) { return begin_loop(count); }
    LoopId open_tokens(std::uint32_t span) { return begin_token_loop(span); }
    void close() { end_loop(); }

    std::size_t size() const { return items_.size(); }
    // All loops must have ended.
    std::vector<pim::DynamicItem> finish() && { return std::move(items_); }

  protected:
    LoopId begin_loop(std::uint32_t count) override;
    LoopId begin_token_loop(std::uint32_t span) override;
    void end_loop() override;
    void write(const CodeLine& line, const Steps& steps) override;
    void write(const pim::HubInstruction& hub, const Steps& steps) override;

  private:
    LoopId open(pim::DynamicItem item);
    std::vector<pim::Modification> modifications(const Steps& steps) const;

    std::vector<pim::DynamicItem> items_;
    std::vector<LoopId> open_;  // innermost last
    LoopId next_ = 0;
};

}  // namespace memside::compiler
