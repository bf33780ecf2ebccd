// A second functional model, value by value on maps, written from docs/pim-function.md alone:
// nothing of the product's but the instruction's fields, bf16 and the activation tables, which have
// tests of their own.
#pragma once

#include <array>
#include <map>
#include <tuple>
#include <vector>

#include "pim/functional_activation.h"
#include "pim/instruction.h"
#include "pim/reference_arithmetic.h"

namespace memside::pim::reference {

class ReferenceMachine {
  public:
    // Keys end with the value's number in its row, GBuf, register file or output buffer.
    std::map<std::tuple<unsigned, unsigned, unsigned, unsigned>, Bf16> banks;
    std::map<std::pair<unsigned, unsigned>, Bf16> gbufs;
    std::map<unsigned, Bf16> gprs;
    std::map<std::tuple<unsigned, unsigned, unsigned>, float> accumulators;  // channel, out, bank
    std::map<std::tuple<unsigned, unsigned, unsigned>, Bf16> activations;
    std::array<unsigned, 3> cfr{};
    std::uint64_t unwritten = 0;  // readings of tiles that were not written in full

    void run(const Instruction& i) {
        std::vector<unsigned> channels;
        for (unsigned bit = 32; bit-- > 0;) {
            if ((i.mask >> bit) % 2 == 1) channels.push_back(31 - bit);
        }
        if (i.opcode == Opcode::ewadd) run_ewadd(i);
        if (i.opcode == Opcode::write_cfr) cfr[i.gpr] = i.gpr2;
        if (i.opcode == Opcode::read_gpr) gpr(i.gpr);
        if (i.opcode == Opcode::read_mem) bank(i.channel, i.bank, i.row, i.column);
        if (i.opcode == Opcode::wr_gb) {
            // One reading of the registers serves all channels.
            for (unsigned n = 0; n < i.opsize; ++n) {
                const auto values = gpr(i.gpr + n);
                for (const unsigned c : channels) put_gbuf(c, i.gbuf + n, values);
            }
            return;
        }
        const bool from_gpr =
            i.opcode == Opcode::wr_sbk || i.opcode == Opcode::wr_abk || i.opcode == Opcode::wr_bias;
        const std::vector<Bf16> source = from_gpr ? gpr(i.gpr) : std::vector<Bf16>();
        for (std::size_t k = 0; k < channels.size(); ++k) {
            run_on(i, channels[k], i.gpr + static_cast<unsigned>(k), source);
        }
    }

  private:
    void run_on(const Instruction& i, unsigned c, unsigned target,
                const std::vector<Bf16>& source) {
        switch (i.opcode) {
            case Opcode::wr_sbk:
                return put_bank(c, i.bank, i.row, i.column, source);
            case Opcode::wr_abk:
                for (unsigned b = 0; b < 16; ++b) put_bank(c, b, i.row, i.column, source);
                return;
            case Opcode::wr_bias:
                for (unsigned b = 0; b < 16; ++b) accumulators[{c, i.out, b}] = value_of(source[b]);
                return;
            case Opcode::rd_mac:
                for (unsigned b = 0; b < 16; ++b) {
                    gprs[target * 16 + b] = to_bf16(accumulator(c, i.out, b));
                }
                return;
            case Opcode::rd_af: {
                bool complete = true;
                for (unsigned b = 0; b < 16; ++b) {
                    const auto found = activations.find({c, i.out, b});
                    complete = complete && found != activations.end();
                    gprs[target * 16 + b] = found == activations.end() ? Bf16{} : found->second;
                }
                if (!complete) ++unwritten;
                return;
            }
            case Opcode::rd_sbk: {
                const auto values = bank(c, i.bank, i.row, i.column);
                for (unsigned v = 0; v < 16; ++v) gprs[target * 16 + v] = values[v];
                return;
            }
            case Opcode::copy_bkgb:
                for (unsigned n = 0; n < i.opsize; ++n) {
                    put_gbuf(c, i.gbuf + n, bank(c, i.bank, i.row, i.column + n));
                }
                return;
            case Opcode::copy_gbbk:
                for (unsigned n = 0; n < i.opsize; ++n) {
                    put_bank(c, i.bank, i.row, i.column + n, gbuf(c, i.gbuf + n));
                }
                return;
            case Opcode::mac_sbk:
                return mac(i, c, i.bank, i.bank);
            case Opcode::mac_abk:
                return mac(i, c, 0, 15);
            case Opcode::af:
                for (unsigned b = 0; b < 16; ++b) {
                    activations[{c, i.out, b}] =
                        activate(static_cast<Activation>(cfr[2]), accumulator(c, i.out, b));
                }
                return;
            case Opcode::ewmul:
                for (unsigned group = 0; group < (cfr[1] == 0 ? 1U : 4U); ++group) {
                    for (unsigned n = 0; n < i.opsize; ++n)
                        ewmul(c, 4 * group, i.row, i.column + n);
                }
                return;
            default:
                return;
        }
    }

