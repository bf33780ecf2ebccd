// Errors that a user can cause, as values. A broken invariant of the program is an assert instead.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace memside {

// What went wrong, in one line: where ("systems/x.yaml:12"), what, and what would be allowed.
struct Error {
    enum class Kind {
        bad_input,    // the user can mend it: exit status 2
        infeasible,   // well-formed, but the answer is no (nothing fits): exit status 1
        environment,  // the machine refused (disk full, file vanished): exit status 1
    };

    std::string where;
    std::string what;
    Kind kind = Kind::bad_input;

    std::string message() const { return where.empty() ? what : where + ": " + what; }
    int exit_status() const { return kind == Kind::bad_input ? 2 : 1; }
};

inline Error bad_input(std::string where, std::string what) {
    return {std::move(where), std::move(what), Error::Kind::bad_input};
}

// Either a value or the Error that prevented it. Reading the wrong one is a broken invariant.
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & {
        assert(ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        assert(ok());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        assert(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    const Error& error() const {
        assert(!ok());
        return *std::get_if<1>(&state_);
    }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error& error() const {
        assert(!ok());
        return *error_;
    }

  private:
    std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace memside

#define MEMSIDE_CONCAT_INNER(a, b) a##b
#define MEMSIDE_CONCAT(a, b) MEMSIDE_CONCAT_INNER(a, b)

// MEMSIDE_TRY(auto x, f()): binds x to the value of f(), or returns its Error to the caller.
#define MEMSIDE_TRY(declaration, expression)                   \
    auto MEMSIDE_CONCAT(try_result_, __LINE__) = (expression); \
    if (!MEMSIDE_CONCAT(try_result_, __LINE__).ok())           \
        return MEMSIDE_CONCAT(try_result_, __LINE__).error();  \
    declaration = std::move(MEMSIDE_CONCAT(try_result_, __LINE__)).value()

// MEMSIDE_CHECK(f()): returns the Error of a Status to the caller.
#define MEMSIDE_CHECK(expression) \
    if (auto check_status = (expression); !check_status.ok()) return check_status.error()
