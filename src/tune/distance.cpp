#include "tune/distance.h"

#include <bit>
#include <limits>

namespace memside::tune {
namespace {

// How many bytes of `bits` are not 0.
int bytes_set(std::uint64_t bits) {
    constexpr std::uint64_t low7 = 0x7F7F7F7F7F7F7F7FULL;
    return std::popcount((((bits & low7) + low7) | bits) & ~low7);
}

}  // namespace

Distances::Distances(const Candidates& candidates, Distance kind)
    : kind_(kind), knobs_(candidates.knobs().size()), packed_(candidates.size()) {
    for (CandidateId id = 0; id < candidates.size(); ++id) {
        const Point& point = candidates.point(id);
        for (std::size_t k = 0; k < knobs_; ++k) {
            packed_[id][k / 8] |= std::uint64_t{point[k]} << (k % 8 * 8);
        }
    }
}

int Distances::differing(CandidateId a, CandidateId b) const {
    return bytes_set(packed_[a][0] ^ packed_[b][0]) + bytes_set(packed_[a][1] ^ packed_[b][1]);
}

int Distances::apart(CandidateId a, CandidateId b) const {
    int sum = 0;
    for (std::size_t k = 0; k < knobs_; ++k) {
        const int at = static_cast<int>(packed_[a][k / 8] >> (k % 8 * 8) & 0xFF);
        const int other = static_cast<int>(packed_[b][k / 8] >> (k % 8 * 8) & 0xFF);
        sum += at > other ? at - other : other - at;
    }
    return sum;
}

std::vector<std::size_t> most_distinct(const Distances& distances,
                                       std::span<const CandidateId> pool,
                                       std::span<const float> scores, std::size_t count) {
    std::vector<std::size_t> chosen;
    // To the nearest chosen one; below every distance once it is itself chosen.
    std::vector<int> nearest(pool.size(), std::numeric_limits<int>::max());
    while (chosen.size() < std::min(count, pool.size())) {
        std::size_t next = pool.size();
        for (std::size_t i = 0; i < pool.size(); ++i) {
            if (nearest[i] < 0) continue;
            if (next == pool.size() || nearest[i] > nearest[next] ||
                (nearest[i] == nearest[next] && scores[i] > scores[next])) {
                next = i;
            }
        }
        chosen.push_back(next);
        nearest[next] = -1;
        for (std::size_t i = 0; i < pool.size(); ++i) {
            nearest[i] = std::min(nearest[i], distances(pool[i], pool[next]));
        }
    }
    return chosen;
}

std::vector<CandidateId> thinned(const Distances& distances, std::span<const CandidateId> pool,
                                 int apart, std::size_t count) {
    std::vector<CandidateId> kept;
    std::vector<CandidateId> others;
    for (const CandidateId id : pool) {
        if (kept.size() == count) return kept;
        const bool far = std::all_of(kept.begin(), kept.end(), [&](CandidateId other) {
            return distances(id, other) >= apart;
        });
        (far ? kept : others).push_back(id);
    }
    const std::size_t missing = std::min(count - kept.size(), others.size());
    kept.insert(kept.end(), others.begin(), others.begin() + static_cast<std::ptrdiff_t>(missing));
    return kept;
}

std::vector<CandidateId> most_new_values(const Candidates& candidates,
                                         std::span<const CandidateId> pool, std::size_t count) {
    const std::size_t knobs = candidates.knobs().size();
    std::vector<std::vector<bool>> used;
    for (const Knob& knob : candidates.knobs()) used.emplace_back(knob.values.size(), false);
    std::vector<CandidateId> left(pool.begin(), pool.end());
    std::vector<CandidateId> chosen;
    while (chosen.size() < count && !left.empty()) {
        auto best = left.begin();
        int most = -1;
        for (auto it = left.begin(); it != left.end(); ++it) {
            const Point& point = candidates.point(*it);
            int fresh = 0;
            for (std::size_t k = 0; k < knobs; ++k) fresh += used[k][point[k]] ? 0 : 1;
            if (fresh <= most) continue;
            most = fresh;
            best = it;
        }
        const Point& point = candidates.point(*best);
        for (std::size_t k = 0; k < knobs; ++k) used[k][point[k]] = true;
        chosen.push_back(*best);
        left.erase(best);
    }
    return chosen;
}

}  // namespace memside::tune
