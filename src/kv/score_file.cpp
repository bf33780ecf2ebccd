#include "kv/score_file.h"

#include <array>
#include <cassert>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/number.h"
#include "base/text.h"

namespace memside::kv {
namespace {

using Json = nlohmann::json;

constexpr std::string_view format_name = "memside-page-scores";
constexpr std::int64_t format_version = 1;

struct HeaderKey {
    std::string_view name;
    std::int64_t ScoreFileHeader::* member;
    std::int64_t high;
};
constexpr std::array<HeaderKey, 4> header_keys{{
    {"context_tokens", &ScoreFileHeader::context_tokens, max_tokens},
    {"page_size_tokens", &ScoreFileHeader::page_tokens, max_score_page_tokens},
    {"requests", &ScoreFileHeader::requests, max_score_requests},
    {"layers", &ScoreFileHeader::layers, max_score_layers},
}};

Status check_known_keys(const Json& json, const std::string& where) {
    std::vector<std::string> allowed{"format", "version", "model"};
    for (const HeaderKey& key : header_keys) allowed.emplace_back(key.name);
    for (const auto& [name, value] : json.items()) {
        if (std::ranges::find(allowed, name) == allowed.end()) {
            return bad_input(where,
                             fmt::format("unknown key {}{}", in_quotes(name), hint(name, allowed)));
        }
    }
    return {};
}

}  // namespace

std::string encode_score_header(const ScoreFileHeader& header) {
    Json json;
    json["format"] = format_name;
    json["version"] = format_version;
    // The name is the only text: cut, so that the line stays within its limit.
    json["model"] = header.model.substr(0, 256);
    for (const HeaderKey& key : header_keys) {
        assert(header.*key.member >= 1 && header.*key.member <= key.high);
        json[std::string(key.name)] = header.*key.member;
    }
    std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    line.resize(
        (line.size() + sizeof(std::uint32_t)) / sizeof(std::uint32_t) * sizeof(std::uint32_t) - 1,
        ' ');
    return line + "\n";
}

Result<ScoreFileHeader> parse_score_header(std::string_view line, const std::string& where) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || json.value("format", Json()) != format_name) {
        return bad_input(where, fmt::format("not a file of page scores; allowed: a first line of "
                                            "JSON with \"format\": \"{}\"",
                                            format_name));
    }
    const Json version = json.value("version", Json());
    if (!version.is_number_integer() || version != format_version) {
        return bad_input(
            where,
            fmt::format("version {} is not supported; allowed: {}",
                        in_quotes(version.dump(-1, ' ', true, Json::error_handler_t::replace)),
                        format_version));
    }
    MEMSIDE_CHECK(check_known_keys(json, where));
    ScoreFileHeader header;
    const Json model = json.value("model", Json());
    if (!model.is_string()) {
        return bad_input(where, "key 'model' is missing or no text; allowed: the model's name");
    }
    header.model = model.get<std::string>();
    for (const HeaderKey& key : header_keys) {
        const Json value = json.value(std::string(key.name), Json());
        const bool in_range = value.is_number_integer() && value >= 1 && value <= key.high;
        if (!in_range) {
            return bad_input(where,
                             fmt::format("key '{}' is missing or out of range; allowed: 1 to "
                                         "{}",
                                         key.name, key.high));
        }
        header.*key.member = value.get<std::int64_t>();
    }
    return header;
}

void ScoreChecksum::add(std::string_view bytes) {
    assert(bytes.size() % sizeof(std::uint32_t) == 0);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof word);
        value_ = (value_ ^ word) * 0x100000001B3ULL;
    }
}

}  // namespace memside::kv
