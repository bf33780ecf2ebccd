#include "pim/memory_image.h"

#include <bit>
#include <cassert>
#include <cstring>
#include <numeric>

#include "base/text.h"
#include "model/json_tree.h"

namespace memside::pim {
namespace {

static_assert(std::endian::native == std::endian::little, "memory images are little-endian");
static_assert(sizeof(Bf16) == 2);

constexpr std::size_t max_header_values = 2'000'000;

struct SpaceName {
    std::string_view name;
    Space space;
    std::uint32_t entries;          // that `col` may name
    std::vector<std::string> keys;  // beside space, col and count
};

const std::vector<SpaceName>& space_names() {
    static const std::vector<SpaceName> all{
        {"bank", Space::bank, columns_per_row, {"channel", "bank", "row"}},
        {"gpr", Space::gpr, gpr_entries, {}},
        {"gbuf", Space::gbuf, gbuf_entries, {"channel"}},
    };
    return all;
}

// Reads one region; `where` names it by the line on which it begins.
class RegionReader {
  public:
    RegionReader(const JsonNode& node, std::string where) : node_(node), where_(std::move(where)) {}

    Result<ImageRegion> read() {
        MEMSIDE_TRY(const SpaceName* const space, read_space());
        MEMSIDE_CHECK(check_keys(*space));
        ImageRegion region;
        region.start.space = space->space;
        if (space->space != Space::gpr) {
            MEMSIDE_TRY(region.start.channel, integer("channel", 0, channel_count - 1));
        }
        if (space->space == Space::bank) {
            MEMSIDE_TRY(region.start.bank, integer("bank", 0, bank_count - 1));
            MEMSIDE_TRY(region.start.row, integer("row", 0, rows_per_bank - 1));
        }
        if (node_.find("col") != nullptr) {
            MEMSIDE_TRY(region.start.entry, integer("col", 0, space->entries - 1));
        }
        const std::uint32_t room = (space->entries - region.start.entry) * lanes;
        MEMSIDE_TRY(region.count, integer("count", 1, room));
        return region;
    }

  private:
    Result<const SpaceName*> read_space() {
        const JsonNode* name = node_.find("space");
        std::vector<std::string> allowed;
        for (const SpaceName& space : space_names()) {
            if (name != nullptr && name->kind == JsonNode::Kind::string &&
                name->text == space.name) {
                return &space;
            }
            allowed.emplace_back(space.name);
        }
        if (name == nullptr) return bad_input(where_, "the region has no key 'space'");
        return bad_input(where_, fmt::format("'space' is {}{}",
                                             name->kind == JsonNode::Kind::string
                                                 ? in_quotes(name->text)
                                                 : std::string(name->kind_name()),
                                             hint(name->text, allowed)));
    }

    Status check_keys(const SpaceName& space) {
        std::vector<std::string> allowed{"space", "col", "count"};
        allowed.insert(allowed.end(), space.keys.begin(), space.keys.end());
        for (const JsonField& field : node_.fields) {
            // A channel that a register has no use for does no harm.
            if (space.space == Space::gpr && field.key == "channel") continue;
            if (std::ranges::find(allowed, field.key) != allowed.end()) continue;
            return bad_input(
                where_, fmt::format("unknown key {} of a region in space '{}'{}",
                                    in_quotes(field.key), space.name, hint(field.key, allowed)));
        }
        return {};
    }

    Result<std::uint32_t> integer(std::string_view key, std::int64_t low, std::int64_t high) {
        const JsonNode* value = node_.find(key);
        if (value == nullptr) {
            return bad_input(where_, fmt::format("the region has no key '{}'; allowed: {} to {}",
                                                 key, low, high));
        }
        if (value->kind != JsonNode::Kind::integer || value->integer < low ||
            value->integer > high) {
            return bad_input(where_,
                             fmt::format("'{}' is {}; allowed: {} to {}", key,
                                         value->text.empty() ? std::string(value->kind_name())
                                                             : in_quotes(value->text),
                                         low, high));
        }
        return static_cast<std::uint32_t>(value->integer);
    }

