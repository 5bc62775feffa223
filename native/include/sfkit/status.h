// Errors as values: Status (success or an error) and Result (a value or an error).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace sfkit {

enum class ErrorCode : uint8_t {
  kOk,
  kNotFound,         // the input does not exist
  kNotAFile,         // not a regular file where one is needed, such as a directory
  kUnreadable,       // the operating system failed the read: permission, I/O error
  kEmpty,            // the input has no bytes
  kNotSupported,     // recognized, but this reader does not support it
  kBadFormat,        // not the expected format, from the start
  kDamaged,          // valid at first, damaged later
  kCancelled,        // the consumer stopped
  kInvalidArgument,  // a bad argument or option
  kUnwritable,       // the operating system failed the write: permission, full disk
};

// The code's name in TypeScript (`error.code`).
constexpr const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk: return "OK";
    case ErrorCode::kNotFound: return "INPUT_NOT_FOUND";
    case ErrorCode::kNotAFile: return "INPUT_NOT_A_FILE";
    case ErrorCode::kUnreadable: return "INPUT_UNREADABLE";
    case ErrorCode::kEmpty: return "INPUT_EMPTY";
    case ErrorCode::kNotSupported: return "INPUT_NOT_SUPPORTED";
    case ErrorCode::kBadFormat: return "INPUT_BAD_FORMAT";
    case ErrorCode::kDamaged: return "INPUT_DAMAGED";
    case ErrorCode::kCancelled: return "CANCELLED";
    case ErrorCode::kInvalidArgument: return "INVALID_ARGUMENT";
    case ErrorCode::kUnwritable: return "OUTPUT_UNWRITABLE";
  }
  return "UNKNOWN";
}

class [[nodiscard]] Status {
 public:
  // Success.
  Status() = default;
  Status(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status ok() { return {}; }
  bool is_ok() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  // One line for the user: where, what was expected and found, what to do. Empty on success.
  // File names and captured text in it are unescaped.
  const std::string& message() const { return message_; }

 private:
  ErrorCode code_ = ErrorCode::kOk;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Status status) : state_(std::move(status)) {}

  bool is_ok() const { return std::holds_alternative<T>(state_); }
  // Only if is_ok().
  T& value() { return std::get<T>(state_); }
  const T& value() const { return std::get<T>(state_); }
  Status status() const { return is_ok() ? Status::ok() : std::get<Status>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace sfkit
