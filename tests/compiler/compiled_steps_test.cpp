// A whole decoder layer, compiled and run on data for many steps of a request that starts empty,
// against a layer in double that rounds to bf16 where registers and caches do.
#include <cmath>
#include <random>

#include "compiler/compile_text.h"
#include "compiler/plan/gemv_plan.h"
#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

using Vector = std::vector<double>;

constexpr std::uint32_t hidden = 208;
constexpr std::uint32_t heads = 6;
constexpr std::uint32_t kv_heads = 2;
constexpr std::uint32_t head_dim = 80;
constexpr std::uint32_t inner = 1360;  // more than a chunk of 1,024 inputs
constexpr double eps = 1e-5;
constexpr double theta = 10000;

constexpr const char* layer_text = R"(
!x = tensor<208xbf16, #decode.axes<[channel]>>
!i = tensor<1360xbf16, #decode.axes<[channel]>>
!h = tensor<80xbf16, #decode.axes<[channel]>>
!q = tensor<6x80xbf16, #decode.axes<[head, channel]>>
!kv = tensor<2x80xbf16, #decode.axes<[head, channel]>>
!wq = tensor<480x208xbf16, #decode.axes<[row, column]>>
!bq = tensor<480xbf16, #decode.axes<[channel]>>
!wk = tensor<160x208xbf16, #decode.axes<[row, column]>>
!wo = tensor<208x480xbf16, #decode.axes<[row, column]>>
!wi = tensor<1360x208xbf16, #decode.axes<[row, column]>>
!wd = tensor<208x1360xbf16, #decode.axes<[row, column]>>
!k = !decode.cache<2 x 80, key>
!v = !decode.cache<2 x 80, value>
func.func @layer(%x: !x, %keys: !k, %values: !v) -> !x {
  %n1 = decode.weight "n1" : !x
  %n2 = decode.weight "n2" : !x
  %nq = decode.weight "nq" : !h
  %wq = decode.weight "q" : !wq
  %bq = decode.weight "bq" : !bq
  %wk = decode.weight "k" : !wk
  %wv = decode.weight "v" : !wk
  %wo = decode.weight "o" : !wo
  %wg = decode.weight "gate" : !wi
  %wu = decode.weight "up" : !wi
  %wd = decode.weight "down" : !wd
  %a = decode.rms_norm %x, %n1 {eps = 1.0e-5 : f32} : !x, !x -> !x
  %q0 = decode.linear %a, %wq bias %bq : !x, !wq, !bq -> !q
  %k0 = decode.linear %a, %wk : !x, !wk -> !kv
  %v0 = decode.linear %a, %wv : !x, !wk -> !kv
  %q1 = decode.rms_norm %q0, %nq {eps = 1.0e-5 : f32} : !q, !h -> !q
  %q2 = decode.rope %q1 {theta = 10000.0 : f32} : !q -> !q
  %k2 = decode.rope %k0 {theta = 10000.0 : f32} : !kv -> !kv
  %keys1 = decode.append %keys, %k2 : !k, !kv -> !k
  %values1 = decode.append %values, %v0 : !v, !kv -> !v
  %o = decode.attention %q2, %keys1, %values1 {scale = 0.111803399 : f32} : !q, !k, !v -> !q
  %p = decode.linear %o, %wo : !q, !wo -> !x
  %y = decode.add %x, %p : !x, !x -> !x
  %b = decode.rms_norm %y, %n2 {eps = 1.0e-5 : f32} : !x, !x -> !x
  %g = decode.linear %b, %wg : !x, !wi -> !i
  %u = decode.linear %b, %wu : !x, !wi -> !i
  %m = decode.gate %g, %u <silu> : !i, !i -> !i
  %d = decode.linear %m, %wd : !i, !wd -> !x
  %z = decode.add %y, %d : !x, !x -> !x
  return %z : !x
}
)";

double rounded(double value) {
    return pim::to_float(pim::to_bf16(static_cast<float>(value)));
}

Vector rounded(Vector values) {
    for (double& value : values) value = rounded(value);
    return values;
}

struct Matrix {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    Vector values;
};

Vector random_vector(std::size_t size, double mean, double spread, std::mt19937_64& random) {
    std::normal_distribution<double> normal(mean, spread);
    Vector values(size);
    for (double& value : values) value = rounded(normal(random));
    return values;
}

struct Weights {
    std::map<std::string, Matrix> matrices;
    std::map<std::string, Vector> vectors;

