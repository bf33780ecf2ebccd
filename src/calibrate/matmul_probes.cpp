// Weights times the activations of one token, for every type of weights: from memory, one matrix
// after another as a step goes through a model, and from the cache.
#include "base/clock.h"
#include "calibrate/workbench.h"
#include "engine/matmul.h"
#include "model/gguf_types.h"

namespace memside::calibrate {
namespace {

// Matrices that a probe goes through: as many bytes of each type.
constexpr std::int64_t matrix_bytes = std::int64_t{4} << 20;
constexpr std::int64_t cached_bytes = std::int64_t{1} << 19;
constexpr std::int64_t columns = 2048;

// Seconds of one product with a matrix of about `bytes`, or of several in a row.
class Products {
  public:
    Products(Workbench& bench, engine::WeightType type, std::int64_t width, std::int64_t bytes)
        : bench_(bench), x_(static_cast<std::size_t>(width), 0.25F), activations_(2) {
        matrix_.type = type;
        matrix_.columns = width;
        matrix_.rows = bytes / matrix_.bytes_per_row();
        y_.resize(static_cast<std::size_t>(matrix_.rows));
        activations_.set(x_.data(), 1, width);
        activations_.reserve_integers();
        activations_.quantize_row(0);
    }

    std::int64_t bytes() const { return matrix_.rows * matrix_.bytes_per_row(); }

    // One product after the other, each with weights that were last read a whole file ago.
    double from_memory(engine::ThreadPool& pool, int products) {
        const double begin = seconds_now();
        for (int i = 0; i < products; ++i) {
            matrix_.data = bench_.next_weights(bytes());
            engine::matmul(pool, matrix_, activations_, y_.data(), true);
        }
        return (seconds_now() - begin) / products;
    }

    double from_cache(engine::ThreadPool& pool) {
        matrix_.data = bench_.weights();
        const auto multiply = [&] { engine::matmul(pool, matrix_, activations_, y_.data(), true); };
        multiply();
        return median_seconds(9, multiply);
    }

  private:
    Workbench& bench_;
    std::vector<float> x_;
    std::vector<float> y_;
    engine::Activations activations_;
    engine::Matrix matrix_;
};

}  // namespace

void add_matmul_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                       ProbeSet& probes) {
    for (const engine::WeightType type : engine::weight_types()) {
        const std::string name(find_ggml_type(static_cast<std::uint32_t>(type))->name);
        const auto large = std::make_shared<Products>(bench, type, columns, matrix_bytes);
        probes.add(prefix + "matmul_memory_" + name, [large, &pool] {
            constexpr int products = 12;
            return static_cast<double>(large->bytes()) / large->from_memory(pool, products);
        });
        const auto small = std::make_shared<Products>(bench, type, columns, cached_bytes);
        probes.add(prefix + "matmul_cache_" + name, [small, &pool] {
            return static_cast<double>(small->bytes()) / small->from_cache(pool);
        });
    }
    // What a row costs beside its bytes: rows of a quarter of the length against those above.
    const auto short_rows =
        std::make_shared<Products>(bench, engine::WeightType::q8_0, columns / 4, cached_bytes);
    const auto long_rows =
        std::make_shared<Products>(bench, engine::WeightType::q8_0, columns * 2, cached_bytes);
    probes.add(prefix + "matmul_row_latency", [short_rows, long_rows, &pool] {
        const auto per_byte = [&](Products& products) {
            return products.from_cache(pool) / static_cast<double>(products.bytes());
        };
        constexpr double short_bytes = 34.0 * columns / 4 / 32;
        constexpr double long_bytes = 34.0 * columns * 2 / 32;
        // per_byte = rate^-1 + latency / bytes of a row, by all threads together.
        const double latency =
            (per_byte(*short_rows) - per_byte(*long_rows)) / (1.0 / short_bytes - 1.0 / long_bytes);
        return std::max(latency, 0.0) * pool.threads();
    });
}

}  // namespace memside::calibrate
