#include <gtest/gtest.h>

#include <set>

#include "system/device.h"
#include "system/system_spec.h"

namespace memside {
namespace {

TEST(Schema, every_kind_has_a_name_and_reads_back) {
    ASSERT_EQ(kind_names().size(), 9u);
    for (const std::string& name : kind_names()) {
        const auto kind = kind_from_name(name);
        ASSERT_TRUE(kind.has_value());
        EXPECT_EQ(kind_name(*kind), name);
        EXPECT_FALSE(schema(*kind).empty());
    }
    EXPECT_FALSE(kind_from_name("host").has_value());
}

TEST(Schema, keys_are_unique_and_explained) {
    for (const std::string& name : kind_names()) {
        std::set<std::string_view> seen;
        for (const SchemaKey& key : schema(*kind_from_name(name))) {
            EXPECT_TRUE(seen.insert(key.key).second) << name << "." << key.key;
            EXPECT_FALSE(key.meaning.empty());
            EXPECT_NE(key.key, "count");  // --set role.count is the number of devices
            EXPECT_NE(key.key, "use");    // and role.use the description
            EXPECT_EQ(schema_key(*kind_from_name(name), key.key), &key);
        }
    }
    EXPECT_EQ(schema_key(ComponentKind::gpu, "clock"), nullptr);
}

// Models divide by rates, capacities and efficiencies; latencies and prices may vanish.
TEST(Schema, what_divides_must_be_positive) {
    for (const std::string& name : kind_names()) {
        for (const SchemaKey& key : schema(*kind_from_name(name))) {
            const bool rate = key.dimension == Dimension::bytes_per_second ||
                              key.dimension == Dimension::flop_per_second ||
                              key.dimension == Dimension::hertz ||
                              key.dimension == Dimension::bytes ||
                              key.dimension == Dimension::count || key.key.ends_with("efficiency");
            if (rate) {
                EXPECT_TRUE(key.positive) << name << "." << key.key;
            }
            if (key.dimension == Dimension::seconds || key.dimension == Dimension::flag) {
                EXPECT_FALSE(key.positive) << name << "." << key.key;
            }
        }
    }
}

TEST(Schema, gpus_their_link_and_prices_are_required) {
    std::set<std::string_view> required;
    for (const RoleInfo& role : system_roles()) {
        if (role.required) required.insert(role.role);
        EXPECT_EQ(find_role(role.role), &role);
    }
    EXPECT_EQ(required, (std::set<std::string_view>{"gpu", "gpu_link", "cost"}));
    EXPECT_EQ(find_role("host"), nullptr);
}

TEST(Operations, have_names_for_messages) {
    std::set<std::string> names;
    for (const Operation& operation :
         {Operation(Gemm{}), Operation(Attention{}), Operation(PromptAttention{}),
          Operation(DigestScan{}), Operation(TopK{}), Operation(KvAppend{}),
          Operation(VectorOp{})}) {
        names.insert(operation_name(operation));
    }
    EXPECT_EQ(names, (std::set<std::string>{"attention", "digest scan", "gemm", "kv append",
                                            "prompt attention", "top-k", "vector operation"}));
}

}  // namespace
}  // namespace memside