    explicit Weights(std::uint64_t seed) {
        std::mt19937_64 random(seed);
        const auto matrix = [&](const char* name, std::uint32_t rows, std::uint32_t columns) {
            matrices[name] = {rows, columns,
                              random_vector(std::size_t{rows} * columns, 0,
                                            1 / std::sqrt(static_cast<double>(columns)), random)};
        };
        matrix("q", heads * head_dim, hidden);
        matrix("k", kv_heads * head_dim, hidden);
        matrix("v", kv_heads * head_dim, hidden);
        matrix("o", hidden, heads * head_dim);
        matrix("gate", inner, hidden);
        matrix("up", inner, hidden);
        matrix("down", hidden, inner);
        vectors["n1"] = random_vector(hidden, 1, 0.3, random);
        vectors["n2"] = random_vector(hidden, 1, 0.3, random);
        vectors["nq"] = random_vector(head_dim, 1, 0.3, random);
        vectors["bq"] = random_vector(std::size_t{heads} * head_dim, 0, 0.5, random);
    }
};

Vector multiply(const Matrix& matrix, const Vector& x) {
    Vector y(matrix.rows, 0.0);
    for (std::size_t r = 0; r < matrix.rows; ++r) {
        for (std::size_t c = 0; c < matrix.columns; ++c) {
            y[r] += matrix.values[r * matrix.columns + c] * x[c];
        }
    }
    return rounded(y);
}

Vector add(const Vector& a, const Vector& b) {
    Vector sum(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) sum[i] = rounded(a[i] + b[i]);
    return sum;
}

// Rows of as many values as there are weights.
Vector norm(const Vector& x, const Vector& weight) {
    Vector y(x.size());
    const std::size_t width = weight.size();
    for (std::size_t first = 0; first < x.size(); first += width) {
        double squares = 0;
        for (std::size_t i = 0; i < width; ++i) squares += x[first + i] * x[first + i];
        const double root = std::sqrt(squares / static_cast<double>(width) + eps);
        for (std::size_t i = 0; i < width; ++i) {
            y[first + i] = rounded(x[first + i] / root * weight[i]);
        }
    }
    return y;
}

Vector rotate(Vector x, std::size_t position) {
    for (std::size_t first = 0; first < x.size(); first += head_dim) {
        for (std::size_t i = 0; i < head_dim / 2; ++i) {
            const double angle = static_cast<double>(position) *
                                 std::pow(theta, -2.0 * static_cast<double>(i) / head_dim);
            double& a = x[first + i];
            double& b = x[first + i + head_dim / 2];
            const double turned = a * std::cos(angle) - b * std::sin(angle);
            b = rounded(a * std::sin(angle) + b * std::cos(angle));
            a = rounded(turned);
        }
    }
    return x;
}

class ReferenceLayer {
  public:
    explicit ReferenceLayer(const Weights& weights) : weights_(weights) {}

    Vector step(const Vector& x) {
        const Vector a = norm(x, vector("n1"));
        const Vector q =
            rotate(norm(add(product("q", a), vector("bq")), vector("nq")), keys_.size());
        keys_.push_back(rotate(product("k", a), keys_.size()));
        values_.push_back(product("v", a));
        const Vector y = add(x, product("o", attend(q)));
        const Vector b = norm(y, vector("n2"));
        const Vector gate = product("gate", b);
        Vector m = product("up", b);
        for (std::size_t i = 0; i < m.size(); ++i) {
            m[i] = rounded(m[i] * gate[i] / (1 + std::exp(-gate[i])));
        }
        return add(y, product("down", m));
    }

  private:
    const Vector& vector(const char* name) const { return weights_.vectors.at(name); }
    Vector product(const char* name, const Vector& x) const {
        return multiply(weights_.matrices.at(name), x);
    }

    Vector attend(const Vector& q) const {
        Vector output(q.size(), 0.0);
        for (std::size_t h = 0; h < heads; ++h) {
            const std::size_t kv = h / (heads / kv_heads) * head_dim;
            double sum = 0;
            for (std::size_t t = 0; t < keys_.size(); ++t) {
                double dot = 0;
                for (std::size_t i = 0; i < head_dim; ++i) {
                    dot += q[h * head_dim + i] * keys_[t][kv + i];
                }
                const double weight = std::exp(dot / std::sqrt(double{head_dim}));
                sum += weight;
                for (std::size_t i = 0; i < head_dim; ++i) {
                    output[h * head_dim + i] += weight * values_[t][kv + i];
                }
            }
            for (std::size_t i = 0; i < head_dim; ++i) output[h * head_dim + i] /= sum;
        }
        return rounded(output);
    }

