// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace framelock {

/// What kind of thing went wrong; decides what the caller does next (retry, answer 4xx, give up).
enum class ErrorCode {
  kInvalidArgument,  // the caller's or the peer's input is wrong; retrying cannot help
  kNotFound,         // the named thing does not exist
  kAlreadyExists,    // the named thing exists already
  kUnavailable,      // the peer is not there now; retrying may help
  kTimeout,          // a deadline passed
  kCancelled,        // somebody on our side asked to stop
  kClosed,           // the peer or the queue ended in good order
  kResourceLimit,    // a bound was reached
  kProtocol,         // the peer broke the protocol; do not talk to it again
  kInternal,         // a system call or an invariant failed
};

/// Lower-case name of a code, for logs and JSON ("invalid_argument", ...).
const char* ErrorCodeName(ErrorCode code);

/// One failure: what failed, on what, and what follows, in one sentence without a full stop.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

/// kInternal with "what: strerror(errno)". Reads errno, so call it first thing after the failure.
Error ErrnoError(std::string what);

/// A value or an Error. No exception leaves a module; whoever handles the error logs it, once.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: "return value;" and "return Error{...};" both read naturally.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: see above

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace framelock
