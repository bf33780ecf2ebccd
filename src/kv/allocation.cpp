#include "kv/allocation.h"

#include <array>

#include "base/text.h"

namespace memside::kv {
namespace {

constexpr std::array<AllocationVariant, 2> variants{{
    {"static", "a contiguous slot for the longest context, reserved when the request arrives",
     make_static_allocator, &AllocationOptions::max_request_bytes},
    {"chunked", "chunks handed out as the request grows, found through its chunk table",
     make_chunked_allocator, &AllocationOptions::chunk_bytes},
}};

}  // namespace

std::span<const AllocationVariant> allocation_variants() {
    return variants;
}

Result<std::unique_ptr<KvAllocator>> make_allocator(std::string_view name,
                                                    const AllocationOptions& options,
                                                    const std::string& where) {
    std::vector<std::string> names;
    for (const AllocationVariant& variant : variants) {
        names.emplace_back(variant.name);
        if (variant.name != name) continue;
        const std::int64_t unit = options.*variant.unit_bytes;
        if (unit < 1 || unit > options.capacity_bytes) {
            return bad_input(where,
                             fmt::format("{} allocation in units of {} bytes does not fit a memory "
                                         "of {} bytes; allowed: 1 to the capacity",
                                         name, unit, options.capacity_bytes));
        }
        return variant.make(options);
    }
    return bad_input(where,
                     fmt::format("unknown allocation {}{}", in_quotes(name), hint(name, names)));
}

}  // namespace memside::kv
