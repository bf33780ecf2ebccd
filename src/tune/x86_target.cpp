#include "tune/x86_target.h"

#include <cstdlib>
#include <cstring>

#include "codegen/conv_compiler.h"
#include "engine/thread_pool.h"
#include "tune/x86_space.h"

namespace memside::tune {
namespace {

using conv::ConvPlan;
using conv::ConvProblem;

Result<ConvProblem> problem_of(const Task& task) {
    ConvProblem problem;
    problem.shape = task.shape;
    problem.weight = task.dtype == "int4" ? conv::WeightType::s4 : conv::WeightType::s8;
    MEMSIDE_CHECK(conv::check(problem, "--shape"));
    return problem;
}

// What all workers share.
struct Shared {
    codegen::ConvCompiler compiler;
    conv::Target target;
    ConvProblem problem;
    conv::ConvOperands operands;
    std::vector<std::byte> reference;
    std::shared_ptr<const X86Space> space;
    int threads;
};

// Bytes aligned as kernels expect.
class Aligned {
  public:
    explicit Aligned(std::int64_t size)
        : size_(static_cast<std::size_t>(size)),
          memory_(static_cast<std::uint8_t*>(std::aligned_alloc(64, (size_ / 64 + 1) * 64)),
                  std::free) {
        if (memory_ == nullptr) throw std::bad_alloc();
    }
    explicit Aligned(const std::vector<std::uint8_t>& bytes) : Aligned(std::ssize(bytes)) {
        std::copy(bytes.begin(), bytes.end(), data());
    }
    std::uint8_t* data() const { return memory_.get(); }
    std::size_t size() const { return size_; }

  private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t, decltype(&std::free)> memory_;
};

class X86Kernel : public Kernel {
  public:
    X86Kernel(const Shared& shared, engine::ThreadPool& pool, ConvPlan plan,
              codegen::CompiledConv compiled)
        : pool_(pool),
          plan_(std::move(plan)),
          compiled_(std::move(compiled)),
          input_(conv::to_layout(shared.operands.input, plan_.schedule.layout(), shape().n,
                                 shape().h, shape().w, shape().c)),
          weights_(conv::pack_weights(plan_, shared.operands.weights)),
          tables_(
              conv::pack_tables(plan_, shared.operands.weights, shared.operands.requantisation)),
          output_(conv::output_bytes(shape(), plan_.schedule.layout())) {
        for (int t = 0; t < shared.threads; ++t) scratch_.emplace_back(plan_.scratch_bytes());
    }

    void clear_output() override { std::memset(output_.data(), 0xA5, output_.size()); }

    void run() override {
        const auto parts = static_cast<std::int64_t>(scratch_.size());
        const std::int64_t tasks = plan_.tasks();
        pool_.run(parts, [&](std::int64_t part) {
            compiled_.function()(input_.data(), weights_.data(), tables_.data(), output_.data(),
                                 scratch_[static_cast<std::size_t>(part)].data(),
                                 tasks * part / parts, tasks * (part + 1) / parts);
        });
    }

    std::vector<std::byte> output() const override {
        const std::vector<std::uint8_t> plain =
            conv::from_layout({output_.data(), output_.size()}, plan_.schedule.layout(), shape().n,
                              shape().out_h(), shape().out_w(), shape().k);
        std::vector<std::byte> bytes(plain.size());
        std::memcpy(bytes.data(), plain.data(), plain.size());
        return bytes;
    }

  private:
    const conv::ConvShape& shape() const { return plan_.problem.shape; }

    engine::ThreadPool& pool_;
    ConvPlan plan_;
    codegen::CompiledConv compiled_;
    Aligned input_;
    Aligned weights_;
    std::vector<std::int32_t> tables_;
    Aligned output_;
    std::vector<Aligned> scratch_;
};

class X86Measurer : public Measurer {
  public:
    explicit X86Measurer(std::shared_ptr<const Shared> shared)
        : shared_(std::move(shared)), pool_(static_cast<unsigned>(shared_->threads)) {}

    Result<std::unique_ptr<Kernel>> build(const Point& point) override {
        const conv::Schedule schedule = shared_->space->schedule(point);
        MEMSIDE_TRY(ConvPlan plan, conv::make_plan(shared_->problem, shared_->target, schedule));
        MEMSIDE_TRY(codegen::CompiledConv compiled,
                    shared_->compiler.compile(shared_->problem, shared_->target, schedule));
        return std::unique_ptr<Kernel>(
            std::make_unique<X86Kernel>(*shared_, pool_, std::move(plan), std::move(compiled)));
    }

    std::span<const std::byte> reference() const override { return shared_->reference; }

