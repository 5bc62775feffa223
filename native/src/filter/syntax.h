// The Falco filter language as text and as a tree (spec: flattened-view, section 7).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "fields/fields.h"

namespace sfkit::filter {

enum class Operator : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kContains,
  kIcontains,
  kBcontains,
  kStartswith,
  kBstartswith,
  kEndswith,
  kGlob,
  kIglob,
  kRegex,
  kIn,
  kIntersects,
  kPmatch,
  kExists,
};
std::string_view name_of(Operator op);

enum class Transformer : uint8_t { kTolower, kToupper, kB64, kBasename, kLen, kVal };
std::string_view name_of(Transformer transformer);

// A field, and what is done with its value, innermost first.
struct Operand {
  fields::FieldRef field;
  std::vector<Transformer> transformers;
  size_t at = 0;  // where it stands in the text
};

struct Literal {
  std::string text;
  size_t at = 0;
};

struct Check {
  Operand left;
  Operator op = Operator::kExists;
  size_t op_at = 0;
  std::vector<Literal> values;
  std::optional<Operand> right;  // instead of values
};

struct Node {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kCheck };
  Kind kind = Kind::kCheck;
  std::vector<std::unique_ptr<Node>> children;
  Check check;
};

// What is wrong at a place of a filter: the message, then the text with a mark below the place.
Status error_at(std::string_view filter, size_t at, const std::string& message);

// The tree of a filter. Fails with kInvalidArgument; see error_at().
Result<std::unique_ptr<Node>> parse(std::string_view filter);

}  // namespace sfkit::filter
