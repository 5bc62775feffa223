// A check of a filter, ready to be asked: its types are checked and its constants read.
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
  int bits = 0;  // that count
};

// A path's elements, for pmatch.
using Path = std::vector<std::string>;
Path path_elements(std::string_view path);

// What is known of events of a code before they are looked at.
enum Known : uint8_t { kNo, kYes, kDepends };

struct Condition {
  std::string key;  // equal for conditions that ask the same
  Operand left;
  Operator op = Operator::kExists;
  bool negated_each = false;  // != on the ends of a connection: all of them must differ
  bool must_all = false;      // in on a list: every element
  std::optional<Operand> right;
  std::vector<std::string> texts;  // sorted
  std::vector<Number> numbers;
  std::vector<Network> networks;
  std::vector<Path> paths;
  mutable std::optional<Regex> regex;  // it keeps the states that it met
  bool is_unanswered = false;          // it asks what nobody can answer, and never holds
  bool is_static = false;              // the answer follows from the code of the event
  std::vector<uint8_t> by_code;        // Known, where it does
};

}  // namespace sfkit::filter
