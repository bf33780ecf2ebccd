// Kernels that behave, and kernels that do not. The first knob of a point says which.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "tune/kernel.h"

namespace memside::tune {

enum Behaviour : std::uint8_t {
    good,
    does_not_compile,
    wrong_output,
    short_output,
    no_output,  // leaves what clear_output() left
    wrong_second_run,
    segfaults,
    hangs,
    takes_all_memory,
    ends_the_process,
    throws_exception,
    crashes_the_next,  // itself right
    writes_to_stdout,
};

inline constexpr std::size_t output_bytes = 1000;

// Without the handler of a sanitizer, whose report takes seconds.
inline void die_of_segmentation_fault() {
    std::signal(SIGSEGV, SIG_DFL);
    ::raise(SIGSEGV);
}

class TestKernel : public Kernel {
  public:
    explicit TestKernel(Behaviour behaviour) : behaviour_(behaviour), output_(output_bytes) {}

    void clear_output() override { std::memset(output_.data(), 0xA5, output_.size()); }
    std::vector<std::byte> output() const override { return output_; }

    void run() override {
        ++runs_;
        switch (behaviour_) {
            case segfaults:
                die_of_segmentation_fault();
                break;
            case hangs:
                for (;;) ::pause();
            case takes_all_memory:
                for (;;) hoard_.emplace_back(std::size_t{64} << 20, 'x');
            case ends_the_process:
                ::_exit(3);
            case throws_exception:
                throw std::runtime_error("no such register");
            case writes_to_stdout:
                if (::write(STDOUT_FILENO, "noise\n", 6) != 6) ::_exit(4);
                break;
            default:
                break;
        }
        if (behaviour_ == no_output) return;
        output_.resize(behaviour_ == short_output ? output_bytes - 1 : output_bytes);
        for (std::size_t i = 0; i < output_.size(); ++i) {
            output_[i] = static_cast<std::byte>(i % 251);
        }
        const bool spoilt =
            behaviour_ == wrong_output || (behaviour_ == wrong_second_run && runs_ > 1);
        if (spoilt) output_[700] = std::byte{0xEE};
    }

  private:
    Behaviour behaviour_;
    std::vector<std::byte> output_;
    std::vector<std::string> hoard_;
    int runs_ = 0;
};

class TestMeasurer : public Measurer {
  public:
    TestMeasurer() : reference_(output_bytes) {
        for (std::size_t i = 0; i < output_bytes; ++i) {
            reference_[i] = static_cast<std::byte>(i % 251);
        }
    }

    Result<std::unique_ptr<Kernel>> build(const Point& point) override {
        const auto behaviour = static_cast<Behaviour>(point.at(0));
        if (poisoned_) die_of_segmentation_fault();
        poisoned_ = behaviour == crashes_the_next;
        if (behaviour == does_not_compile) return bad_input("register tile", "has no registers");
        return std::unique_ptr<Kernel>(std::make_unique<TestKernel>(behaviour));
    }
    std::span<const std::byte> reference() const override { return reference_; }

  private:
    std::vector<std::byte> reference_;
    bool poisoned_ = false;
};

inline Result<std::unique_ptr<Measurer>> make_test_measurer() {
    return std::unique_ptr<Measurer>(std::make_unique<TestMeasurer>());
}

}  // namespace memside::tune
