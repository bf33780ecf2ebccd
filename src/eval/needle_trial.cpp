#include "eval/needle_trial.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/number.h"
#include "eval/needle_keys.h"
#include "kv/counter_random.h"

namespace memside::eval {
namespace {

constexpr std::string_view key_mark = "{key}";
constexpr std::string_view value_mark = "{value}";
// Needles of several contexts whose places are this near are one.
constexpr std::int64_t near_tokens = 2 * sentence_tokens;
// Beyond those of the value, the tokens of an answer: a blank and what shows that it has ended.
constexpr std::int64_t around_value_tokens = 2;
// A word is split into fewer tokens than this by any vocabulary worth asking.
constexpr std::int64_t word_tokens = 6;

enum class Stream : std::uint64_t { start, keys, values };

std::string filled(std::string text, std::string_view mark, std::string_view with) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.replace(at, mark.size(), with);
        at += with.size();
    }
    return text;
}

std::vector<engine::TokenId> needle_tokens(const engine::Tokenizer& tokenizer,
                                           const NeedleWording& wording, const Needle& needle) {
    const std::string text =
        filled(filled(wording.needle, key_mark, needle.key), value_mark, needle.value);
    return tokenizer.encode(fmt::format(" {}\n", text), false);
}

std::string number_of(std::uint64_t bits, std::int64_t digits) {
    std::uint64_t lowest = 1;
    for (std::int64_t i = 1; i < digits; ++i) lowest *= 10;
    return fmt::format("{}", lowest + bits % (9 * lowest));
}

// The most tokens that a needle of this wording has.
std::int64_t longest_needle(const engine::Tokenizer& tokenizer, const NeedleWording& wording) {
    std::size_t longest = 0;
    for (const std::string_view key : needle_keys) {
        const Needle needle{
            0, 0, std::string(key),
            wording.value_digits == 0 ? "microphone" : number_of(0, wording.value_digits)};
        longest = std::max(longest, needle_tokens(tokenizer, wording, needle).size());
    }
    return static_cast<std::int64_t>(longest);
}

// Where needles are wanted, and whom they serve.
struct Place {
    std::int64_t position = 0;
    std::vector<NeedleQuestion> questions;
};

// In ascending order, near ones together.
std::vector<Place> places_of(const NeedleSetup& setup, const std::vector<std::int64_t>& lengths,
                             std::int64_t needle_tokens) {
    std::vector<Place> all;
    for (std::size_t c = 0; c < setup.contexts.size(); ++c) {
        for (std::size_t d = 0; d < setup.depths.size(); ++d) {
            const auto room = static_cast<double>(lengths[c] - needle_tokens);
            const auto at = static_cast<std::int64_t>(std::llround(setup.depths[d] * room));
            all.push_back({at, {{c, d, 0}}});
        }
    }
    std::ranges::stable_sort(all, {}, &Place::position);
    std::vector<Place> places;
    for (const Place& place : all) {
        if (places.empty() || place.position - places.back().position > near_tokens) {
            places.push_back(place);
        } else {
            places.back().questions.push_back(place.questions.front());
        }
    }
    return places;
}

std::vector<std::int64_t> text_lengths(const NeedleSetup& setup,
                                       const engine::Tokenizer& tokenizer) {
    const std::int64_t reserved = reserved_tokens(tokenizer, setup.wording);
    std::vector<std::int64_t> lengths;
    for (const std::int64_t context : setup.contexts) lengths.push_back(context - reserved);
    return lengths;
}

// Keys in an order of their own for each trial: a permutation by Fisher and Yates.
std::vector<std::size_t> key_order(const NeedleSetup& setup, std::int64_t trial) {
    std::vector<std::size_t> order(needle_keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::uint64_t key = kv::key_of(
        {setup.seed, static_cast<std::uint64_t>(Stream::keys), static_cast<std::uint64_t>(trial)});
    for (std::size_t i = order.size() - 1; i > 0; --i) {
        std::swap(order[i], order[kv::uniform_below(kv::random_bits(key, i), i + 1)]);
    }
    return order;
}

template <typename T>
bool ascends(const std::vector<T>& values) {
    return std::ranges::adjacent_find(values, std::greater_equal<>()) == values.end();
}

Status check_wording(const NeedleWording& wording) {
    if (wording.needle.find(key_mark) == std::string::npos ||
        wording.needle.find(value_mark) == std::string::npos) {
        return bad_input("--needle", "must have {key} and {value} in it");
    }
    if (wording.question.find(key_mark) == std::string::npos) {
        return bad_input("--question", "must have {key} in it");
    }
    return {};
}

}  // namespace

std::vector<engine::TokenId> question_tokens(const engine::Tokenizer& tokenizer,
                                             const NeedleWording& wording, const std::string& key) {
    return tokenizer.encode(fmt::format("\n\n{}", filled(wording.question, key_mark, key)), false);
}

std::int64_t reserved_tokens(const engine::Tokenizer& tokenizer, const NeedleWording& wording) {
    std::size_t longest = 0;
    for (const std::string_view key : needle_keys) {
        longest = std::max(longest, question_tokens(tokenizer, wording, std::string(key)).size());
    }
    return static_cast<std::int64_t>(longest) + around_value_tokens +
           (wording.value_digits > 0 ? wording.value_digits : word_tokens);
}

