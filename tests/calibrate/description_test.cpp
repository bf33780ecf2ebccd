#include "calibrate/calibrate.h"
#include "system/cpu_schema.h"
#include "system/system_reader.h"

namespace memside::calibrate {
namespace {

std::string text_of(const SchemaKey& key, int number) {
    switch (key.dimension) {
        case Dimension::bytes:
            return fmt::format("{} MiB", number);
        case Dimension::bytes_per_second:
            return fmt::format("{} GB/s", number);
        case Dimension::seconds:
            return fmt::format("{} ns", number);
        case Dimension::ratio:
            return "0.5";
        default:
            return fmt::format("{}", number);
    }
}

// Every constant of the schema, each another number.
Calibration made_up() {
    Calibration calibration;
    calibration.threads = 2;
    calibration.kernels = "kernels";
    int number = 10;
    for (const SchemaKey& key : cpu_schema()) {
        ++number;
        const bool threads = key.key == "cores" || key.key == "threads";
        calibration.all.push_back({std::string(key.key), threads ? "2" : text_of(key, number),
                                   "median of 9 turns", threads ? 0.0 : 0.021});
        calibration.single.push_back(
            {std::string(key.key), threads ? "1" : text_of(key, number), "median of 9 turns", 0.0});
    }
    return calibration;
}

Result<SystemSpec> read(const std::string& text) {
    return parse_system(text, "this-cpu.yaml", ComponentLibrary({}));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return text;
}

TEST(DescriptionTest, the_reader_gives_every_constant_back) {
    const Calibration calibration = made_up();
    const auto system = read(describe(calibration, "9.9.9", "2026-11-24"));
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->name, "this-cpu");
    for (const auto& [role, constants] :
         {std::pair("cpu", &calibration.all), std::pair("cpu_single", &calibration.single)}) {
        for (const MeasuredConstant& constant : *constants) {
            EXPECT_EQ(system->at(role).constant(constant.key).text, constant.text) << constant.key;
        }
    }
    EXPECT_EQ(system->at("cpu").constant("stream_rate").source,
              "measured by memside calibrate 9.9.9 on 2026-11-24, 2 threads, median of 9 turns, "
              "spread 2.1 %");
}

TEST(DescriptionTest, errors_say_where_and_what_is_allowed) {
    const std::string good = describe(made_up(), "9.9.9", "2026-11-24");
    const auto error = [](const std::string& text) {
        const auto system = read(text);
        return system.ok() ? "read" : system.error().message();
    };
    EXPECT_EQ(error(replaced(good, "stream_rate:", "strem_rate:")),
              "this-cpu.yaml:13: unknown constant 'strem_rate' of a cpu; did you mean "
              "'stream_rate'?");
    EXPECT_THAT(error(replaced(good, " GB/s", " W")), testing::HasSubstr("this-cpu.yaml:13: "));
    EXPECT_THAT(error(replaced(good, "threads: {value: 2", "threads: {value: 3")),
                testing::HasSubstr("3 threads were not measured; allowed: 1 and 2, all cores"));
    EXPECT_THAT(error(good.substr(0, good.find("  cpu_single:"))),
                testing::HasSubstr("role 'cpu_single' is missing"));
    EXPECT_THAT(error(good.substr(0, good.rfind("      digest_latency"))),
                testing::HasSubstr("'cpu_single' lacks the constant 'digest_latency' (time: "));
    EXPECT_THAT(error(good + "  cost: {kind: prices, constants: {electricity: {value: 0.1 USD/kWh, "
                             "source: \"assumed: x\"}}}\n"),
                testing::HasSubstr("'cost' lacks"));
}

}  // namespace
}  // namespace memside::calibrate
