// Attention on two resources, the channels of a group and the hub beside them: softmax of one head
// (TCP) or round of heads (HFP) while the channels multiply for the next.
#pragma once

#include <cstdint>
#include <vector>

namespace memside {

// A block of a head's tokens: QK^T on the channels, softmax on the hub, SV on the channels, and the
// sums on the hub. Without SV it is a scan of digests, whose results the hub puts together.
struct PimBlock {
    std::int64_t repeats = 1;  // alike blocks, one after the other
    bool first = false;        // of its head or round
    bool waits = false;        // its QK^T needs what the hub made of the block before
    double scores_s = 0;
    double softmax_s = 0;
    double sums_s = 0;
    double accumulate_s = 0;

    double channels_s() const { return scores_s + sums_s; }
    double hub_s() const { return softmax_s + accumulate_s; }
};
// Blocks in order; a head or round begins at each that is the first.
using PimBlocks = std::vector<PimBlock>;

struct OverlapTime {
    double time_s = 0;
    double channels_s = 0;  // that they are at work
    double hub_s = 0;
};

// The schedule in which two heads are in flight and their blocks alternate; each resource takes its
// work in this order: channels QK(0) QK(1) SV(0) QK(2) SV(1) ..., hub the softmax of a block and
// the sums of the block before, the sums first when both are of one head. Starts are exact: a piece
// of work starts when its resource is free and what it needs is there. A block's scores and partial
// sums have one of two places in the registers, so that a block waits for the one before last.
OverlapTime overlapped(const PimBlocks& blocks);

}  // namespace memside
