#include "engine/attention_kernel.h"

#include <array>
#include <cmath>
#include <numbers>

#include "engine/half.h"
#include "engine/random_weights.h"

namespace memside::engine {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

constexpr std::array value_types{kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8};

// Pages of one KV head with random keys and values, and queries.
struct Scene {
    Scene(kv::ValueType type, int head_dim, std::int64_t page_tokens, std::int64_t page_count,
          int rows, float query_size = 1.0F)
        : pages(page_count), size(query_size) {
        KvShape shape;
        shape.kv_heads = 1;
        shape.head_dim = head_dim;
        shape.page_tokens = page_tokens;
        shape.capacity_tokens = pages * page_tokens;
        shape.kept_tokens = {0};
        shape.type = type;
        store = std::move(KvStore::make(shape)).value();
        for (std::int64_t t = 0; t < shape.capacity_tokens; ++t) {
            const auto seed = static_cast<std::uint64_t>(t);
            store.write(0, t, test::random_values(index(head_dim), 1000 + seed).data(),
                        test::random_values(index(head_dim), 9000000 + seed).data());
        }
        // Behind one float, so that no row begins at a cache line.
        queries = test::random_values(index(rows * head_dim + 1), 3, size);
    }

    const KvShape& shape() const { return store.shape(); }
    const float* query(int row) const { return queries.data() + 1 + row * shape().head_dim; }

