#include "engine/page_scan.h"

#include <cassert>
#include <limits>

#include "engine/loop_parts.h"
#include "kv/layout.h"

namespace memside::engine {
namespace {

static_assert(digest_block_pages == kv::score_block_pages);
static_assert(superpage_pages == digest_block_pages, "a block of pages is a superpage");
constexpr float infinity = std::numeric_limits<float>::infinity();

constexpr std::int64_t reads_per_part = 64;

// Steps without a trial after many failures in a row. A trial that fails reads the superpages and
// up to three eighths of the pages for nothing: then 0.7 % of what the steps read.
constexpr std::int64_t longest_pause = 63;

// In four lanes, which become vector code.
float largest_of_block(const float* scores) {
    float lanes[4] = {-infinity, -infinity, -infinity, -infinity};
    for (std::int64_t i = 0; i < digest_block_pages; i += 4) {
        for (std::int64_t lane = 0; lane < 4; ++lane) {
            lanes[lane] = scores[i + lane] > lanes[lane] ? scores[i + lane] : lanes[lane];
        }
    }
    return std::max(std::max(lanes[0], lanes[1]), std::max(lanes[2], lanes[3]));
}

// Two levels have paid when they have left three quarters unread: finding the floors takes up to
// half as long as a scan (measured at 16,384 pages of 8 KV heads).
bool pays(std::int64_t read, std::int64_t all) {
    return 4 * read <= all;
}

// Superpages that are read first for so many best pages: twice those that the pages would fill.
std::int64_t first_superpages(std::int64_t best_pages) {
    return kv::page_count(2 * best_pages, superpage_pages);
}

// How far int8 scores of a page may be above that of its superpage, in units of the superpage's
// scale x the sum of a query's magnitudes. Each of the two is a sum of at most 2 x head_dim terms,
// every term rounded at most 2 x head_dim + 3 times by 2^-24, none larger than 127 steps: twice
// that error for the two scores and a little for corners rounded to f32. Doubled to be safe.
double int8_rounding(int head_dim) {
    return 4.0 * (2.0 * head_dim + 8.0) * 0x1p-24 * 127.0;
}

}  // namespace

PageScan::PageScan(const KvShape& shape, ThreadPool& pool, int heads, kv::SelectPer select_per,
                   kv::GroupScore group_score)
    : shape_(shape),
      pool_(pool),
      heads_(heads),
      sets_(kv::group_count(select_per, heads, shape.kv_heads)),
      group_score_(group_score) {
    assert(heads % shape.kv_heads == 0);
    const int group = heads / shape.kv_heads;
    const bool per_head = select_per == kv::SelectPer::query_head;
    rows_ = !per_head && group_score == kv::GroupScore::mean ? 1 : group;
    unit_heads_ = select_per == kv::SelectPer::layer ? shape.kv_heads : 1;
    unit_sets_ = per_head ? group : 1;
    units_ = shape.kv_heads / unit_heads_;
    first_.resize(index(units_));
    left_.resize(index(units_));
}

void PageScan::split_queries(const float* queries) {
    const auto dim = index(shape_.head_dim);
    const auto values = index(heads_) * dim;
    const std::size_t merged = index(heads_ / (shape_.kv_heads * rows_));
    positive_.assign(values / merged, 0.0F);
    negative_.assign(values / merged, 0.0F);
    const float share = 1.0F / static_cast<float>(merged);
    for (std::size_t i = 0; i < values; ++i) {
        const std::size_t row = i / dim / merged;
        positive_[row * dim + i % dim] += share * std::max(queries[i], 0.0F);
        negative_[row * dim + i % dim] += share * std::min(queries[i], 0.0F);
    }
    sizes_.assign(positive_.size() / dim, 0.0);
    for (std::size_t i = 0; i < positive_.size(); ++i) {
        sizes_[i / dim] += static_cast<double>(positive_[i]) - static_cast<double>(negative_[i]);
    }
}

void PageScan::run(const float* queries, int layer, std::int64_t pages, const DigestStore& digests,
                   std::int64_t best_pages, kv::PinnedPages pinned) {
    assert(pages > 0);
    pages_ = pages;
    blocks_ = kv::page_count(pages, digest_block_pages);
    stride_ = blocks_ * digest_block_pages;
    superblocks_ = kv::page_count(blocks_, digest_block_pages);
    scores_.resize(index(sets_ * stride_));
    block_keys_.resize(index(sets_ * blocks_));
    digests_read_ = 0;
    bytes_read_ = 0;
    split_queries(queries);
    const Step step{layer, digests, best_pages, pinned};
    if (best_pages == 0 || !two_levels(step)) one_level(step);
}

void PageScan::score_unit(const DigestStore& digests, std::int64_t unit, const std::byte* at,
                          const std::byte* ahead, bool bounds, float* out,
                          std::int64_t stride) const {
    const auto first_head = static_cast<int>(unit) * unit_heads_;
    const int all_rows = unit_heads_ * rows_;
    // Each row is a set, or rows come together in one.
    const bool direct = all_rows == unit_sets_;
    thread_local std::vector<float> memory;
    if (!direct) memory.resize(index(all_rows * digest_block_pages));
    float* const rows = direct ? out : memory.data();
    const std::int64_t row_stride = direct ? stride : digest_block_pages;
    for (int h = 0; h < unit_heads_; ++h) {
        const std::int64_t row = (first_head + h) * rows_;
        ScoreDigests job;
        job.block = at + h * digests.block_bytes();
        job.ahead = job.block;
        if (ahead != nullptr) {
            job.ahead = h + 1 < unit_heads_ ? job.block + digests.block_bytes() : ahead;
        }
        job.head_dim = shape_.head_dim;
        job.positive = positive_.data() + row * shape_.head_dim;
        job.negative = negative_.data() + row * shape_.head_dim;
        job.rows = rows_;
        job.scores = rows + h * rows_ * row_stride;
        job.score_stride = row_stride;
        digest_kernel().score(digests.type(), job);
        if (!bounds || digests.type() == kv::DigestType::f16) continue;
        const auto* scales = reinterpret_cast<const float*>(job.block);
        for (int r = 0; r < rows_; ++r) {
            const double rounding = int8_rounding(shape_.head_dim) * sizes_[index(row + r)];
            for (std::int64_t lane = 0; lane < digest_block_pages; ++lane) {
                float& score = job.scores[r * row_stride + lane];
                // The smallest normal number covers what underflows.
                score = static_cast<float>(static_cast<double>(score) +
                                           rounding * static_cast<double>(scales[lane]) +
                                           static_cast<double>(std::numeric_limits<float>::min()));
            }
        }
    }
    if (direct) return;
    // Neither a mean nor a maximum changes the order of its terms: bounds stay bounds.
    float grouped[digest_block_pages];
    kv::group_scores(memory, all_rows, 1, kv::SelectPer::kv_head, group_score_, grouped);
    std::copy_n(grouped, digest_block_pages, out);
}

void PageScan::score_block(const Step& step, const Read& read, const Read* ahead) {
    const auto block_of = [&](const Read& r) {
        return step.digests.block(step.layer, static_cast<int>(r.unit) * unit_heads_, r.block);
    };
    const std::int64_t first_set = read.unit * unit_sets_;
    float* const out = scores_.data() + first_set * stride_ + read.block * digest_block_pages;
    score_unit(step.digests, read.unit, block_of(read),
               ahead == nullptr ? nullptr : block_of(*ahead), false, out, stride_);
    const std::int64_t valid = pages_ - read.block * digest_block_pages;
    for (int s = 0; s < unit_sets_; ++s) {
        float* const found = out + s * stride_;
        // Lanes that are no page.
        if (valid < digest_block_pages) {
            std::fill(found + valid, found + digest_block_pages, -infinity);
        }
        block_keys(first_set + s)[index(read.block)] = kv::score_key(largest_of_block(found));
    }
}

void PageScan::one_level(const Step& step) {
    // In the order of memory: all KV heads of a block, then the next block. Blocks of f16 are long
    // enough for the processor to see the order; fetching them ahead as well cost a fifth.
    const bool fetch = step.digests.type() == kv::DigestType::int8;
    pool_.run(kv::page_count(blocks_, scan_blocks_per_part), [&](std::int64_t part) {
        const std::int64_t first = part * scan_blocks_per_part;
        const std::int64_t last = std::min(first + scan_blocks_per_part, blocks_);
        for (std::int64_t block = first; block < last; ++block) {
            for (std::int64_t unit = 0; unit < units_; ++unit) {
                const Read next = unit + 1 < units_ ? Read{unit + 1, block}
                                                    : Read{0, std::min(block + 1, blocks_ - 1)};
                score_block(step, {unit, block}, fetch ? &next : nullptr);
            }
        }
    });
    count(step, units_ * blocks_, units_ * pages_);
}

void PageScan::bound_blocks(const Step& step) {
    bound_keys_.resize(index(sets_ * blocks_));
    pool_.run(superblocks_, [&](std::int64_t superblock) {
        const std::int64_t first = superblock * digest_block_pages;
        const std::int64_t last = std::min(first + digest_block_pages, blocks_);
        std::vector<float> bounds(index(unit_sets_ * digest_block_pages));
        for (std::int64_t unit = 0; unit < units_; ++unit) {
            const auto head = static_cast<int>(unit) * unit_heads_;
            score_unit(step.digests, unit, step.digests.superpages(step.layer, head, superblock),
                       step.digests.superpages(step.layer, head,
                                               std::min(superblock + 1, superblocks_ - 1)),
                       true, bounds.data(), digest_block_pages);
            for (int set = 0; set < unit_sets_; ++set) {
                const auto keys = bound_keys(unit * unit_sets_ + set);
                for (std::int64_t block = first; block < last; ++block) {
                    keys[index(block)] =
                        kv::score_key(bounds[index(set * digest_block_pages + block - first)]);
                }
            }
        }
    });
    count(step, units_ * superblocks_, units_ * blocks_);
}

// The blocks of a unit while its floors are looked for.
struct PageScan::Search {
    // Pages that are not pinned: those to find, and where they are.
    std::int64_t wanted;
    std::int64_t first_page;
    std::int64_t last_page;
    std::vector<std::uint32_t> floors;             // [sets of the unit]
    std::vector<std::vector<std::uint32_t>> best;  // [sets]: the keys of the best pages so far
};

// Reads superpages of a unit, best bounds first, while that raises its floors, and lists what else
// may hold pages among the best.
void PageScan::find_floors(const Step& step, std::int64_t unit) {
    const std::int64_t sink = std::min(step.pinned.sink, pages_);
    const std::int64_t recent = std::min(step.pinned.recent, pages_ - sink);
    Search search{step.best_pages - sink - recent, sink, pages_ - recent,
                  std::vector<std::uint32_t>(index(unit_sets_), 1),
                  std::vector<std::vector<std::uint32_t>>(index(unit_sets_))};
    for (int set = 0; set < unit_sets_; ++set) {
        std::ranges::fill(scores(unit * unit_sets_ + set), -infinity);
        std::ranges::fill(block_keys(unit * unit_sets_ + set), kv::score_key(-infinity));
    }
    std::vector<Read>& first = first_[index(unit)];
    std::vector<Read>& left = left_[index(unit)];
    first.clear();
    left.clear();
    if (search.wanted <= 0) return;
    // Each round twice as many as all before it: when what is left is no more than that, it need
    // not wait for higher floors. Given up early when it looks as if most would be read.
    std::int64_t batch = first_superpages(search.wanted);
    for (;;) {
        raise_floors(step, unit, batch, search);
        std::vector<std::uint8_t> may_reach(index(blocks_), 0);
        for (int set = 0; set < unit_sets_; ++set) {
            const std::uint32_t floor = search.floors[index(set)];
            const auto keys = bound_keys(unit * unit_sets_ + set);
            // Not above: a page that ties with the floor and comes earlier is in.
            for (std::size_t b = 0; b < keys.size(); ++b) {
                if (keys[b] >= floor) may_reach[b] = 1;
            }
        }
        const auto read = static_cast<std::int64_t>(first.size());
        const std::int64_t unread = std::ranges::count(may_reach, 1);
        if (unread > 2 * read && (8 * read <= blocks_ || pays(read + unread, blocks_))) {
            batch = 2 * read;
            continue;
        }
        for (std::int64_t block = 0; block < blocks_; ++block) {
            if (may_reach[index(block)] != 0) left.push_back({unit, block});
        }
        return;
    }
}

// Reads the `batch` best superpages of each set that are unread and may hold a page among the best.
void PageScan::raise_floors(const Step& step, std::int64_t unit, std::int64_t batch,
                            Search& search) {
    std::vector<Read>& first = first_[index(unit)];
    const std::size_t before = first.size();
    const std::int64_t first_set = unit * unit_sets_;
    // The key and, so that equal ones are told apart, the block from the end.
    std::vector<std::uint64_t> order;
    for (int set = 0; set < unit_sets_; ++set) {
        const auto keys = bound_keys(first_set + set);
        order.clear();
        for (std::size_t b = 0; b < keys.size(); ++b) {
            if (keys[b] < search.floors[index(set)]) continue;
            order.push_back(std::uint64_t{keys[b]} << 32 | (UINT32_MAX - b));
        }
        if (order.size() > index(batch)) {
            std::nth_element(order.begin(), order.begin() + batch, order.end(), std::greater<>());
            order.resize(index(batch));
        }
        for (const std::uint64_t entry : order) {
            const auto block = static_cast<std::int64_t>(UINT32_MAX - (entry & UINT32_MAX));
            first.push_back({unit, block});
            // Below every floor from now on.
            for (int other = 0; other < unit_sets_; ++other) {
                bound_keys(first_set + other)[index(block)] = 0;
            }
        }
    }
    for (std::size_t i = before; i < first.size(); ++i) {
        score_block(step, first[i], &first[std::min(i + 1, first.size() - 1)]);
    }

    for (int set = 0; set < unit_sets_; ++set) {
        std::vector<std::uint32_t>& best = search.best[index(set)];
        std::uint32_t& floor = search.floors[index(set)];
        const auto found = scores(first_set + set);
        for (std::size_t i = before; i < first.size(); ++i) {
            const std::int64_t block = first[i].block;
            if (block_keys(first_set + set)[index(block)] < floor) continue;
            const std::int64_t begin = std::max(block * digest_block_pages, search.first_page);
            const std::int64_t end = std::min((block + 1) * digest_block_pages, search.last_page);
            for (std::int64_t page = begin; page < end; ++page) {
                const std::uint32_t key = kv::score_key(found[index(page)]);
                if (key >= floor) best.push_back(key);
            }
        }
        if (best.size() < index(search.wanted)) continue;
        const auto last = best.begin() + static_cast<std::ptrdiff_t>(search.wanted) - 1;
        std::nth_element(best.begin(), last, best.end(), std::greater<>());
        floor = *last;
        best.resize(index(search.wanted));
    }
}

// False when every page has to be scored after all, which is not done yet.
bool PageScan::two_levels(const Step& step) {
    // Of few pages there is little to save.
    if (32 * first_superpages(step.best_pages) > blocks_) return false;
    if (trials_.size() <= index(step.layer)) trials_.resize(index(step.layer) + 1);
    Trial& trial = trials_[index(step.layer)];
    if (trial.wait > 0) {
        --trial.wait;
        return false;
    }
    bound_blocks(step);
    pool_.run(units_, [&](std::int64_t unit) { find_floors(step, unit); });
    std::vector<Read> left;
    std::int64_t blocks = 0;
    std::int64_t pages = 0;
    const auto add = [&](const Read& read) {
        ++blocks;
        pages += std::min(digest_block_pages, pages_ - read.block * digest_block_pages);
    };
    for (std::int64_t unit = 0; unit < units_; ++unit) {
        std::ranges::for_each(first_[index(unit)], add);
        left.insert(left.end(), left_[index(unit)].begin(), left_[index(unit)].end());
    }
    const bool paid = pays(blocks + static_cast<std::int64_t>(left.size()), units_ * blocks_);
    if (paid) std::ranges::for_each(left, add);
    count(step, blocks, pages);
    trial.pause = paid ? 0 : std::min(2 * trial.pause + 1, longest_pause);
    trial.wait = trial.pause;
    if (!paid) return false;
    const auto reads = static_cast<std::int64_t>(left.size());
    pool_.run(kv::page_count(reads, reads_per_part), [&](std::int64_t part) {
        const std::int64_t last = std::min((part + 1) * reads_per_part, reads);
        for (std::int64_t i = part * reads_per_part; i < last; ++i) {
            score_block(step, left[index(i)], &left[index(std::min(i + 1, reads - 1))]);
        }
    });
    return true;
}

void PageScan::count(const Step& step, std::int64_t unit_blocks, std::int64_t unit_pages) {
    digests_read_ += unit_heads_ * unit_pages;
    bytes_read_ += unit_heads_ * unit_blocks * step.digests.block_bytes();
}

}  // namespace memside::engine
