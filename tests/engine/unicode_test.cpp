#include "engine/unicode.h"

#include <rapidcheck/gtest.h>

#include "engine/byte_alphabet.h"

namespace memside::engine {
namespace {

TEST(Unicode, classes_are_those_of_well_known_characters) {
    for (const char32_t c : {U'a', U'Z', U'é', U'ж', U'你', U'ª', U'\U00020000'}) {
        EXPECT_EQ(character_class(c), CharacterClass::letter) << static_cast<unsigned>(c);
    }
    for (const char32_t c : {U'0', U'9', U'½', U'Ⅷ', U'٣', U'1'}) {
        EXPECT_EQ(character_class(c), CharacterClass::number) << static_cast<unsigned>(c);
    }
    for (const char32_t c : {U' ', U'\t', U'\n', U'\u00a0', U'\u2028', U'\u3000', U'\u0085'}) {
        EXPECT_EQ(character_class(c), CharacterClass::space) << static_cast<unsigned>(c);
    }
    for (const char32_t c : {U'!', U'-', U'«', U'、'}) {
        EXPECT_EQ(character_class(c), CharacterClass::punctuation) << static_cast<unsigned>(c);
    }
    // A symbol, a combining accent, a control character, no blank, a surrogate, beyond the end.
    for (const char32_t c :
         {U'$', U'\u0301', U'\u001f', U'\u200b', char32_t{0xD800}, char32_t{0x110041}}) {
        EXPECT_EQ(character_class(c), CharacterClass::other) << static_cast<unsigned>(c);
    }
}

// Unicode 15.1 has 25 characters with the property White_Space.
TEST(Unicode, there_are_25_blanks) {
    int blanks = 0;
    for (char32_t c = 0; c < 0x110000; ++c) blanks += character_class(c) == CharacterClass::space;
    EXPECT_EQ(blanks, 25);
}

std::string utf8(char32_t code) {
    const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 63))};
    if (code < 0x10000) {
        return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
    }
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)),
            byte(0x80 | (code & 63))};
}

TEST(Unicode, every_character_is_read_and_every_beginning_of_it_is_unfinished) {
    for (char32_t code = 0; code < 0x110000; ++code) {
        const std::string text = utf8(code);
        if (code >= 0xD800 && code < 0xE000) {
            ASSERT_EQ(character_at(text, 0).bytes, 1U) << "a surrogate is no character";
            continue;
        }
        ASSERT_EQ(character_at(text + "x", 0).code, code);
        ASSERT_EQ(character_at(text, 0).bytes, text.size());
        ASSERT_EQ(unfinished_bytes(text), 0U);
        for (std::size_t part = 1; part < text.size(); ++part) {
            ASSERT_EQ(unfinished_bytes("é" + text.substr(0, part)), part);
            ASSERT_EQ(character_at(text.substr(0, part), 0).code,
                      first_stray_byte + static_cast<unsigned char>(text[0]));
        }
    }
}

TEST(Unicode, ill_formed_bytes_are_characters_of_their_own) {
    for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xF0\x80\x80\x80",
                             "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2(\xA1"}) {
        EXPECT_EQ(character_at(text, 0).bytes, 1U);
        EXPECT_EQ(unfinished_bytes(text), 0U);
    }
}

RC_GTEST_PROP(Unicode, the_byte_alphabet_has_a_way_back, (const std::string& bytes)) {
    std::string back;
    RC_ASSERT(from_byte_alphabet(to_byte_alphabet(bytes), back));
    RC_ASSERT(back == bytes);
}

TEST(Unicode, the_byte_alphabet_is_the_known_one) {
    EXPECT_EQ(to_byte_alphabet(" \n!~\x7f\xa1\xad\xff"), "ĠĊ!~ġ¡Ńÿ");
    std::string bytes;
    EXPECT_FALSE(from_byte_alphabet("a b", bytes)) << "a blank is not in the alphabet";
    EXPECT_FALSE(from_byte_alphabet("ń", bytes)) << "U+0144 is behind its last character";
}

}  // namespace
}  // namespace memside::engine
