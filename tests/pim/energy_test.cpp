#include "pim/energy.h"

#include "pim/instruction_table.h"
#include "pim/text_reader.h"

namespace memside::pim {
namespace {

constexpr auto index(Command command) {
    return static_cast<std::size_t>(command);
}

class Energy : public testing::Test {
  protected:
    Energy() : model_(*read_energy_model(MEMSIDE_SOURCE_DIR "/systems/pim/gddr6-aim-energy.yaml")) {
        timing_.clock_ns = 0.5;
    }
    double pj(Command command) const { return model_.command_pj()[index(command)]; }

    EnergyModel model_;
    Timing timing_;
};

// By hand: mW x ns = pJ; 256 bits x 5.5 pJ = 1,408 pJ on the pins.
TEST_F(Energy, a_command_costs_what_the_sources_say) {
    EXPECT_DOUBLE_EQ(pj(Command::act), 2950.35);         // 66.3 x 44.5
    EXPECT_DOUBLE_EQ(pj(Command::act16), 47205.6);       // 16 banks
    EXPECT_DOUBLE_EQ(pj(Command::rd), 547.6875 + 1408);  // 438.15 x 1.25
    EXPECT_DOUBLE_EQ(pj(Command::wr), 691.4375 + 1408);  // 553.15 x 1.25
    EXPECT_DOUBLE_EQ(pj(Command::mac16), 1314.45);       // 3 x 438.15 x 1
    EXPECT_DOUBLE_EQ(pj(Command::pre) + pj(Command::prea), 0.0);
}

TEST_F(Energy, what_is_assumed_follows_from_the_sources) {
    EXPECT_DOUBLE_EQ(pj(Command::mac), 82.153125);  // a sixteenth of MAC16
    EXPECT_DOUBLE_EQ(pj(Command::wrgb), 1408.0);
    EXPECT_DOUBLE_EQ(pj(Command::rdmac16), 1408.0);
    EXPECT_DOUBLE_EQ(pj(Command::wra16), 16 * 691.4375 + 1408);
    EXPECT_DOUBLE_EQ(pj(Command::rdcp), 547.6875);
    EXPECT_DOUBLE_EQ(pj(Command::ref_all_bank), 47205.6);  // a row of each bank
    EXPECT_DOUBLE_EQ(pj(Command::ref_per_bank), 2950.35);
    const auto assumed = std::count_if(model_.constants.begin(), model_.constants.end(),
                                       [](const auto& constant) { return constant.assumed(); });
    EXPECT_EQ(assumed, 10);
    EXPECT_EQ(model_.constants.size(), 29u);
}

TEST_F(Energy, a_run_adds_commands_standby_controllers_and_the_link) {
    SimulationResult result;
    result.cycles = 2000;  // 1,000 ns
    result.channels[3].addressed = true;
    result.channels[3].commands[index(Command::act16)] = 2;
    result.channels[3].commands[index(Command::prea)] = 1;
    result.channels[3].commands[index(Command::mac16)] = 10;
    std::map<std::string, double> pj;
    for (const EnergyEntry& entry : run_energy(model_, result, timing_, 3, Scheduler::in_order)) {
        EXPECT_TRUE(pj.emplace(entry.name, entry.pj).second) << entry.name;
    }
    EXPECT_EQ(pj.size(), 6u);
    EXPECT_DOUBLE_EQ(pj["ACT16"], 94411.2);
    EXPECT_DOUBLE_EQ(pj["MAC16"], 13144.5);
    EXPECT_DOUBLE_EQ(pj["active standby"], 263750.0);
    EXPECT_DOUBLE_EQ(pj["precharged standby"], 31 * 183150.0);
    EXPECT_DOUBLE_EQ(pj["controllers"], 16 * 648700.0);
    EXPECT_DOUBLE_EQ(pj["host link"], 3 * 256 * 4.4);
}

TEST_F(Energy, dynamic_scheduling_adds_its_share_of_the_controllers) {
    SimulationResult result;
    result.cycles = 2000;
    for (const EnergyEntry& entry : run_energy(model_, result, timing_, 0, Scheduler::dcs)) {
        if (entry.name == "command scheduling") {
            EXPECT_DOUBLE_EQ(entry.pj, 0.013 * 16 * 648700.0);
            return;
        }
    }
    FAIL() << "no entry for the scheduler";
}

TEST_F(Energy, the_hosts_tiles_are_counted_in_loops_without_unrolling) {
    const auto program = parse_text(
        "W GPR 0\nLOOP 1000000\nR GPR 1\nAiM SYNC\nLOOP 3\nW MEM 0 0 0\nR MEM 0 0 0\nEND\nEND\n"
        "W CFR 0 1\nAiM EOC\n",
        "x.aim");
    ASSERT_TRUE(program.ok());
    EXPECT_EQ(host_tiles(*program), 1u + 1000000 * (1 + 3 * 2));
}

}  // namespace
}  // namespace memside::pim
