#include "pim/random_program.h"

#include <random>

namespace memside::pim {
namespace {

class Generator {
  public:
    explicit Generator(const RandomProgramOptions& options)
        : options_(options), random_(options.seed) {
        for (unsigned i = 0; i < options_.masks; ++i) known_masks_.push_back(any_mask());
    }

    Instruction next() {
        const double draw = share();
        if (draw < options_.host) return host();
        if (draw < options_.host + options_.barriers) return {.opcode = Opcode::sync};
        constexpr Opcode opcodes[] = {
            Opcode::wr_abk,  Opcode::wr_gb,   Opcode::wr_gb,     Opcode::wr_bias,
            Opcode::rd_mac,  Opcode::rd_af,   Opcode::copy_bkgb, Opcode::copy_gbbk,
            Opcode::mac_sbk, Opcode::mac_abk, Opcode::mac_abk,   Opcode::af,
            Opcode::ewmul,   Opcode::ewadd,   Opcode::write_gpr, Opcode::write_cfr};
        Instruction i{.opcode = opcodes[below(std::size(opcodes))]};
        if (i.opcode == Opcode::write_cfr) {
            i.gpr = below(3);
            i.gpr2 = below(i.gpr == 2 ? 8 : 2);
            return i;
        }
        if (i.opcode == Opcode::write_gpr) return i;
        const bool sized = i.opcode == Opcode::wr_gb || i.opcode == Opcode::copy_bkgb ||
                           i.opcode == Opcode::copy_gbbk || i.opcode == Opcode::mac_sbk ||
                           i.opcode == Opcode::mac_abk || i.opcode == Opcode::ewmul ||
                           i.opcode == Opcode::ewadd;
        if (sized) i.opsize = opsize();
        if (i.opcode == Opcode::ewadd) return i;
        i.mask = mask();
        i.row = below(options_.rows);
        i.bank = static_cast<std::uint8_t>(below(bank_count));
        return i;
    }

  private:
    Instruction host() {
        constexpr Opcode opcodes[] = {Opcode::write_mem, Opcode::read_mem, Opcode::wr_sbk,
                                      Opcode::rd_sbk};
        Instruction i{.opcode = opcodes[below(std::size(opcodes))]};
        i.bank = static_cast<std::uint8_t>(below(bank_count));
        i.row = below(options_.rows);
        if (i.opcode == Opcode::write_mem || i.opcode == Opcode::read_mem) {
            i.channel = static_cast<std::uint8_t>(below(options_.channels));
        } else {
            i.mask = mask();
        }
        return i;
    }

    std::uint32_t opsize() {
        constexpr std::uint32_t usual[] = {1, 1, 2, 4, 8, 16, 33, 34, 64};
        const std::uint32_t size = share() < 0.5 ? usual[below(std::size(usual))] : 1 + below(64);
        return std::min(size, options_.longest);
    }
    std::uint32_t mask() {
        if (!known_masks_.empty()) {
            return known_masks_[below(static_cast<std::uint32_t>(known_masks_.size()))];
        }
        return any_mask();
    }
    std::uint32_t any_mask() {
        const std::uint32_t all = 0xffffffffu << (channel_count - options_.channels);
        if (share() < options_.whole) return all;
        if (share() < 0.5) return 1u << (31 - below(options_.channels));
        const std::uint32_t some = static_cast<std::uint32_t>(random_()) & all;
        return some != 0 ? some : all;
    }
    std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
    double share() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

    RandomProgramOptions options_;
    std::mt19937_64 random_;
    std::vector<std::uint32_t> known_masks_;
};

}  // namespace

std::vector<Instruction> random_program(const RandomProgramOptions& options) {
    Generator generator(options);
    std::vector<Instruction> program;
    for (std::size_t i = 0; i < options.instructions; ++i) program.push_back(generator.next());
    return program;
}

std::string program_text(const std::vector<Instruction>& instructions) {
    std::string text;
    for (const Instruction& i : instructions) {
        text += fmt::format("opcode {} opsize {} mask {:#x} bank {} row {} channel {} gpr {} {}\n",
                            static_cast<int>(i.opcode), i.opsize, i.mask, i.bank, i.row, i.channel,
                            i.gpr, i.gpr2);
    }
    return text;
}

}  // namespace memside::pim