    const JsonNode& node_;
    std::string where_;
};

bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Bytes of the JSON object that `bytes` begin with; 0 when it does not end within the limit.
std::size_t object_end(std::string_view bytes) {
    int depth = 0;
    bool in_string = false;
    const std::size_t limit = std::min(bytes.size(), max_header_bytes);
    for (std::size_t i = 0; i < limit; ++i) {
        const char c = bytes[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
        if (depth == 0) return 0;  // something before the object
    }
    return 0;
}

std::size_t value_count(const std::vector<ImageRegion>& regions) {
    return std::accumulate(
        regions.begin(), regions.end(), std::size_t{0},
        [](std::size_t sum, const ImageRegion& region) { return sum + region.count; });
}

// Calls visit(place, lane, position in all values) for each value of the regions.
template <typename Visit>
void for_tiles(const std::vector<ImageRegion>& regions, const Visit& visit) {
    std::size_t position = 0;
    for (const ImageRegion& region : regions) {
        Place place = region.start;
        for (std::uint32_t done = 0; done < region.count; done += lanes, ++place.entry) {
            const unsigned width = std::min(lanes, region.count - done);
            visit(place, width, position);
            position += width;
        }
    }
}

Tile& tile_at(const Place& place, Memory& memory) {
    switch (place.space) {
        case Space::bank:
            return memory.bank(place.channel, place.bank, place.row, place.entry);
        case Space::gbuf:
            return memory.gbuf(place.channel, place.entry);
        default:
            return memory.gpr(place.entry);
    }
}

const Tile* find_tile(const Place& place, const Memory& memory) {
    switch (place.space) {
        case Space::bank:
            return memory.find(place.channel, place.bank, place.row, place.entry);
        case Space::gbuf:
            return &memory.gbuf(place.channel, place.entry);
        default:
            return &memory.gpr(place.entry);
    }
}

std::string region_json(const ImageRegion& region) {
    const Place& start = region.start;
    switch (start.space) {
        case Space::bank:
            return fmt::format(
                R"({{"space":"bank","channel":{},"bank":{},"row":{},"col":{},"count":{}}})",
                start.channel, start.bank, start.row, start.entry, region.count);
        case Space::gbuf:
            return fmt::format(R"({{"space":"gbuf","channel":{},"col":{},"count":{}}})",
                               start.channel, start.entry, region.count);
        default:
            return fmt::format(R"({{"space":"gpr","col":{},"count":{}}})", start.entry,
                               region.count);
    }
}

}  // namespace

Result<std::vector<ImageRegion>> parse_regions(std::string_view text, const std::string& file) {
    if (text.size() > max_header_bytes) {
        return bad_input(file, fmt::format("the header has {} bytes; allowed: up to {}",
                                           text.size(), max_header_bytes));
    }
    MEMSIDE_TRY(const JsonNode root, parse_json_tree(text, file, max_header_values));
    const std::string where = fmt::format("{}:{}", file, root.line);
    const JsonNode* list = root.find("regions");
    if (list == nullptr || list->kind != JsonNode::Kind::list) {
        return bad_input(where, "no list of regions; allowed: {\"regions\": [...]}");
    }
    for (const JsonField& field : root.fields) {
        if (field.key != "regions") {
            return bad_input(where,
                             fmt::format("unknown key {}; allowed: regions", in_quotes(field.key)));
        }
    }
    std::vector<ImageRegion> regions;
    std::size_t values = 0;
    for (const JsonNode& item : list->items) {
        const std::string at = fmt::format("{}:{}, region {}", file, item.line, regions.size());
        if (item.kind != JsonNode::Kind::object) {
            return bad_input(at,
                             fmt::format("{} is no region; allowed: an object", item.kind_name()));
        }
        MEMSIDE_TRY(const ImageRegion region, RegionReader(item, at).read());
        regions.push_back(region);
        values += region.count;
        if (values > max_image_bytes / sizeof(Bf16)) {
            return bad_input(
                at, fmt::format("more than {} values in all", max_image_bytes / sizeof(Bf16)));
        }
    }
    return regions;
}

Result<MemoryImage> parse_memory_image(std::string_view bytes, const std::string& file) {
    const std::size_t end = object_end(bytes);
    if (end == 0) {
        return bad_input(file, fmt::format("not a memory image: allowed is a header line of JSON "
                                           "of up to {} bytes, then values",
                                           max_header_bytes));
    }
    MemoryImage image;
    MEMSIDE_TRY(image.regions, parse_regions(bytes.substr(0, end), file));
    const std::size_t start = (end + image_alignment - 1) / image_alignment * image_alignment;
    const std::string_view padding = bytes.substr(end, start - end);
    if (end + padding.size() != start || !std::ranges::all_of(padding, is_blank)) {
        return bad_input(file, fmt::format("the header is not padded with spaces to a multiple of "
                                           "{} bytes: its JSON ends at byte {}",
                                           image_alignment, end));
    }
    const std::size_t count = value_count(image.regions);
    const std::string_view values = bytes.substr(start);
    if (values.size() != count * sizeof(Bf16)) {
        return bad_input(file, fmt::format("{} bytes of values follow the header; the regions "
                                           "count {} values, that is {} bytes",
                                           values.size(), count, count * sizeof(Bf16)));
    }
    image.values.resize(count);
    if (count > 0) std::memcpy(image.values.data(), values.data(), values.size());
    return image;
}

std::string encode_memory_image(const MemoryImage& image) {
    assert(value_count(image.regions) == image.values.size());
    std::string bytes = "{\"regions\":[";
    for (std::size_t i = 0; i < image.regions.size(); ++i) {
        if (i > 0) bytes += ',';
        bytes += region_json(image.regions[i]);
    }
    bytes += "]}";
    // The line feed is the last byte of the padding.
    bytes.resize(bytes.size() / image_alignment * image_alignment + image_alignment - 1, ' ');
    bytes += '\n';
    const std::size_t start = bytes.size();
    bytes.resize(start + image.values.size() * sizeof(Bf16));
    if (!image.values.empty()) {
        std::memcpy(bytes.data() + start, image.values.data(), bytes.size() - start);
    }
    return bytes;
}

void load_image(const MemoryImage& image, Memory& memory) {
    for_tiles(image.regions, [&](const Place& place, unsigned width, std::size_t position) {
        Tile& tile = tile_at(place, memory);
        for (unsigned lane = 0; lane < width; ++lane) tile.set(lane, image.values[position + lane]);
    });
}

MemoryImage take_image(const std::vector<ImageRegion>& regions, const Memory& memory,
                       UninitialisedReads& unwritten) {
    MemoryImage image{.regions = regions, .values = {}};
    image.values.reserve(value_count(regions));
    for_tiles(regions, [&](const Place& place, unsigned width, std::size_t) {
        const Tile* const found = find_tile(place, memory);
        const Tile tile = found == nullptr ? Tile{} : *found;
        const std::uint32_t wanted = (1U << width) - 1U;
        if ((tile.written & wanted) != wanted)
            unwritten.add({.instruction = 0, .opcode = {}, .place = place});
        image.values.insert(image.values.end(), tile.values.begin(), tile.values.begin() + width);
    });
    return image;
}

}  // namespace memside::pim
