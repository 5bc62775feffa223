// A strict JSON parser (RFC 8259) for small documents: container descriptions, Avro schemas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace sfkit::json {

// Deeper nesting is an error.
inline constexpr int kMaxDepth = 100;
// More values are an error: a value takes up to a hundred times the memory of its text.
inline constexpr size_t kMaxValues = 100'000;

class Value {
 public:
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Value>;

  Value() = default;

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // The text of a string; empty for other kinds. Valid as long as this value.
  std::string_view as_string() const {
    return is_string() ? std::string_view(text_) : std::string_view();
  }
  // An integral number that fits, or `fallback`.
  int64_t as_int(int64_t fallback = 0) const {
    return is_number() && integral_ ? integer_ : fallback;
  }
  double as_double(double fallback = 0) const { return is_number() ? number_ : fallback; }
  bool as_bool(bool fallback = false) const { return kind_ == Kind::kBool ? boolean_ : fallback; }

  // The member `key` of an object (the last one if repeated), or nullptr.
  const Value* find(std::string_view key) const;
  // Elements of an array; empty for other kinds.
  const std::vector<Value>& items() const { return items_; }
  // Members of an object in document order; empty for other kinds.
  const std::vector<Member>& members() const { return members_; }

 private:
  friend class Parser;

  Kind kind_ = Kind::kNull;
  bool boolean_ = false;
  bool integral_ = false;
  int64_t integer_ = 0;
  double number_ = 0;
  std::string text_;
  std::vector<Value> items_;
  std::vector<Member> members_;
};

// Parses one document; only white space may follow it. Non-ASCII bytes in strings are not checked;
// escaped lone surrogates become U+FFFD. Fails with kBadFormat and the byte offset.
Result<Value> parse(std::string_view text);

// Calls `visit` with the name and the raw text of each member of an object. Builds no values, so
// memory does not grow with the document. Fails as parse() does, possibly after some members were
// visited.
Status each_member(std::string_view text,
                   const std::function<void(std::string_view name, std::string_view value)>& visit);

// Calls `visit` with the raw text of each element of an array, like each_member().
Status each_item(std::string_view text, const std::function<void(std::string_view value)>& visit);

}  // namespace sfkit::json
