// Allocation: where the KV bytes of each request lie in a memory of fixed capacity, while requests
// come, grow by a token a step, and leave.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside::kv {

using RequestId = std::uint64_t;

// A run of physical bytes.
struct Extent {
    std::int64_t offset_bytes = 0;
    std::int64_t size_bytes = 0;
    bool operator==(const Extent&) const = default;
};

class KvAllocator {
  public:
    virtual ~KvAllocator() = default;

    // Takes in a request that needs `bytes` now. False when there is no room; then nothing has
    // changed. The request must be new, `bytes` at least 0.
    virtual bool admit(RequestId request, std::int64_t bytes) = 0;

    // Lets a request grow to `bytes` in all. False when there is no room; then nothing has changed.
    // KV is only appended: `bytes` must not be less than the request holds.
    virtual bool grow(RequestId request, std::int64_t bytes) = 0;

    // Gives back everything that the request holds.
    virtual void release(RequestId request) = 0;

    // Where the request's live bytes are, in the order of its own offsets.
    virtual std::vector<Extent> extents(RequestId request) const = 0;

    // Physical address of the request's byte `offset_bytes`, which must be live.
    virtual std::int64_t address(RequestId request, std::int64_t offset_bytes) const = 0;

    virtual std::int64_t capacity_bytes() const = 0;
    virtual std::int64_t reserved_bytes() const = 0;  // not available to other requests
    virtual std::int64_t live_bytes() const = 0;      // what requests hold
    virtual std::int64_t requests() const = 0;

    // Live bytes / capacity: what is not reserved in vain, lost to rounding, or empty.
    double utilization() const {
        return static_cast<double>(live_bytes()) / static_cast<double>(capacity_bytes());
    }
};

struct AllocationOptions {
    std::int64_t capacity_bytes = 0;
    std::int64_t max_request_bytes = 0;  // static: KV of the longest context a request may reach
    std::int64_t chunk_bytes = 0;        // chunked: what is handed out at a time
};

struct AllocationVariant {
    std::string_view name;
    std::string_view meaning;
    std::unique_ptr<KvAllocator> (*make)(const AllocationOptions& options);
    std::int64_t AllocationOptions::* unit_bytes;  // which option is the unit that is handed out
};

// static, chunked.
std::span<const AllocationVariant> allocation_variants();

// An allocator of the named variant; bad input at `where` when the name is unknown or the unit is
// not between 1 byte and the capacity.
Result<std::unique_ptr<KvAllocator>> make_allocator(std::string_view name,
                                                    const AllocationOptions& options,
                                                    const std::string& where);

// Makers of the variants, one file each. Options as make_allocator checks them.
std::unique_ptr<KvAllocator> make_static_allocator(const AllocationOptions& options);
std::unique_ptr<KvAllocator> make_chunked_allocator(const AllocationOptions& options);

}  // namespace memside::kv
