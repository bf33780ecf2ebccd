#include "pim/constraint_table.h"

#include <fstream>
#include <sstream>

#include "pim/shipped_timing.h"
#include "pim/tick_spacing.h"

namespace memside::pim {
namespace {

TEST(ConstraintTable, every_pair_of_commands_is_as_far_apart_as_the_rules_say) {
    const ConstraintTable table(shipped_timing());
    for (std::size_t first = 0; first < command_count; ++first) {
        for (std::size_t next = 0; next < command_count; ++next) {
            const auto a = static_cast<Command>(first);
            const auto b = static_cast<Command>(next);
            const bool banks = is_single_bank(a) && is_single_bank(b);
            for (const Scope shared : {Scope::channel, Scope::group, Scope::bank}) {
                const auto relation = !banks || shared == Scope::bank ? ticking::Relation::same_bank
                                      : shared == Scope::group ? ticking::Relation::same_group
                                                               : ticking::Relation::other_group;
                EXPECT_EQ(table.between(a, b, shared), ticking::spacing(a, b, relation, {}))
                    << first << " to " << next << ", level " << static_cast<int>(shared);
            }
        }
        EXPECT_EQ(table.completion(static_cast<Command>(first)),
                  ticking::completion(static_cast<Command>(first)));
    }
}

TEST(ConstraintTable, the_documentation_has_every_constraint_with_its_cycles) {
    std::stringstream text;
    text << std::ifstream(fmt::format("{}/docs/pim.md", MEMSIDE_SOURCE_DIR)).rdbuf();
    constexpr const char* scopes[] = {"channel", "group", "bank"};
    for (const Constraint& constraint : constraints_of(shipped_timing())) {
        const std::string cells =
            fmt::format("| `{}` | {} | {} |", constraint.name, constraint.cycles,
                        scopes[static_cast<std::size_t>(constraint.scope)]);
        EXPECT_THAT(text.str(), testing::HasSubstr(cells));
    }
}

TEST(ConstraintTable, a_command_that_parts_nothing_longer_has_no_gaps) {
    const ConstraintTable table(shipped_timing());
    EXPECT_EQ(table.channel(Command::tmod).any, 32);
    EXPECT_EQ(table.channel(Command::tmod).count, 0u);
    EXPECT_EQ(table.channel(Command::ref_all_bank).any, 240);
    EXPECT_EQ(table.bank(Command::mac16).count, 0u);
}

}  // namespace
}  // namespace memside::pim