Status check_setup(const NeedleSetup& setup, const engine::Tokenizer& tokenizer) {
    MEMSIDE_CHECK(check_wording(setup.wording));
    if (setup.contexts.empty() || !ascends(setup.contexts)) {
        return bad_input("--contexts", "must ascend");
    }
    if (setup.depths.empty() || !ascends(setup.depths) || setup.depths.front() < 0.0 ||
        setup.depths.back() > 1.0) {
        return bad_input("--depths", "must ascend from 0 to 1 at most");
    }
    const std::vector<std::int64_t> lengths = text_lengths(setup, tokenizer);
    const std::int64_t needle = longest_needle(tokenizer, setup.wording);
    const auto depths = static_cast<std::int64_t>(setup.depths.size());
    // Room for its needles, those moved to a sentence and those of other contexts, and for text.
    const std::int64_t least = depths * (needle + 2 * near_tokens);
    if (lengths.front() < least) {
        return bad_input("--contexts",
                         fmt::format("{} is too short for {} needles and a question; at least {}",
                                     format_tokens(setup.contexts.front()), depths,
                                     least + setup.contexts.front() - lengths.front()));
    }
    const std::size_t needles = places_of(setup, lengths, needle).size();
    const std::size_t most =
        setup.wording.value_digits > 0 ? needle_keys.size() : needle_keys.size() / 2;
    if (needles > most) {
        return bad_input("--depths",
                         fmt::format("{} needles are more than there are keys: {}", needles, most));
    }
    return {};
}

Result<NeedleTrial> make_trial(const NeedleSetup& setup, const engine::Tokenizer& tokenizer,
                               const Haystack& haystack, std::int64_t trial) {
    NeedleTrial result;
    result.text_tokens = text_lengths(setup, tokenizer);
    const std::int64_t length = result.text_tokens.back();
    if (haystack.size() < length) {
        return bad_input("--text",
                         fmt::format("has {} tokens, fewer than the longest context, {}",
                                     haystack.size(), format_tokens(setup.contexts.back())));
    }
    const auto number = static_cast<std::uint64_t>(trial);
    const auto random = [&](Stream stream, std::uint64_t counter) {
        const auto which = static_cast<std::uint64_t>(stream);
        return kv::random_bits(kv::key_of({setup.seed, which, number}), counter);
    };
    std::vector<engine::TokenId>& tokens = result.tokens;
    tokenizer.prepend_bos(tokens);
    // Of the text, the token that comes next. Trials begin at places of their own.
    std::int64_t next = haystack.sentence_start(
        0, static_cast<std::int64_t>(random(Stream::start, 0) %
                                     static_cast<std::uint64_t>(haystack.size() - length + 1)));
    std::int64_t earliest = next;  // what lies before it is in the result, in front of a needle
    const auto size = [&] { return static_cast<std::int64_t>(tokens.size()); };
    const auto copy_until = [&](std::int64_t end) {
        const auto from = haystack.tokens().begin() + next;
        const std::int64_t count = std::max<std::int64_t>(end - size(), 0);
        tokens.insert(tokens.end(), from, from + count);
        next += count;
    };

    const std::vector<std::size_t> keys = key_order(setup, trial);
    const std::int64_t longest = longest_needle(tokenizer, setup.wording);
    for (const Place& place : places_of(setup, result.text_tokens, longest)) {
        const std::size_t index = result.needles.size();
        Needle needle{0, 0, std::string(needle_keys[keys[index]]),
                      std::string(needle_keys[keys[keys.size() - 1 - index]])};
        if (setup.wording.value_digits > 0) {
            needle.value = number_of(random(Stream::values, index), setup.wording.value_digits);
        }
        const std::vector<engine::TokenId> words = needle_tokens(tokenizer, setup.wording, needle);
        copy_until(place.position);
        const std::int64_t start = haystack.sentence_start(earliest, next);
        tokens.resize(tokens.size() - static_cast<std::size_t>(next - start));
        next = start;
        needle.tokens = static_cast<std::int64_t>(words.size());
        // No context may end inside a needle of a longer one.
        for (const std::int64_t end : result.text_tokens) {
            if (size() < end && size() + needle.tokens > end) copy_until(end);
        }
        needle.position = size();
        tokens.insert(tokens.end(), words.begin(), words.end());
        earliest = next;
        for (NeedleQuestion question : place.questions) {
            question.needle = index;
            result.questions.push_back(question);
        }
        result.needles.push_back(std::move(needle));
    }
    copy_until(length);
    std::ranges::sort(result.questions, {}, [](const NeedleQuestion& question) {
        return std::pair(question.context, question.depth);
    });
    return result;
}

Verdict judge(std::string_view text, std::string_view value) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
    if (text.size() <= value.size()) {
        return value.starts_with(text) ? Verdict::open : Verdict::wrong;
    }
    if (!text.starts_with(value)) return Verdict::wrong;
    const char after = text[value.size()];
    const bool goes_on = (after >= '0' && after <= '9') || (after >= 'a' && after <= 'z') ||
                         (after >= 'A' && after <= 'Z');
    return goes_on ? Verdict::wrong : Verdict::right;
}

}  // namespace memside::eval
