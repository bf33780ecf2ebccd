// A program whose loops follow a request's tokens and whose rows are virtual, so that one program
// serves every context (PIMphony's Dyn-Loop and Dyn-Modi; docs/pim-dynamic.md). Static programs are
// the same structure without token loops and virtual rows.
//
// The token axis is split by nested loops over pieces. The outermost piece is the request's tokens
// [0, T), the new one included. `Dyn-Loop span` runs over the pieces of `span` tokens of the piece
// around it, the last one shorter: ragged ends need no second copy of the code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pim/dynamic/hub_instruction.h"
#include "pim/instruction.h"
#include "pim/program.h"

namespace memside::pim {

// The operand grows by `step` in every iteration of the loop at `depth` (1 is the innermost around
// the item); entering that loop starts again from the written value. Of a hub instruction, `gpr`
// moves gpr, `out` gpr_out, and `row` gpr2.
struct Modification {
    Stride::Operand operand = Stride::Operand::row;
    std::uint16_t depth = 1;
    std::int32_t step = 0;

    friend bool operator==(const Modification&, const Modification&) = default;
};

struct DynamicItem {
    enum class Kind : std::uint8_t { loop_fixed, loop_tokens, loop_end, instruction, hub };

    Kind kind = Kind::loop_end;
    // With virtual_row the row, steps included, is one of the region: of a request's table, or from
    // the region's first row on. Else it is physical.
    bool virtual_row = false;
    std::uint32_t amount = 0;  // loop_fixed: iterations; loop_tokens: the span in tokens
    std::uint32_t region = 0;  // index; the entry's region_base is added
    // Not 0: the opsize is the tokens of the current piece over this, rounded up; 1 to 64.
    std::uint32_t opsize_span = 0;
    Instruction instruction;
    HubInstruction hub;  // its region, too, is relative to the entry's region_base
    std::vector<Modification> modifications;

    static DynamicItem loop(std::uint32_t count) {
        DynamicItem item;
        item.kind = Kind::loop_fixed;
        item.amount = count;
        return item;
    }
    static DynamicItem token_loop(std::uint32_t span) {
        DynamicItem item;
        item.kind = Kind::loop_tokens;
        item.amount = span;
        return item;
    }
    static DynamicItem end() { return {}; }
    static DynamicItem of(const Instruction& instruction,
                          std::vector<Modification> modifications = {}) {
        DynamicItem item;
        item.kind = Kind::instruction;
        item.instruction = instruction;
        item.modifications = std::move(modifications);
        return item;
    }
    static DynamicItem of(const HubInstruction& hub, std::vector<Modification> modifications = {}) {
        DynamicItem item;
        item.kind = Kind::hub;
        item.hub = hub;
        item.modifications = std::move(modifications);
        return item;
    }

    friend bool operator==(const DynamicItem&, const DynamicItem&) = default;
};

// Rows in all channels of the program at once.
struct Region {
    std::string name;
    // per_request: the virtual rows that the program may name, 0 any number. Else the rows that it
    // has from first_row on.
    std::uint32_t rows = 0;
    // K or V of a KV head, or of heads in lockstep: translated by the request's table, in chunks.
    bool per_request = false;
    std::uint32_t first_row = 0;
    // per_request, and not 0: every span_tokens tokens take span_rows rows more. A region that the
    // program appends to need not say so.
    std::uint32_t span_tokens = 0;
    std::uint32_t span_rows = 0;

    friend bool operator==(const Region&, const Region&) = default;
};

enum class OpType : std::uint8_t {
    attention,  // QK^T, softmax and SV under one token loop
    qkt,
    softmax,
    sv,
    gemv,
    norm,
    rope,
    gate,
    add,
    append,
    reduce,
    copy,
    other,
};
inline constexpr std::array<std::string_view, 13> op_type_names{
    "attention", "qkt", "softmax", "sv",     "gemv", "norm", "rope",
    "gate",      "add", "append",  "reduce", "copy", "other"};
enum class Partitioning : std::uint8_t { head, token, row, column, copy };
inline constexpr std::array<std::string_view, 5> partitioning_names{"head", "token", "row",
                                                                    "column", "copy"};
enum class Communication : std::uint8_t {
    none,
    concat,
    reduce,
    all_reduce,  // sums over the modules of a layer, known to all of them
    all_gather,  // the parts of all of them, one after the other
    all_to_all,  // part i of every module to module i
    send,        // to the next stage of layers
    receive,     // from the stage before
};
inline constexpr std::array<std::string_view, 8> communication_names{
    "none", "concat", "reduce", "all_reduce", "all_gather", "all_to_all", "send", "receive"};

// A row of the execution table: items [first_item, + item_count), whole loops, none where modules
// communicate only. Entries may share
// their items, each with its own regions. A request's step runs the entries in order.
struct ExecutionEntry {
    std::string name;  // "layer 3 kv head 0 attention"
    OpType op_type = OpType::other;
    Partitioning partitioning = Partitioning::copy;
    Communication communication = Communication::none;
    std::uint32_t module = 0;
    std::uint32_t channel_mask = 0;  // that its instructions address
    std::uint32_t first_item = 0;
    std::uint32_t item_count = 0;
    std::uint32_t region_base = 0;  // added to the items' regions
    // What modules exchange when the items are done: `tiles` registers from gpr on, of each part
    // when there are several. It arrives from gpr_out on.
    std::uint32_t gpr = 0;
    std::uint32_t tiles = 0;
    std::uint32_t gpr_out = 0;
    std::uint32_t parts = 1;  // modules that exchange, neighbours by number