    KvStore store;
    std::int64_t pages;
    float size;
    std::vector<float> queries;
};

// Attention of a row in f64 over tokens [first, last), from keys and values as they are stored.
std::vector<double> reference(const Scene& scene, int row, std::int64_t first, std::int64_t last) {
    const std::int64_t dim = scene.shape().head_dim;
    const std::int64_t page_tokens = scene.shape().page_tokens;
    std::vector<float> keys(index(scene.pages * page_tokens * dim));
    std::vector<float> values(keys.size());
    for (std::int64_t page = 0; page < scene.pages; ++page) {
        const std::int64_t at = page * page_tokens * dim;
        scene.store.read_keys(0, page, 0, 0, page_tokens, keys.data() + at);
        scene.store.read_values(0, page, 0, 0, page_tokens, values.data() + at);
    }
    std::vector<double> scores;
    for (std::int64_t t = first; t < last; ++t) {
        double score = 0.0;
        for (std::int64_t d = 0; d < dim; ++d) {
            score += static_cast<double>(scene.query(row)[d]) *
                     static_cast<double>(keys[index(t * dim + d)]);
        }
        scores.push_back(score);
    }
    const double largest = *std::ranges::max_element(scores);
    std::vector<double> out(index(dim));
    double sum = 0.0;
    for (std::int64_t t = first; t < last; ++t) {
        const double weight = std::exp2(scores[index(t - first)] - largest);
        sum += weight;
        for (std::int64_t d = 0; d < dim; ++d) {
            out[index(d)] += weight * static_cast<double>(values[index(t * dim + d)]);
        }
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

void attend(const AttentionVariant& variant, const Scene& scene, std::int64_t first,
            std::int64_t last, States& states) {
    const std::int64_t page_tokens = scene.shape().page_tokens;
    for (std::int64_t page = 0; page < scene.pages; ++page) {
        AttendPage job = page_job(scene.store, 0, page, 0);
        job.next = scene.store.page(0, std::min(page + 1, scene.pages - 1), 0);
        job.queries = scene.query(0);
        job.rows = states.rows;
        job.first = std::max<std::int64_t>(first - page * page_tokens, 0);
        job.last = std::min(last - page * page_tokens, page_tokens);
        if (job.first >= job.last) continue;
        job.state = states.view();
        variant.attend(job);
    }
}

double tolerance(const AttentionVariant& variant, const Scene& scene) {
    // Scores of size s lose s x 2^-22 or so in f32, which the weights inherit.
    const double floats = 4e-6 * std::max(1.0, static_cast<double>(scene.size));
    if (variant.name != "avx512-vnni" || scene.shape().type != kv::ValueType::int8) return floats;
    // Queries in steps of largest / 32512: uniform errors, standard deviation step / sqrt(12),
    // times keys of mean square 1/3, give scores and thus weights an error; six of them.
    const double step = static_cast<double>(scene.size) / 32512.0;
    return floats + 6.0 * std::numbers::ln2 * step / std::sqrt(12.0) *
                        std::sqrt(scene.shape().head_dim / 3.0);
}

void expect_attention(const Scene& scene, int rows, std::int64_t first, std::int64_t last) {
    std::vector<std::vector<double>> want;
    for (int row = 0; row < rows; ++row) want.push_back(reference(scene, row, first, last));
    for (const AttentionVariant& variant : attention_variants()) {
        if (!variant.runs_here()) continue;
        States states(rows, scene.shape().value_stride());
        attend(variant, scene, first, last, states);
        for (int row = 0; row < rows; ++row) {
            for (int d = 0; d < scene.shape().head_dim; ++d) {
                const double got =
                    static_cast<double>(states.values[index(row * states.stride + d)]) /
                    static_cast<double>(states.sum[index(row)]);
                ASSERT_NEAR(got, want[index(row)][index(d)], tolerance(variant, scene))
                    << variant.name << " head_dim " << scene.shape().head_dim << " rows " << rows
                    << " page " << scene.shape().page_tokens << " tokens " << first << " to "
                    << last;
            }
        }
    }
}

class AttentionOfType : public testing::TestWithParam<kv::ValueType> {};

INSTANTIATE_TEST_SUITE_P(Types, AttentionOfType, testing::ValuesIn(value_types),
                         [](const auto& given) {
                             return kv::value_type_names()[static_cast<std::size_t>(given.param)];
                         });

TEST_P(AttentionOfType, is_that_in_f64_for_every_variant_shape_and_token_range) {
    for (const int head_dim : {64, 80, 96, 128, 256, 22}) {
        for (const std::int64_t page : {16, 32, 64, 128}) {
            const Scene scene(GetParam(), head_dim, page, 3, 16);
            for (const int rows : {1, 2, 3, 4, 5, 7, 8, 16}) {
                expect_attention(scene, rows, 0, 1);
                expect_attention(scene, rows, 5, 2 * page + 7);
            }
        }
    }
}

TEST_P(AttentionOfType, is_that_in_f64_wherever_the_tokens_begin_and_end) {
    const Scene scene(GetParam(), 64, 16, 2, 5);
    for (std::int64_t first = 0; first < 16; ++first) {
        for (std::int64_t last = first + 1; last <= 32; ++last) {
            expect_attention(scene, 5, first, last);
        }
    }
}

TEST_P(AttentionOfType, stays_finite_when_weights_differ_by_many_powers_of_two) {
    const Scene scene(GetParam(), 64, 64, 2, 4, 60.0F);
    expect_attention(scene, 4, 3, 128);
}

TEST_P(AttentionOfType, leaves_out_tokens_outside_the_range_whatever_they_are) {
    Scene scene(GetParam(), 80, 64, 1, 4);
    const std::vector<float> none(80, NAN);
    for (const std::int64_t token : {0, 6, 41, 63}) {
        scene.store.write(0, token, none.data(), none.data());
    }
    expect_attention(scene, 4, 7, 41);
}

TEST(AttentionKernel, states_of_disjoint_pages_merge_to_that_of_all) {
    const Scene scene(kv::ValueType::f16, 64, 16, 6, 4);
    const std::int64_t stride = scene.shape().value_stride();
    States all(4, stride);
    attend(attention_variants().back(), scene, 0, 96, all);
    States merged(4, stride);
    for (const std::int64_t first : {64, 0, 32}) {
        States part(4, stride);
        attend(attention_variants().back(), scene, first, first + 32, part);
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
