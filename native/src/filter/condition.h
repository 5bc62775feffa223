// A check of a filter after compilation: types checked, constants parsed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "filter/syntax.h"

namespace sfkit::filter {

struct Number {
  enum class Kind : uint8_t { kSigned, kUnsigned, kReal };
  Kind kind = Kind::kUnsigned;
  int64_t integer = 0;
  uint64_t natural = 0;
  double real = 0;
};

struct Network {
  std::array<uint8_t, 16> bytes{};
  bool ipv6 = false;
  int bits = 0;  // prefix length
};

// Elements of a path, for pmatch.
using Path = std::vector<std::string>;
Path path_elements(std::string_view path);

// What an event's code alone determines.
enum Known : uint8_t { kNo, kYes, kDepends };

struct Condition {
  std::string key;  // equal for conditions that check the same
  Operand left;
  Operator op = Operator::kExists;
  bool negated_each = false;  // != on both ends of a connection: all of them must differ
  bool must_all = false;      // `in` on a list: every element must be in the values
  std::optional<Operand> right;
  std::vector<std::string> texts;  // sorted
  std::vector<Number> numbers;
  std::vector<Network> networks;
  std::vector<Path> paths;
  mutable std::optional<Regex> regex;  // mutable: it caches state between matches
  bool is_unavailable = false;         // depends on an unavailable field; never holds
  bool is_static = false;              // the event's code determines the result
  std::vector<uint8_t> by_code;        // Known for each code, if is_static
};

}  // namespace sfkit::filter
