// Digests: two vectors per page that stand for its keys when pages are scored, so that a step reads
// 2 vectors instead of a page of keys.
//
// Every variant is a box around the keys of a page, given by its low and high corner, and scored
// the same way: score = sum_i max(q_i x low_i, q_i x high_i) (Quest, ICML 2024). With centre
// c = (low + high) / 2 and radius r = (high - low) / 2 that is q.c + |q|.r: the variants differ in
// where the centre lies and how far the box reaches.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/layout.h"

namespace memside::kv {

// Builds the digest of one page of one KV head while the page fills.
class Digest {
  public:
    virtual ~Digest() = default;

    // Adds the keys of further tokens: f32 [tokens x channels], finite, token-major.
    virtual void append(std::span<const float> keys) = 0;

    // Writes the corners of the box, f32 [channels] each, low_i <= high_i. At least one token must
    // have been added. May be called at any fill: the page that is being written is scored too.
    virtual void corners(std::span<float> low, std::span<float> high) const = 0;

    // Empties the page.
    virtual void clear() = 0;

    // Tokens added since the last clear().
    virtual std::int64_t tokens() const = 0;
};

struct DigestVariant {
    DigestKind kind;   // named by digest_kind_names()
    bool upper_bound;  // the score is never below the dot product of any key of the page
    bool takes_coefficient;
    std::string_view meaning;

    // `coefficient` scales the radius; it must be 1 where the variant takes none.
    std::unique_ptr<Digest> (*make)(std::int64_t channels, float coefficient);
};

// Every variant, in the order of DigestKind; the first is the default.
std::span<const DigestVariant> digest_variants();
const DigestVariant& digest_variant(DigestKind kind);

// bad_input at `where` unless the coefficient is between 0 and 16, and 1 for a kind without.
Status check_coefficient(DigestKind kind, double coefficient, const std::string& where);

// The score of one page for one query head: all three spans f32 [channels]. The sum is taken in
// f64 in channel order: the reference for faster kernels, and a sum in which rounding keeps the
// order of its terms, so that a bound stays a bound.
float page_score(std::span<const float> query, std::span<const float> low,
                 std::span<const float> high);

// Makers of the variants, one file each.
std::unique_ptr<Digest> make_minmax_digest(std::int64_t channels, float coefficient);
std::unique_ptr<Digest> make_centre_max_digest(std::int64_t channels, float coefficient);
std::unique_ptr<Digest> make_centre_mad_digest(std::int64_t channels, float coefficient);
std::unique_ptr<Digest> make_centre_std_digest(std::int64_t channels, float coefficient);

}  // namespace memside::kv
