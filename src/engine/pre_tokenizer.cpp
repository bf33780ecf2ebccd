#include "engine/pre_tokenizer.h"

#include <algorithm>

#include "engine/unicode.h"

namespace memside::engine {

// A text by characters: where each begins, and its class.
class PreTokenizer::Characters {
  public:
    explicit Characters(std::string_view text) : text_(text) {
        starts_.reserve(text.size() + 1);
        classes_.reserve(text.size());
        for (std::size_t at = 0; at < text.size();) {
            const Character character = character_at(text, at);
            starts_.push_back(at);
            classes_.push_back(character_class(character.code));
            at += character.bytes;
        }
        starts_.push_back(text.size());
    }

    std::size_t count() const { return classes_.size(); }
    std::size_t start(std::size_t i) const { return starts_[i]; }

    bool letter(std::size_t i) const { return classes_[i] == CharacterClass::letter; }
    bool number(std::size_t i) const { return classes_[i] == CharacterClass::number; }
    bool space(std::size_t i) const { return classes_[i] == CharacterClass::space; }
    bool symbol(std::size_t i) const { return !letter(i) && !number(i) && !space(i); }
    bool punctuation(std::size_t i) const { return classes_[i] == CharacterClass::punctuation; }
    // The first byte; the whole character when it is ASCII.
    char ascii(std::size_t i) const { return text_[starts_[i]]; }
    bool line_end(std::size_t i) const { return ascii(i) == '\r' || ascii(i) == '\n'; }
    bool digit(std::size_t i) const { return ascii(i) >= '0' && ascii(i) <= '9'; }