    void mac(const Instruction& i, unsigned c, unsigned from, unsigned to) {
        for (unsigned b = from; b <= to; ++b) (void)accumulator(c, i.out, b);
        for (unsigned n = 0; n < i.opsize; ++n) {
            std::vector<float> vector;
            if (cfr[0] == 0) vector = values_of(gbuf(c, i.gbuf + n));
            for (unsigned b = from; b <= to; ++b) {
                if (cfr[0] == 1) vector = values_of(bank(c, (b + 1) % 16, i.row, i.column + n));
                accumulators[{c, i.out, b}] +=
                    column_dot(values_of(bank(c, b, i.row, i.column + n)), vector);
            }
        }
    }

    void ewmul(unsigned c, unsigned first, unsigned row, unsigned column) {
        const auto a = values_of(bank(c, first, row, column));
        const auto b = values_of(bank(c, first + 1, row, column));
        std::vector<Bf16> product(16);
        for (std::size_t v = 0; v < 16; ++v) product[v] = to_bf16(a[v] * b[v]);
        put_bank(c, first + 2, row, column, product);
    }

    void run_ewadd(const Instruction& i) {
        for (unsigned n = 0; n < i.opsize; ++n) {
            const auto a = values_of(gpr(i.gpr + n));
            const auto b = values_of(gpr(i.gpr2 + n));
            for (unsigned v = 0; v < 16; ++v) gprs[(i.gpr + n) * 16 + v] = to_bf16(a[v] + b[v]);
        }
    }

    // What is missing counts as one reading of an unwritten tile, and as zeros.
    template <typename Key, typename Map>
    std::vector<Bf16> tile(const Map& map, unsigned first, const Key& key_of) {
        std::vector<Bf16> values(16);
        bool complete = true;
        for (unsigned v = 0; v < 16; ++v) {
            const auto found = map.find(key_of(first * 16 + v));
            if (found == map.end()) {
                complete = false;
            } else {
                values[v] = found->second;
            }
        }
        if (!complete) ++unwritten;
        return values;
    }
    std::vector<Bf16> bank(unsigned c, unsigned b, unsigned row, unsigned column) {
        return tile(banks, column, [&](unsigned v) { return std::tuple(c, b, row, v); });
    }
    std::vector<Bf16> gbuf(unsigned c, unsigned entry) {
        return tile(gbufs, entry, [&](unsigned v) { return std::pair(c, v); });
    }
    std::vector<Bf16> gpr(unsigned n) {
        return tile(gprs, n, [](unsigned v) { return v; });
    }
    float accumulator(unsigned c, unsigned out, unsigned b) {
        const auto found = accumulators.find({c, out, b});
        if (found != accumulators.end()) return found->second;
        ++unwritten;
        return 0.0F;
    }
    void put_bank(unsigned c, unsigned b, unsigned row, unsigned column,
                  const std::vector<Bf16>& values) {
        for (unsigned v = 0; v < 16; ++v) banks[{c, b, row, column * 16 + v}] = values[v];
    }
    void put_gbuf(unsigned c, unsigned entry, const std::vector<Bf16>& values) {
        for (unsigned v = 0; v < 16; ++v) gbufs[{c, entry * 16 + v}] = values[v];
    }
};

}  // namespace memside::pim::reference
