#include "pim/energy.h"

#include "base/config.h"
#include "base/data_dir.h"
#include "dram/constant_reader.h"
#include "pim/instruction_table.h"
#include "pim/program_walk.h"

namespace memside::pim {
namespace {

struct NamedConstant {
    const char* section;
    const char* key;
    double EnergyModel::* value;
};

constexpr NamedConstant named_constants[] = {
    {"commands", "act_mw", &EnergyModel::act_mw},
    {"commands", "act_ns", &EnergyModel::act_ns},
    {"commands", "rd_mw", &EnergyModel::rd_mw},
    {"commands", "wr_mw", &EnergyModel::wr_mw},
    {"commands", "burst_ns", &EnergyModel::burst_ns},
    {"commands", "mac16_rd_powers", &EnergyModel::mac16_rd_powers},
    {"commands", "mac16_ns", &EnergyModel::mac16_ns},
    {"commands", "mac_per_mac16", &EnergyModel::mac_per_mac16},
    {"commands", "af16_per_mac16", &EnergyModel::af16_per_mac16},
    {"commands", "ewmul16_per_mac16", &EnergyModel::ewmul16_per_mac16},
    {"commands", "wra16_bursts", &EnergyModel::wra16_bursts},
    {"commands", "rdcp_bursts", &EnergyModel::rdcp_bursts},
    {"commands", "wrcp_bursts", &EnergyModel::wrcp_bursts},
    {"commands", "register_transfer_pj", &EnergyModel::register_transfer_pj},
    {"commands", "tmod_pj", &EnergyModel::tmod_pj},
    {"commands", "refresh_rows", &EnergyModel::refresh_rows},
    {"standby", "active_mw", &EnergyModel::active_mw},
    {"standby", "precharged_mw", &EnergyModel::precharged_mw},
    {"standby", "active_share", &EnergyModel::active_share},
    {"transfer", "pins_pj_per_bit", &EnergyModel::pins_pj_per_bit},
    {"transfer", "link_pj_per_bit", &EnergyModel::link_pj_per_bit},
    {"controller", "logic_mw", &EnergyModel::logic_mw},
    {"controller", "interface_mw", &EnergyModel::interface_mw},
    {"controller", "channels", &EnergyModel::channels},
    {"scheduling", "dcs_bytes_per_controller", &EnergyModel::dcs_bytes_per_controller},
    {"scheduling", "dcs_control_area_ratio", &EnergyModel::dcs_control_area_ratio},
    {"scheduling", "dcs_power_ratio", &EnergyModel::dcs_power_ratio},
    {"scheduling", "dpa_dispatcher_area_ratio", &EnergyModel::dpa_dispatcher_area_ratio},
    {"scheduling", "dpa_buffer_bytes", &EnergyModel::dpa_buffer_bytes},
};

constexpr double tile_bits = lanes * 16;

}  // namespace

Result<EnergyModel> read_energy_model(const std::string& path) {
    MEMSIDE_TRY(const ConfigNode document, read_config(path));
    std::vector<std::string> sections{"name", "sources"};
    for (const NamedConstant& constant : named_constants) {
        if (sections.back() != constant.section) sections.emplace_back(constant.section);
    }
    MEMSIDE_CHECK(expect_keys(document, sections));
    EnergyModel model;
    MEMSIDE_TRY(model.name, required_text(document, "name"));
    for (std::size_t i = 2; i < sections.size(); ++i) {
        MEMSIDE_TRY(auto section,
                    dram::ConstantSection::open(document, sections[i], model.constants));
        std::vector<std::string> keys;
        for (const NamedConstant& constant : named_constants) {
            if (sections[i] == constant.section) keys.emplace_back(constant.key);
        }
        MEMSIDE_CHECK(expect_keys(section.node(), keys));
        for (const NamedConstant& constant : named_constants) {
            if (sections[i] != constant.section) continue;
            MEMSIDE_TRY(model.*constant.value, section.plain(constant.key));
        }
        // Controllers are counted in whole channels; standby cannot be active for more than always.
        if (sections[i] == "controller" && model.channels < 1) {
            return bad_input(section.node().find("channels")->where(), "'channels' is below 1");
        }
        if (sections[i] == "standby" && model.active_share > 1) {
            return bad_input(section.node().find("active_share")->where(),
                             "'active_share' is above 1");
        }
    }
    return model;
}

Result<std::string> default_energy_path() {
    MEMSIDE_TRY(const std::string data, data_dir());
    return data + "/systems/pim/gddr6-aim-energy.yaml";
}

std::array<double, command_count> EnergyModel::command_pj() const {
    const double pins_pj = tile_bits * pins_pj_per_bit;
    const double act_pj = act_mw * act_ns;
    const double rd_pj = rd_mw * burst_ns;
    const double wr_pj = wr_mw * burst_ns;
    const double mac16_pj = mac16_rd_powers * rd_mw * mac16_ns;
    std::array<double, command_count> pj{};
    const auto set = [&](Command command, double value) {
        pj[static_cast<std::size_t>(command)] = value;
    };
    set(Command::act, act_pj);
    set(Command::act16, bank_count * act_pj);
    set(Command::pre, 0);  // part of its ACT
    set(Command::prea, 0);
    set(Command::tmod, tmod_pj);
    set(Command::rd, rd_pj + pins_pj);
    set(Command::wr, wr_pj + pins_pj);
    set(Command::wra16, wra16_bursts * wr_pj + pins_pj);
    set(Command::rdcp, rdcp_bursts * rd_pj);
    set(Command::wrcp, wrcp_bursts * wr_pj);
    set(Command::mac16, mac16_pj);
    set(Command::mac, mac_per_mac16 * mac16_pj);
    set(Command::af16, af16_per_mac16 * mac16_pj);
    set(Command::ewmul16, ewmul16_per_mac16 * mac16_pj);
    for (const Command command :
         {Command::wrgb, Command::wrmac16, Command::rdmac16, Command::rdaf16}) {
        set(command, register_transfer_pj + pins_pj);
    }
    set(Command::ref_all_bank, refresh_rows * bank_count * act_pj);
    set(Command::ref_per_bank, refresh_rows * act_pj);
    return pj;
}

std::uint64_t host_tiles(const Program& program) {
    std::uint64_t tiles = 0;
    std::uint64_t repeats = 1;
    std::vector<std::uint32_t> counts;
    walk(
        program,
        [&](std::uint32_t count) {
            counts.push_back(count);
            repeats *= count;
        },
        [&] {
            repeats /= counts.back();
            counts.pop_back();
        },
        [&](std::size_t index, const std::vector<DepthStride>&) {
            switch (program.instructions[index].opcode) {
                case Opcode::write_gpr:
                case Opcode::read_gpr:
                case Opcode::write_mem:
                case Opcode::read_mem:
                    tiles += repeats;
                    break;
                default:
                    break;
            }
        });
    return tiles;
}

std::vector<EnergyEntry> run_energy(const EnergyModel& model, const SimulationResult& result,
                                    const Timing& timing, std::uint64_t tiles,
                                    Scheduler scheduler) {
    std::vector<EnergyEntry> entries;
    const auto counts = result.commands();
    const auto command_pj = model.command_pj();
    for (std::size_t i = 0; i < command_count; ++i) {
        const auto command = static_cast<Command>(i);
        if (counts[i] == 0 || command == Command::pre || command == Command::prea) continue;
        entries.push_back(
            {std::string(command_name(command)), static_cast<double>(counts[i]) * command_pj[i]});
    }
    const double time_ns = static_cast<double>(result.cycles) * timing.clock_ns;
    double active = 0;  // channels
    for (const ChannelResult& channel : result.channels) {
        const bool opens = channel.commands[static_cast<std::size_t>(Command::act)] != 0 ||
                           channel.commands[static_cast<std::size_t>(Command::act16)] != 0;
        if (opens) active += model.active_share;
    }
    entries.push_back({"active standby", active * model.active_mw * time_ns});
    entries.push_back(
        {"precharged standby", (channel_count - active) * model.precharged_mw * time_ns});
    const double controllers_pj =
        channel_count / model.channels * (model.logic_mw + model.interface_mw) * time_ns;
    entries.push_back({"controllers", controllers_pj});
    if (scheduler == Scheduler::dcs) {
        entries.push_back({"command scheduling", model.dcs_power_ratio * controllers_pj});
    }
    entries.push_back(
        {"host link", static_cast<double>(tiles) * tile_bits * model.link_pj_per_bit});
    std::erase_if(entries, [](const EnergyEntry& entry) {
        return entry.pj == 0 && entry.name.find(' ') != std::string::npos;
    });
    return entries;
}

}  // namespace memside::pim
