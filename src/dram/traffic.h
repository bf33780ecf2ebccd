// Request streams of one channel: sweeps, uniformly random bursts, random pages.
#pragma once

#include <cstdint>
#include <vector>

#include "dram/address_mapping.h"
#include "dram/request.h"
#include "dram/spec.h"

namespace memside::dram {

// A small deterministic generator (SplitMix64, public domain: Steele, Lea and Flood 2014).
class SplitMix {
  public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    // Uniform in [0, bound), up to a bias of bound / 2^64.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }

  private:
    std::uint64_t state_;
};

// Reads every burst of the channel: pseudo-channels alternate fastest, then bank groups, banks,
// ranks or stack IDs, columns, rows. With `staggered` the banks begin their rows at columns spread
// over the row, so that they do not all change row at once.
class InterleavedSweep final : public RequestSource {
  public:
    InterleavedSweep(const Spec& spec, std::int64_t requests, bool staggered);
    bool next(Request& request) override;

  private:
    std::vector<int> bank_order_;
    std::vector<int> first_column_;  // by position in bank_order_
    int rows_;
    int columns_;
    std::int64_t left_;
    std::size_t position_ = 0;
    std::int64_t round_ = 0;
};

// Reads bursts drawn uniformly from the whole channel.
class RandomBursts final : public RequestSource {
  public:
    RandomBursts(const Spec& spec, std::int64_t requests, std::uint64_t seed);
    bool next(Request& request) override;

  private:
    int banks_;
    int rows_;
    int columns_;
    std::int64_t left_;
    SplitMix random_;
};

// Bursts at ascending addresses of pieces of `piece_bytes`; a piece begins at a multiple of its
// size, at the next place of the address space (sequential) or at a random one. Only the bursts
// that the mapping puts in channel `channel` are requested.
class AddressPieces final : public RequestSource {
  public:
    struct Shape {
        std::int64_t pieces = 0;
        std::uint64_t piece_bytes = 0;  // a multiple of the burst
        bool random = false;
        bool write = false;
        std::uint64_t seed = 0;
    };
    AddressPieces(const AddressMapping& mapping, const Shape& shape, int burst_bytes, int channel);
    bool next(Request& request) override;

  private:
    bool next_piece();
    // Steps over what other channels hold.
    void skip_foreign();

    const AddressMapping& mapping_;
    Shape shape_;
    std::uint64_t burst_bytes_;
    std::uint64_t interleave_bytes_;
    int channel_;
    std::int64_t piece_ = 0;
    std::uint64_t address_ = 0;
    std::uint64_t end_ = 0;
    SplitMix random_;
};

}  // namespace memside::dram
