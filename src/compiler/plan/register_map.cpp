#include "compiler/plan/register_map.h"

#include <cassert>

#include "base/text.h"

namespace memside::compiler {

Result<RegisterRange> RegisterMap::take(std::uint32_t tiles, std::string_view what) {
    assert(tiles > 0);
    for (auto range = free_.begin(); range != free_.end(); ++range) {
        const auto [first, count] = *range;
        if (count < tiles) continue;
        free_.erase(range);
        if (count > tiles) free_.emplace(first + tiles, count - tiles);
        return RegisterRange{first, tiles};
    }
    return bad_input(std::string(what), fmt::format("needs {} registers of 32 bytes in a row; {} "
                                                    "are free",
                                                    tiles, largest().tiles));
}

void RegisterMap::give(const RegisterRange& range) {
    auto [at, added] = free_.emplace(range.first, range.tiles);
    assert(added);
    const auto next = std::next(at);
    if (next != free_.end()) {
        assert(at->first + at->second <= next->first);
        if (at->first + at->second == next->first) {
            at->second += next->second;
            free_.erase(next);
        }
    }
    if (at == free_.begin()) return;
    const auto before = std::prev(at);
    assert(before->first + before->second <= at->first);
    if (before->first + before->second == at->first) {
        before->second += at->second;
        free_.erase(at);
    }
}

RegisterRange RegisterMap::largest() const {
    RegisterRange best;
    for (const auto& [first, tiles] : free_) {
        if (tiles > best.tiles) best = {first, tiles};
    }
    return best;
}

}  // namespace memside::compiler
