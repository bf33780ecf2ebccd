// Any bytes as a memory image and as a list of regions: each gives regions within a module or an
// Error of one line, and an image survives being loaded, taken and written.
#include <cstdint>
#include <string_view>

#include "check.h"
#include "pim/memory_image.h"

namespace {

using memside::fuzz::require;
using memside::fuzz::require_one_line;
using namespace memside::pim;

void require_within(const ImageRegion& region) {
    const Place& start = region.start;
    const unsigned entries = start.space == Space::bank   ? columns_per_row
                             : start.space == Space::gbuf ? gbuf_entries
                                                          : gpr_entries;
    require(start.channel < channel_count && start.bank < bank_count, "banks exist");
    require(start.row < rows_per_bank && start.entry < entries, "tiles exist");
    require(region.count >= 1 && region.count <= (entries - start.entry) * lanes,
            "regions end where their row does");
}

void parse(std::string_view bytes) {
    const auto image = parse_memory_image(bytes, "x.img");
    if (!image.ok()) return require_one_line(image.error());
    for (const ImageRegion& region : image->regions) require_within(region);
    require(image->values.size() * 2 < bytes.size(), "every value is in the file");

    Memory memory;
    load_image(*image, memory);
    UninitialisedReads unwritten;
    const MemoryImage taken = take_image(image->regions, memory, unwritten);
    require(unwritten.count == 0, "what was loaded is written");
    const auto again = parse_memory_image(encode_memory_image(taken), "x.img");
    require(again.ok() && *again == taken, "an image survives being written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    parse(bytes);
    const auto regions = parse_regions(bytes, "x.json");
    if (!regions.ok()) {
        require_one_line(regions.error());
        return 0;
    }
    for (const ImageRegion& region : *regions) require_within(region);
    // The same list with the values that it counts, unless those are many.
    std::uint64_t count = 0;
    for (const ImageRegion& region : *regions) count += region.count;
    if (count > 4096) return 0;
    const MemoryImage image{.regions = *regions, .values = std::vector<Bf16>(count)};
    parse(encode_memory_image(image));
    return 0;
}
