// Syntax tree of the Falco filter language (spec: flattened-view, section 7).
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

// kFilter: filters of the command line. They also accept hexadecimal numbers, \xHH in quotes, and
// bare words as call arguments, unlike Falco. kRules: conditions of rule files, parsed like Falco
// does; they can use macros.
enum class Dialect : uint8_t { kFilter, kRules };

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

// How results for the values of a list combine: exactly one, at least one, or all.
enum class Modifier : uint8_t { kNone, kOneof, kAnyof, kAllof };
std::string_view name_of(Modifier modifier);

enum class Transformer : uint8_t { kTolower, kToupper, kB64, kBasename, kLen, kVal };
std::string_view name_of(Transformer transformer);

// Transformers with several arguments.
enum class Function : uint8_t { kJoin, kConcat, kGetopt };
std::string_view name_of(Function function);

// Whether this is the name of a transformer or function.
bool is_function_name(std::string_view name);

struct Call;

// A field or a call, and the transformers of its value, innermost first.
struct Operand {
  fields::FieldRef field;            // only its name until resolve()
  std::shared_ptr<const Call> call;  // instead of a field
  std::vector<Transformer> transformers;
  size_t at = 0;  // position in the text
};

struct Literal {
  std::string text;
  size_t at = 0;
};

// An argument of a call: text, an operand, or a list.
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
  char option = 0;  // getopt(...)[o] selects one option; 0 for all
};

struct Check {
  Operand left;
  Operator op = Operator::kExists;
  size_t op_at = 0;
  Modifier modifier = Modifier::kNone;
  bool is_list = false;  // the values are in parentheses
  std::vector<Literal> values;
  std::optional<Operand> right;  // instead of values
};

struct Node {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kCheck, kMacro };
  Kind kind = Kind::kCheck;
  std::vector<std::unique_ptr<Node>> children;
  Check check;
  std::string macro;    // kMacro: its name
  size_t at = 0;        // kMacro: position in the text
  uint32_t source = 0;  // kCheck, kMacro: index of the source text
};

// An error and its position.
struct Problem {
  size_t at = 0;  // byte offset
  uint32_t source = 0;
  std::string message;
  bool is_unknown = false;  // an unknown field or event type
};

// Formats an error: the message, then the text with a mark below the position.
Status error_at(std::string_view filter, size_t at, const std::string& message);

// Parses a condition; returns null and sets `problem` on an error. Fields of Dialect::kRules are
// not resolved.
std::unique_ptr<Node> parse(std::string_view text, Dialect dialect, Problem& problem);

// Parses the field or call at the start of `text`, including transformers, as in
// "toupper(proc.name)". `used` becomes its size in bytes. Nullopt if there is none.
std::optional<Operand> parse_operand(std::string_view text, size_t& used);

// Resolves the fields of an operand; returns false and sets `problem` on an error. Accepts fields
// that sfkit cannot answer: they never have a value.
bool resolve(Operand& operand, Problem& problem);

// Whether a resolved operand can be shown as text, with its transformers; else sets `problem`.
bool can_be_shown(const Operand& operand, Problem& problem);

// Whether the operand has a list of values, before its transformers.
bool gives_list(const Operand& operand);

// Whether the operand has a field that sfkit cannot answer, so it never has a value.
bool is_unavailable(const Operand& operand);

// Prints a tree, check or operand like Falco. The text is equal for inputs that differ only
// in blanks, quotes and redundant parentheses.
std::string text_of(const Node& node);
std::string text_of(const Check& check);
std::string text_of(const Operand& operand);

}  // namespace sfkit::filter