    const Weights& weights_;
    std::vector<Vector> keys_;
    std::vector<Vector> values_;
};

std::vector<pim::Bf16> bf16(const Vector& values) {
    std::vector<pim::Bf16> result;
    for (const double value : values) result.push_back(pim::to_bf16(static_cast<float>(value)));
    return result;
}

// Weights to where the regions of their names are. Returns the first row after them.
std::uint32_t place(const Weights& weights, const pim::DynamicProgram& program,
                    pim::Memory& memory) {
    std::uint32_t end = 0;
    for (const pim::Region& region : program.regions) {
        if (region.per_request) continue;
        end = std::max(end, region.first_row + region.rows);
        if (const auto found = weights.vectors.find(region.name); found != weights.vectors.end()) {
            place_vector(VectorSlot::at(0), bf16(found->second), program.channels, region.first_row,
                         memory);
            continue;
        }
        const Matrix& matrix = weights.matrices.at(region.name);
        pim::GemvLayout layout;
        layout.shape = {matrix.rows, matrix.columns};
        layout.options.channels = program.channels;
        layout.options.first_row = region.first_row;
        pim::place_matrix(layout, bf16(matrix.values), memory);
    }
    return end;
}

void check_layer(const CompileOptions& options, int steps) {
    SCOPED_TRACE(fmt::format("{}, {} channels", options.heads, options.channels));
    const auto made = compile_text(layer_text, options);
    ASSERT_TRUE(made.has_value());
    const pim::DynamicProgram& program = made->program;
    const Weights weights(3);
    pim::DynamicMachine machine;
    const std::uint32_t end = place(weights, program, machine.memory());
    auto dispatcher = pim::Dispatcher::create(
        program, pim::ChunkPool(end, pim::rows_per_bank - end, program.chunk_rows),
        machine.zeroing(program.channels));
    ASSERT_TRUE(dispatcher.ok()) << dispatcher.error().message();
    ASSERT_TRUE(dispatcher->admit(1, 0).ok());

    ReferenceLayer reference(weights);
    std::mt19937_64 random(4);
    for (int step = 0; step < steps; ++step) {
        const Vector x = random_vector(hidden, 0, 1, random);
        pim::place_in_gprs(bf16(x), hidden / pim::lanes, made->registers.at("argument0"),
                           machine.memory());
        const Status stepped = dispatcher->step(1, machine);
        ASSERT_TRUE(stepped.ok()) << stepped.error().message();
        const auto got = pim::gather_gprs(made->registers.at("result0"), hidden, machine.memory());
        const Vector wanted = reference.step(x);
        double difference = 0;
        double size = 0;
        for (std::size_t i = 0; i < hidden; ++i) {
            const double off = double{pim::to_float(got[i])} - wanted[i];
            difference += off * off;
            size += wanted[i] * wanted[i];
        }
        // Both round in the same places. What is left: attention's scores, weights and partial
        // sums, rounded here alone, and values after it that round the other way: a roundoff each.
        ASSERT_LT(std::sqrt(difference / size), 2 * pim::bf16_roundoff) << "step " << step;
    }
    ASSERT_EQ(machine.machine().uninitialised().count, 0U)
        << machine.machine().uninitialised().first.front().message();
    ASSERT_EQ(machine.hub_unit().uninitialised().count, 0U)
        << machine.hub_unit().uninitialised().first.front().message();
}

TEST(compiled_layer, equals_the_reference_step_by_step) {
    for (const char* partition : {"tcp", "hfp"}) {
        check_layer({.heads = partition}, 40);
        check_layer({.heads = partition, .channels = 5}, 20);
    }
}

TEST(compiled_layer, all_operations_are_in_the_execution_table_in_order) {
    const auto made = compile_text(layer_text, {});
    ASSERT_TRUE(made.has_value());
    std::vector<std::string_view> kinds;
    for (const pim::ExecutionEntry& entry : made->program.entries) {
        kinds.push_back(pim::op_type_names[static_cast<std::size_t>(entry.op_type)]);
    }
    EXPECT_THAT(
        kinds, testing::ElementsAre("other", "norm", "gemv", "gemv", "gemv", "norm", "rope", "rope",
                                    "append", "append", "attention", "attention", "gemv", "add",
                                    "norm", "gemv", "gemv", "gate", "gemv", "add"));
}

}  // namespace
}  // namespace memside::compiler
