// What must hold for every AiM program that a reader accepts.
#pragma once

#include "check.h"
#include "pim/binary_form.h"
#include "pim/instruction_table.h"
#include "pim/program_builder.h"
#include "pim/text_reader.h"
#include "pim/text_writer.h"

namespace memside::fuzz {

inline void require_kept(const pim::Program& program) {
    require(pim::validate(program, "fuzz").ok(), "what a reader accepts is in range");
    require(pim::canonical(program) == program, "a reader's instructions are canonical");
    const std::string text = pim::to_text(program);
    const auto from_text = pim::parse_text(text, "fuzz.aim");
    require(from_text.ok() && *from_text == program, "text keeps the program");
    require(pim::to_text(*from_text) == text, "a program has one text that is written");
    const auto from_binary = pim::parse_binary(pim::to_binary(program), "fuzz.bin");
    require(from_binary.ok() && *from_binary == program, "the binary form keeps the program");
    std::uint64_t walked = 0;
    for (pim::Cursor cursor(program); !cursor.done() && walked < 1'000; cursor.next()) {
        require(!pim::find_fault(*cursor), "operands are in range in every iteration");
        ++walked;
    }
    require(walked == 1'000 || walked == program.unrolled_count(), "the count is the walk's");
}

}  // namespace memside::fuzz
