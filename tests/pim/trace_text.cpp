#include "pim/trace_text.h"

#include <map>
#include <sstream>
#include <stdexcept>

namespace memside::pim {
namespace {

struct Form {
    Opcode opcode;
    std::string operands;  // o opsize, g gpr, h second gpr, m mask, b bank, r row, c channel
};

const std::map<std::string, Form>& forms() {
    static const std::map<std::string, Form> table = {
        {"AiM WR_SBK", {Opcode::wr_sbk, "gmbr"}},
        {"AiM WR_ABK", {Opcode::wr_abk, "gmr"}},
        {"AiM WR_GB", {Opcode::wr_gb, "ogm"}},
        {"AiM WR_BIAS", {Opcode::wr_bias, "gm"}},
        {"AiM RD_MAC", {Opcode::rd_mac, "gm"}},
        {"AiM RD_AF", {Opcode::rd_af, "gm"}},
        {"AiM RD_SBK", {Opcode::rd_sbk, "gmbr"}},
        {"AiM COPY_BKGB", {Opcode::copy_bkgb, "ombr"}},
        {"AiM COPY_GBBK", {Opcode::copy_gbbk, "ombr"}},
        {"AiM MAC_SBK", {Opcode::mac_sbk, "ombr"}},
        {"AiM MAC_ABK", {Opcode::mac_abk, "omr"}},
        {"AiM AF", {Opcode::af, "m"}},
        {"AiM EWMUL", {Opcode::ewmul, "omr"}},
        {"AiM EWADD", {Opcode::ewadd, "ogh"}},
        {"AiM SYNC", {Opcode::sync, ""}},
        {"AiM EOC", {Opcode::eoc, ""}},
        {"W GPR", {Opcode::write_gpr, "g"}},
        {"R GPR", {Opcode::read_gpr, "g"}},
        {"W CFR", {Opcode::write_cfr, "gh"}},
        {"W MEM", {Opcode::write_mem, "cbr"}},
        {"R MEM", {Opcode::read_mem, "cbr"}},
    };
    return table;
}

Instruction parse_line(const std::string& line) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    const auto form = forms().find(first + " " + second);
    if (form == forms().end()) throw std::runtime_error("unknown instruction: " + line);
    Instruction instruction{.opcode = form->second.opcode};
    for (const char operand : form->second.operands) {
        std::string word;
        if (!(words >> word)) throw std::runtime_error("too few operands: " + line);
        const auto value = static_cast<std::uint32_t>(std::stoul(word, nullptr, 0));
        if (operand == 'o') instruction.opsize = value;
        if (operand == 'g') instruction.gpr = value;
        if (operand == 'h') instruction.gpr2 = value;
        if (operand == 'm') instruction.mask = value;
        if (operand == 'b') instruction.bank = static_cast<std::uint8_t>(value);
        if (operand == 'r') instruction.row = value;
        if (operand == 'c') instruction.channel = static_cast<std::uint8_t>(value);
    }
    if (std::string rest; words >> rest) throw std::runtime_error("too many operands: " + line);
    return instruction;
}

}  // namespace

std::vector<Instruction> parse_trace_text(const std::string& text) {
    std::vector<Instruction> instructions;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        line = line.substr(0, line.find('#'));
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        instructions.push_back(parse_line(line));
    }
    return instructions;
}

}  // namespace memside::pim
