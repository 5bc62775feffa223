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

// How the answers for the values of a list are combined: exactly one, at least one, all of them.
enum class Modifier : uint8_t { kNone, kOneof, kAnyof, kAllof };
std::string_view name_of(Modifier modifier);

enum class Transformer : uint8_t { kTolower, kToupper, kB64, kBasename, kLen, kVal };
std::string_view name_of(Transformer transformer);

// Transformers of several arguments.
enum class Function : uint8_t { kJoin, kConcat, kGetopt };
std::string_view name_of(Function function);

struct Call;

// A field or the result of a call, and what is done with its value, innermost first.
struct Operand {
  fields::FieldRef field;
  std::shared_ptr<const Call> call;  // instead of the field
  std::vector<Transformer> transformers;
  size_t at = 0;  // where it stands in the text
};

struct Literal {
  std::string text;
  size_t at = 0;
};

// An argument of a call: text, the value of an operand, or a list of those.
struct Argument {
  enum class Kind : uint8_t { kText, kOperand, kList };
  Kind kind = Kind::kText;
  Literal text;
  Operand operand;
  std::vector<Argument> items;
  size_t at = 0;
};

// join(separator, list), concat(text, text, ...) or getopt(list, options).
struct Call {
  Function function = Function::kConcat;
  std::vector<Argument> arguments;
  char option = 0;  // of getopt(...)[o]: the argument of this option alone; 0 for all
};

struct Check {
  Operand left;
  Operator op = Operator::kExists;
  size_t op_at = 0;
  Modifier modifier = Modifier::kNone;
  bool is_list = false;  // the values stand in parentheses
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

// The text of a tree, check or operand, as the reference prints it: equal for what is equal but for blanks,
// quotes and needless parentheses.
std::string text_of(const Node& node);
std::string text_of(const Check& check);
std::string text_of(const Operand& operand);

}  // namespace sfkit::filter
