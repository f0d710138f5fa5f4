// Reply<T>: a value, or the refusal that the client gets. As Result, with EC2's code and HTTP status beside the sentence.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/result.h"

namespace pileus::ec2 {

struct ApiError {
  std::string code;  // "InvalidInstanceID.NotFound"
  std::string message;
  int status = 400;

  ApiError(std::string error_code, std::string text, int http_status = 400)
      : code(std::move(error_code)), message(std::move(text)), status(http_status) {}
};

// What a client is told of a failure inside: 503 Unavailable where trying again helps, else 500 InternalError. The
// details go to the log.
ApiError internal_error(const Error& error);

template <typename T = void>
class [[nodiscard]] Reply {
 public:
  Reply(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Reply(ApiError error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Reply(const Error& error) : Reply(internal_error(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return std::get<0>(state_); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &std::get<0>(state_); }
  const ApiError& error() const& { return std::get<1>(state_); }
  ApiError&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, ApiError> state_;
};

template <>
class [[nodiscard]] Reply<void> {
 public:
  Reply() = default;
  Reply(ApiError error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Reply(const Error& error) : error_(internal_error(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  void value() const {}
  const ApiError& error() const& { return *error_; }
  ApiError&& error() && { return *std::move(error_); }

 private:
  std::optional<ApiError> error_;
};

}  // namespace pileus::ec2