  private:
    std::shared_ptr<const Shared> shared_;
    engine::ThreadPool pool_;
};

class X86Target : public Target {
  public:
    explicit X86Target(conv::Target target) : target_(target) {}

    Result<std::shared_ptr<const SearchSpace>> space(const Task& task) const override {
        MEMSIDE_TRY(const ConvProblem problem, problem_of(task));
        return std::shared_ptr<const SearchSpace>(
            std::make_shared<X86Space>(problem, target_, task.threads));
    }

    Result<MeasurerFactory> measurer(const Task& task, std::uint64_t seed) const override {
        if (!codegen::runs_here(target_)) {
            return Error{task.target, "this processor lacks its instructions",
                         Error::Kind::environment};
        }
        MEMSIDE_TRY(const ConvProblem problem, problem_of(task));
        MEMSIDE_TRY(codegen::ConvCompiler compiler, codegen::ConvCompiler::open());
        conv::ConvOperands operands = conv::random_operands(problem, seed);
        const std::vector<std::uint8_t> plain = conv::convolve_reference(
            problem, operands.input, operands.weights, operands.requantisation);
        std::vector<std::byte> reference(plain.size());
        std::memcpy(reference.data(), plain.data(), plain.size());
        const auto shared = std::make_shared<const Shared>(
            Shared{std::move(compiler), target_, problem, std::move(operands), std::move(reference),
                   std::make_shared<X86Space>(problem, target_, task.threads), task.threads});
        return MeasurerFactory([shared]() -> Result<std::unique_ptr<Measurer>> {
            return std::unique_ptr<Measurer>(std::make_unique<X86Measurer>(shared));
        });
    }

    Result<KernelFiles> emit(const Task& task, const std::string& config,
                             const std::string& symbol) const override {
        MEMSIDE_TRY(const ConvProblem problem, problem_of(task));
        MEMSIDE_TRY(const conv::Schedule schedule, conv::parse_schedule(config, "the database"));
        MEMSIDE_TRY(const ConvPlan plan, conv::make_plan(problem, target_, schedule));
        MEMSIDE_TRY(const codegen::ConvCompiler compiler, codegen::ConvCompiler::open());
        MEMSIDE_TRY(const std::vector<std::uint8_t> object,
                    compiler.compile_object(problem, target_, schedule, symbol));
        return KernelFiles{{object.begin(), object.end()}, header_of(plan, symbol, config)};
    }

  private:
    static std::string header_of(const ConvPlan& plan, const std::string& symbol,
                                 const std::string& config) {
        const conv::ConvShape& shape = plan.problem.shape;
        const conv::Layout layout = plan.schedule.layout();
        std::string text = fmt::format(
            "// Convolution {}, made by memside {}.\n// Schedule: {}\n#pragma once\n\n"
            "#include <stdint.h>\n\n",
            conv::format_shape(shape), MEMSIDE_VERSION, config);
        text += fmt::format(
            "// Runs the tasks first_task .. last_task - 1 of {0}_tasks. Threads may share them; "
            "each\n"
            "// needs scratch of its own, aligned to 64 bytes. Activations are in the {1} layout,\n"
            "// weights and tables as Memside's conv/conv_plan.h packs them (pack_weights, "
            "pack_tables).\n",
            symbol, conv::layout_names[static_cast<std::size_t>(layout)]);
        const std::pair<const char*, std::int64_t> sizes[] = {
            {"tasks", plan.tasks()},
            {"input_bytes", conv::input_bytes(shape, layout)},
            {"output_bytes", conv::output_bytes(shape, layout)},
            {"weight_bytes", plan.weight_bytes},
            {"table_values", plan.table_values()},
            {"scratch_bytes", plan.scratch_bytes()},
        };
        text += "enum {\n";
        for (const auto& [name, value] : sizes) {
            text += fmt::format("    {}_{} = {},\n", symbol, name, value);
        }
        text += fmt::format(
            "}};\n\n#ifdef __cplusplus\nextern \"C\"\n#endif\nvoid {}(const uint8_t* input, "
            "const uint8_t* weights,\n    const int32_t* tables, uint8_t* output, uint8_t* "
            "scratch,\n    int64_t first_task, int64_t last_task);\n",
            symbol);
        return text;
    }

    conv::Target target_;
};

}  // namespace

std::unique_ptr<Target> make_x86_vnni() {
    return std::make_unique<X86Target>(conv::Target::x86_vnni);
}

std::unique_ptr<Target> make_x86_avx2() {
    return std::make_unique<X86Target>(conv::Target::x86_avx2);
}

}  // namespace memside::tune
