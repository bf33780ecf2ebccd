#include "engine/attention_kernel.h"

#include <cmath>
#include <limits>

#include "engine/half.h"
#include "engine/random_weights.h"

namespace memside::engine {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// Pages of one KV head, and query heads that attend them.
struct Scene {
    std::int64_t page_tokens;
    std::int64_t pages;
    int head_dim;
    int rows;
    float size = 1.0F;  // of query values: scores spread with it

    KvStore store() const {
        KvShape shape;
        shape.kv_heads = 1;
        shape.head_dim = head_dim;
        shape.page_tokens = page_tokens;
        shape.capacity_tokens = pages * page_tokens;
        shape.kept_tokens = {0};
        auto made = KvStore::make(shape);
        EXPECT_TRUE(made.ok());
        KvStore store = std::move(made).value();
        for (std::int64_t t = 0; t < shape.capacity_tokens; ++t) {
            store.write(0, t, key(t).data(), value(t).data());
        }
        return store;
    }
    std::vector<float> key(std::int64_t t) const {
        return test::random_values(index(head_dim), 1000 + static_cast<std::uint64_t>(t));
    }
    std::vector<float> value(std::int64_t t) const {
        return test::random_values(index(head_dim), 9000000 + static_cast<std::uint64_t>(t));
    }
    std::vector<float> queries() const {
        return test::random_values(index(rows * head_dim), 3, size);
    }
};

double rounded(float value) {
    return static_cast<double>(float_from_half(half_from_float(value)));
}

// Attention in f64 over tokens [first, last), from keys and values rounded to f16.
std::vector<double> reference(const Scene& scene, int row, std::int64_t first, std::int64_t last) {
    const std::vector<float> queries = scene.queries();
    std::vector<double> scores;
    for (std::int64_t t = first; t < last; ++t) {
        const std::vector<float> key = scene.key(t);
        double score = 0.0;
        for (int d = 0; d < scene.head_dim; ++d) {
            score += static_cast<double>(queries[index(row * scene.head_dim + d)]) *
                     rounded(key[index(d)]);
        }
        scores.push_back(score);
    }
    const double largest = *std::ranges::max_element(scores);
    std::vector<double> out(index(scene.head_dim));
    double sum = 0.0;
    for (std::int64_t t = first; t < last; ++t) {
        const double weight = std::exp2(scores[index(t - first)] - largest);
        sum += weight;
        const std::vector<float> value = scene.value(t);
        for (std::size_t d = 0; d < out.size(); ++d) out[d] += weight * rounded(value[d]);
    }
    for (double& x : out) x /= sum;
    return out;
}

struct States {
    States(int row_count, std::int64_t value_stride)
        : rows(row_count),
          stride(value_stride),
          largest(index(rows)),
          sum(index(rows)),
          values(index(rows * stride)) {
        clear(view(), rows, stride);
    }
    AttentionState view() { return {largest.data(), sum.data(), values.data()}; }

    int rows;
    std::int64_t stride;
    std::vector<float> largest;
    std::vector<float> sum;
    std::vector<float> values;
};

void attend(const AttentionVariant& variant, const Scene& scene, const KvStore& store,
            std::int64_t first, std::int64_t last, States& states) {
    const std::vector<float> queries = scene.queries();
    for (std::int64_t page = 0; page < scene.pages; ++page) {
        AttendPage job;
        job.page = store.page(0, page, 0);
        job.next = store.page(0, std::min(page + 1, scene.pages - 1), 0);
        job.head_dim = scene.head_dim;
        job.page_tokens = scene.page_tokens;
        job.value_stride = store.shape().value_stride();
        job.queries = queries.data();
        job.rows = scene.rows;
        job.first = std::max<std::int64_t>(first - page * scene.page_tokens, 0);
        job.last = std::min(last - page * scene.page_tokens, scene.page_tokens);
        if (job.first >= job.last) continue;
        job.state = states.view();
        variant.attend(job);
    }
}

void expect_attention(const AttentionVariant& variant, const Scene& scene, const KvStore& store,
                      std::int64_t first, std::int64_t last) {
    States states(scene.rows, store.shape().value_stride());
    attend(variant, scene, store, first, last, states);
    for (int row = 0; row < scene.rows; ++row) {
        const std::vector<double> want = reference(scene, row, first, last);
        for (int d = 0; d < scene.head_dim; ++d) {
            const double got = static_cast<double>(states.values[index(row * states.stride + d)]) /
                               static_cast<double>(states.sum[index(row)]);
            // Scores of size s lose s x 2^-22 or so in f32, which the weights inherit.
            ASSERT_NEAR(got, want[index(d)], 4e-6 * std::max(1.0F, scene.size))
                << variant.name << " head_dim " << scene.head_dim << " rows " << scene.rows
                << " page " << scene.page_tokens << " tokens " << first << " to " << last;
        }
    }
}

TEST(AttentionKernel, every_variant_gives_attention_in_f64_for_every_shape_and_token_range) {
    for (const int head_dim : {16, 64, 80, 128, 256, 24}) {
        for (const std::int64_t page : {16, 32, 64, 128}) {
            const Scene widest{page, 3, head_dim, 8};
            const KvStore store = widest.store();
            for (const int rows : {1, 2, 3, 4, 7, 8}) {
                const Scene scene{page, 3, head_dim, rows};
                for (const AttentionVariant& variant : attention_variants()) {
                    if (!variant.runs_here()) continue;
                    expect_attention(variant, scene, store, 0, 1);
                    expect_attention(variant, scene, store, 5, 2 * page + 7);
                }
            }
        }
    }
}

TEST(AttentionKernel, weights_that_differ_by_many_powers_of_two_stay_finite) {
    const Scene scene{64, 2, 64, 4, 60.0F};
    const KvStore store = scene.store();
    for (const AttentionVariant& variant : attention_variants()) {
        if (variant.runs_here()) expect_attention(variant, scene, store, 3, 128);
    }
}

TEST(AttentionKernel, states_of_disjoint_pages_merge_to_that_of_all) {
    const Scene scene{16, 6, 64, 4};
    const KvStore store = scene.store();
    const std::int64_t stride = store.shape().value_stride();
    States all(4, stride);
    attend(attention_variants().back(), scene, store, 0, 96, all);
    States merged(4, stride);
    for (const std::int64_t first : {64, 0, 32}) {
        States part(4, stride);
        attend(attention_variants().back(), scene, store, first, first + 32, part);
        merge(part.view(), 4, stride, merged.view());
    }
    const States nothing(4, stride);
    States empty = nothing;
    merge(empty.view(), 4, stride, merged.view());
    for (std::size_t i = 0; i < all.values.size(); ++i) {
        const std::size_t row = i / index(stride);
        ASSERT_NEAR(merged.values[i] / merged.sum[row], all.values[i] / all.sum[row], 1e-6);
    }
}

}  // namespace
}  // namespace memside::engine
