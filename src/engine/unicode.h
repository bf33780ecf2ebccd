// UTF-8 and the classes of characters that tokenizers ask for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace memside::engine {

enum class CharacterClass : std::uint8_t {
    letter,       // \p{L}
    number,       // \p{N}
    space,        // \s: the property White_Space
    punctuation,  // \p{P}
    other,
};

// The class of a code point; beyond U+10FFFF it is `other`. The table is of Unicode 15.1.
CharacterClass character_class(char32_t code);

// One character of a text. A byte that begins no well-formed sequence is a character of its own,
// with a code beyond Unicode, so that no text is refused and none is changed.
struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;
};
inline constexpr char32_t first_stray_byte = 0x110000;  // + the byte

// The character at text[position], position < text.size(). Well-formed is what table 3-7 of the
// Unicode standard says: no surrogates, no overlong forms.
Character character_at(std::string_view text, std::size_t position);

// How many bytes at the end of `text`, 0 to 3, are the beginning of a sequence that more bytes can
// complete.
std::size_t unfinished_bytes(std::string_view text);

}  // namespace memside::engine
