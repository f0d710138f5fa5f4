// Result<T>: a value or an Error; never neither.
//
// Our code has no exceptions. A fallible function returns Result; callers use TRY as a whole
// statement or a whole initialiser (inside a braced aggregate g++ 12 leaks earlier members).
#pragma once

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pileus {

// What kind of failure it is: for programs. The message is for people.
enum class ErrorCode {
  kInvalid,      // the caller's input cannot be right
  kNotFound,     // the named thing does not exist
  kExists,       // the named thing exists already
  kBusy,         // in use by somebody else
  kPermission,   // not allowed
  kUnsupported,  // valid, but not something we (or this host) can do
  kExhausted,    // out of memory, disk, ports
  kTimeout,      // a deadline passed
  kCorrupt,      // stored or received data is damaged
  kGone,         // it was there, and is kept no longer: begin anew
  kIo,           // the system refused for another reason
};

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  // The error of a failed system call: `what` names the thing ("open /x"), errno gives the reason.
  static Error from_errno(const std::string& what, int error_number = errno);

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // Adds what was being done, on the way up: "context: message".
  Error with(const std::string& context) && {
    message_.insert(0, context + ": ");
    return std::move(*this);
  }

 private:
  ErrorCode code_;
  std::string message_;
};

template <typename T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  Result with(const std::string& context) && {
    if (ok()) return std::move(*this);
    return std::move(*this).error().with(context);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  void value() const {}
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }
  Result with(const std::string& context) && {
    if (ok()) return std::move(*this);
    return std::move(*this).error().with(context);
  }

 private:
  std::optional<Error> error_;
};

// A broken invariant of ours: says where and aborts. Never for a guest's or a person's mistake.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace pileus

#define TRY(expression)                                           \
  __extension__({                                                 \
    auto try_result_ = (expression);                              \
    if (!try_result_.ok()) return std::move(try_result_).error(); \
    std::move(try_result_).value();                               \
  })

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void() : ::pileus::check_failed(#condition, __FILE__, __LINE__))
