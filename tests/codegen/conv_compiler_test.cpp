#include "codegen/conv_compiler.h"

#include <elf.h>

#include <cstring>
#include <thread>

#include "codegen/opened.h"

namespace memside::codegen {
namespace {

using conv::ConvProblem;
using conv::Schedule;
using conv::Target;
using testing::HasSubstr;
using testing::Not;

ConvProblem small_problem() {
    ConvProblem problem;
    problem.shape = conv::parse_shape("1,16,9,9,32,3,3,1,1", "").value();
    return problem;
}

Schedule small_schedule() {
    return conv::parse_schedule(
               "tile_rows=2 tile_blocks=1 pixels=4 vectors=2 chunk=2 channel_outer=0 packed=1 "
               "tiled=0 reuse=1",
               "")
        .value();
}

TEST(ConvCompiler, a_missing_library_is_an_error_that_says_where) {
    const auto opened = ConvCompiler::open("/nowhere/libmemside-codegen.so");
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().exit_status(), 1);
    EXPECT_THAT(opened.error().message(),
                HasSubstr("cannot be opened: /nowhere/libmemside-codegen.so"));
}

TEST(ConvCompiler, a_library_without_its_functions_is_refused) {
    const auto opened = ConvCompiler::open("libm.so.6");
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.error().message(), HasSubstr("another version of memside"));
}

TEST(ConvCompiler, an_invalid_schedule_is_refused_with_its_reason) {
    Schedule schedule = small_schedule();
    schedule.pixels = 9;
    schedule.vectors = 4;
    schedule.packed = 0;
    ConvProblem problem = small_problem();
    problem.shape.k = 64;
    const auto compiled = compiler().compile(problem, Target::x86_vnni, schedule);
    ASSERT_FALSE(compiled.ok());
    EXPECT_EQ(compiled.error().exit_status(), 2);
    EXPECT_THAT(compiled.error().message(), HasSubstr("9 pixels x 4 vectors need 36 sums"));
}

TEST(ConvCompiler, stages_are_the_dialects_then_llvm_then_instructions) {
    const auto text = [&](Target target, Dump stage) {
        return compiler().dump(small_problem(), target, small_schedule(), stage).value();
    };
    const std::string mlir = text(Target::x86_vnni, Dump::mlir);
    EXPECT_THAT(mlir, HasSubstr("scf.for"));
    EXPECT_THAT(mlir, HasSubstr("vector.store"));
    EXPECT_THAT(mlir, HasSubstr("llvm.call_intrinsic \"llvm.x86.avx512.vpdpbusd.512\""));
    const std::string lowered = text(Target::x86_vnni, Dump::lowered);
    EXPECT_THAT(lowered, HasSubstr("llvm.func @memside_conv"));
    EXPECT_THAT(lowered, Not(HasSubstr("scf.")));
    EXPECT_THAT(text(Target::x86_vnni, Dump::llvm), HasSubstr("call <16 x i32> @llvm.x86.avx512"));
    EXPECT_THAT(text(Target::x86_vnni, Dump::assembly), HasSubstr("vpdpbusd"));
    const std::string avx2 = text(Target::x86_avx2, Dump::assembly);
    EXPECT_THAT(avx2, HasSubstr("vpmaddwd"));
    EXPECT_THAT(avx2, Not(HasSubstr("zmm")));
    // The one that saturates.
    EXPECT_THAT(avx2, Not(HasSubstr("vpmaddubsw")));
}

// The symbols of a 64-bit object that are seen from outside, undefined ones with a "?".
std::vector<std::string> symbols(const std::vector<std::uint8_t>& object) {
    std::vector<std::string> names;
    const auto at = [&](std::size_t offset, auto& value) {
        std::memcpy(&value, object.data() + offset, sizeof(value));
    };
    Elf64_Ehdr header{};
    at(0, header);
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section{};
        at(header.e_shoff + i * header.e_shentsize, section);
        if (section.sh_type != SHT_SYMTAB) continue;
        Elf64_Shdr strings{};
        at(header.e_shoff + section.sh_link * std::size_t{header.e_shentsize}, strings);
        for (std::size_t offset = 0; offset < section.sh_size; offset += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol{};
            at(section.sh_offset + offset, symbol);
            if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
            const std::string name =
                reinterpret_cast<const char*>(object.data()) + strings.sh_offset + symbol.st_name;
            names.push_back(name + (symbol.st_shndx == SHN_UNDEF ? "?" : ""));
        }
    }
    return names;
}

TEST(ConvCompiler, an_object_defines_its_symbol_alone_and_calls_nothing) {
    for (const Target target : {Target::x86_vnni, Target::x86_avx2}) {
        const auto object =
            compiler().compile_object(small_problem(), target, small_schedule(), "resnet_stage_2");
        ASSERT_TRUE(object.ok());
        ASSERT_GT(object.value().size(), sizeof(Elf64_Ehdr));
        EXPECT_EQ(std::memcmp(object.value().data(), ELFMAG, SELFMAG), 0);
        EXPECT_THAT(symbols(object.value()), testing::ElementsAre("resnet_stage_2"));
    }
}

TEST(ConvCompiler, threads_may_compile_at_the_same_time) {
    constexpr int count = 4;
    std::vector<std::vector<std::uint8_t>> objects(count);
    std::vector<std::thread> threads;
    for (auto& object : objects) {
        threads.emplace_back([&object] {
            object = compiler()
                         .compile_object(small_problem(), Target::x86_avx2, small_schedule(), "f")
                         .value();
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& object : objects) EXPECT_EQ(object, objects.front());
}

TEST(ConvCompiler, the_same_request_gives_the_same_bytes) {
    const auto once =
        compiler().compile_object(small_problem(), Target::x86_vnni, small_schedule(), "f");
    const auto again =
        compiler().compile_object(small_problem(), Target::x86_vnni, small_schedule(), "f");
    EXPECT_EQ(once.value(), again.value());
}

}  // namespace
}  // namespace memside::codegen
