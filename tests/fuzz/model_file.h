// How the model_file fuzzer lays several files into one input: their number, the length of each but
// the last as u32, then their bytes. A length beyond the input ends the list there.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace memside::fuzz {

inline constexpr std::size_t max_model_parts = 3;

inline std::string joined_parts(const std::vector<std::string>& parts) {
    std::string input(1, static_cast<char>(parts.size()));
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto length = static_cast<std::uint32_t>(parts[i].size());
        input.append(reinterpret_cast<const char*>(&length), sizeof length);
    }
    for (const std::string& part : parts) input += part;
    return input;
}

inline std::vector<std::string_view> parts_of(std::string_view input) {
    if (input.empty()) return {input};
    const std::size_t count =
        static_cast<std::size_t>(static_cast<std::uint8_t>(input[0])) % (max_model_parts + 1);
    input.remove_prefix(1);
    std::vector<std::uint32_t> lengths;
    while (lengths.size() + 1 < count && input.size() >= sizeof(std::uint32_t)) {
        std::uint32_t length = 0;
        std::memcpy(&length, input.data(), sizeof length);
        input.remove_prefix(sizeof length);
        lengths.push_back(length);
    }
    std::vector<std::string_view> parts;
    for (const std::uint32_t length : lengths) {
        parts.push_back(input.substr(0, length));
        input.remove_prefix(parts.back().size());
    }
    parts.push_back(input);
    return parts;
}

}  // namespace memside::fuzz