    friend bool operator==(const ExecutionEntry&, const ExecutionEntry&) = default;
};

// A request's tokens over modules: blocks are dealt to them in turn, so that none ever moves. The
// program of such a module runs over its own tokens; positions are those of the whole request.
struct TokenShare {
    std::uint32_t modules = 1;
    std::uint32_t block = 0;  // tokens; 0 with one module
    std::uint32_t index = 0;

    std::uint64_t tokens(std::uint64_t all) const {
        if (modules == 1) return all;
        const std::uint64_t round = std::uint64_t{modules} * block;
        const std::uint64_t before = std::uint64_t{index} * block;
        const std::uint64_t rest = all % round;
        const std::uint64_t own = rest > before ? rest - before : 0;
        return all / round * block + (own < block ? own : block);
    }
    bool owns(std::uint64_t token) const {
        return modules == 1 || token / block % modules == index;
    }

    friend bool operator==(const TokenShare&, const TokenShare&) = default;
};

// The layers of a model that a pipeline's stage has: [first_layer, + layers). 0 layers: not said.
struct StagePlace {
    std::uint32_t stage = 0;
    std::uint32_t stages = 1;
    std::uint32_t first_layer = 0;
    std::uint32_t layers = 0;

    friend bool operator==(const StagePlace&, const StagePlace&) = default;
};

struct DynamicProgram {
    std::string model;
    std::string target;
    unsigned channels = channel_count;  // those that the low bits of a mask address
    std::uint32_t chunk_rows = 1;       // of per-request regions, in all channels at once
    std::uint64_t max_tokens = 0;       // of a request; 0: any number
    std::uint32_t block_tokens = 0;     // of the outermost token loops; 0: none. For statistics
    StagePlace stage;
    TokenShare share;  // the module's tokens of a request; its index is 0 here
    std::vector<std::vector<float>> tables;  // that hub instructions name: rotation's divisors
    std::vector<Region> regions;
    std::vector<ExecutionEntry> entries;
    std::vector<DynamicItem> items;

    friend bool operator==(const DynamicProgram&, const DynamicProgram&) = default;
};

// Names and texts: bytes that are printable or of UTF-8 beyond ASCII.
inline constexpr std::size_t max_name_bytes = 256;
// A choice that bounds what a hostile file can make a reader allocate, at some 200 bytes an item.
inline constexpr std::size_t max_dynamic_items = std::size_t{1} << 23;
inline constexpr std::size_t max_dynamic_entries = std::size_t{1} << 16;
inline constexpr std::size_t max_dynamic_regions = std::size_t{1} << 20;
inline constexpr std::size_t max_dynamic_tables = std::size_t{1} << 12;
inline constexpr std::uint32_t max_token_modules = 1024;
inline constexpr std::uint64_t max_request_tokens = std::uint64_t{1} << 31;

// Whether loops nest (up to max_loop_depth, none empty), entries hold whole loops, regions exist,
// and operands are in range in every iteration at every context up to max_tokens. With max_tokens 0
// an operand that grows with the outermost token loop must be a virtual row: expansion checks those
// against the request's table. Errors name the item by its index. `where` stands before it.
Status validate(const DynamicProgram& program, const std::string& where);

// The first thing that validate() refuses, and where it is.
struct ProgramFault {
    enum class Part : std::uint8_t { head, region, item, entry, end };
    Part part = Part::head;
    std::size_t index = 0;  // of the region, item or entry
    std::string what;
};
std::optional<ProgramFault> find_fault(const DynamicProgram& program);

// Instructions and hub instructions as canonical() gives them; fields of other kinds at defaults.
DynamicProgram canonical(const DynamicProgram& program);

}  // namespace memside::pim