  private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
    std::vector<CharacterClass> classes_;
};

namespace {

using Text = PreTokenizer::Characters;

// The end of the run from `first` on that `is` holds for.
template <typename Is>
std::size_t run_end(const Text& text, std::size_t first, std::size_t last, const Is& is) {
    std::size_t end = first;
    while (end < last && is(text, end)) ++end;
    return end;
}

bool is_letter(const Text& text, std::size_t i) {
    return text.letter(i);
}
bool is_number(const Text& text, std::size_t i) {
    return text.number(i);
}
bool is_space(const Text& text, std::size_t i) {
    return text.space(i);
}
bool is_symbol(const Text& text, std::size_t i) {
    return text.symbol(i);
}
bool is_line_end(const Text& text, std::size_t i) {
    return text.line_end(i);
}

// 's|'t|'re|'ve|'m|'ll|'d at `first`: its end, or `first`. Letters are ASCII even where the
// expression ignores case.
std::size_t contraction_end(const Text& text, std::size_t first, std::size_t last,
                            bool ignore_case) {
    if (text.ascii(first) != '\'' || first + 1 >= last) return first;
    const auto letter = [&](std::size_t i) -> char {
        if (i >= last) return '\0';
        const char c = text.ascii(i);
        return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    const char one = letter(first + 1);
    if (one == 's' || one == 't' || one == 'm' || one == 'd') return first + 2;
    const char two = letter(first + 2);
    if ((one == 'r' && two == 'e') || (one == 'v' && two == 'e') || (one == 'l' && two == 'l')) {
        return first + 3;
    }
    return first;
}

// \s+(?!\S)|\s+ where a blank is: the last one of several goes with what follows.
std::size_t blanks_end(const Text& text, std::size_t first, std::size_t last) {
    const std::size_t end = run_end(text, first, last, is_space);
    return end == last || end - first == 1 ? end : end - 1;
}

// GPT-2: contraction| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
std::size_t gpt2(const Text& text, std::size_t first, std::size_t last) {
    const std::size_t contraction = contraction_end(text, first, last, false);
    if (contraction > first) return contraction;
    const bool blank = text.ascii(first) == ' ' && first + 1 < last && !text.space(first + 1);
    const std::size_t begin = first + (blank ? 1 : 0);
    if (text.letter(begin)) return run_end(text, begin, last, is_letter);
    if (text.number(begin)) return run_end(text, begin, last, is_number);
    if (text.symbol(begin)) return run_end(text, begin, last, is_symbol);
    return blanks_end(text, first, last);
}

// Llama 3: (?i:contraction)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
// \s*[\r\n]+|\s+(?!\S)|\s+, and Qwen 2 with single digits.
template <std::size_t most_digits>
std::size_t llama3(const Text& text, std::size_t first, std::size_t last) {
    const std::size_t contraction = contraction_end(text, first, last, true);
    if (contraction > first) return contraction;
    const bool opens = !text.line_end(first) && !text.letter(first) && !text.number(first) &&
                       first + 1 < last && text.letter(first + 1);
    if (opens || text.letter(first)) return run_end(text, first + 1, last, is_letter);
    if (text.number(first)) {
        return run_end(text, first, std::min(last, first + most_digits), is_number);
    }
    const bool blank = text.ascii(first) == ' ' && first + 1 < last && text.symbol(first + 1);
    if (blank || text.symbol(first)) {
        const std::size_t end = run_end(text, first + 1, last, is_symbol);
        return run_end(text, end, last, is_line_end);
    }
    const std::size_t end = run_end(text, first, last, is_space);
    for (std::size_t i = end; i > first; --i) {
        if (text.line_end(i - 1)) return i;
    }
    return blanks_end(text, first, last);
}

// Each character of \p{N} alone.
std::size_t single_numbers(const Text& text, std::size_t first, std::size_t last) {
    if (text.number(first)) return first + 1;
    return run_end(text, first, last, [](const Text& t, std::size_t i) { return !t.number(i); });
}

// Runs of characters for which `is` holds, and the runs between them.
template <bool (*is)(const Text&, std::size_t)>
std::size_t runs(const Text& text, std::size_t first, std::size_t last) {
    const bool inside = is(text, first);
    return run_end(text, first, last,
                   [inside](const Text& t, std::size_t i) { return is(t, i) == inside; });
}

// [\p{P}$+<=>^~|]
bool is_mark(const Text& text, std::size_t i) {
    return text.punctuation(i) ||
           std::string_view("$+<=>^~|").find(text.ascii(i)) != std::string_view::npos;
}

// [0-9][0-9][0-9]
std::size_t digit_triples(const Text& text, std::size_t first, std::size_t last) {
    const auto triple = [&](std::size_t i) {
        return i + 2 < last && text.digit(i) && text.digit(i + 1) && text.digit(i + 2);
    };
    if (triple(first)) return first + 3;
    std::size_t end = first + 1;
    while (end < last && !triple(end)) ++end;
    return end;
}

}  // namespace

std::vector<std::size_t> PreTokenizer::piece_ends(std::string_view text) const {
    const Characters characters(text);
    std::vector<std::size_t> ends;
    if (characters.count() > 0) ends.push_back(characters.count());
    for (const Step step : steps) {
        std::vector<std::size_t> finer;
        std::size_t first = 0;
        for (const std::size_t last : ends) {
            while (first < last) {
                first = step(characters, first, last);
                finer.push_back(first);
            }
        }
        ends = std::move(finer);
    }
    for (std::size_t& end : ends) end = characters.start(end);
    return ends;
}

std::span<const PreTokenizer> pre_tokenizers() {
    // Source: the expressions in the tokenizer.json files of the models, and for the names and for
    // "default", which stands for files from before there were names, llama.cpp.
    static const std::vector<PreTokenizer> all{
        {{"llama-bpe", "llama3", "llama-v3", "falcon3", "dbrx", "smaug-bpe"}, {llama3<3>}, true},
        {{"qwen2", "deepseek-r1-qwen", "megrez", "hunyuan"}, {llama3<1>}, false},
        {{"smollm", "starcoder", "refact", "codeshell", "command-r"},
         {single_numbers, gpt2},
         false},
        {{"gpt-2", "gpt2", "phi-2", "olmo", "mpt"}, {gpt2}, false},
        {{"default"}, {runs<is_mark>, gpt2, runs<is_number>, digit_triples}, false},
    };
    return all;
}

}  // namespace memside::engine
