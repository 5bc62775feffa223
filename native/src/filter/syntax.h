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

// Who writes the text. A filter of the command line may do what the reference's grammar forbids: hexadecimal
// numbers, \xHH in quotes, bare words as arguments of calls. Conditions of rules files are read as the
// reference reads them, and may name macros.
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

// How the answers for the values of a list are combined: exactly one, at least one, all of them.
enum class Modifier : uint8_t { kNone, kOneof, kAnyof, kAllof };
std::string_view name_of(Modifier modifier);

enum class Transformer : uint8_t { kTolower, kToupper, kB64, kBasename, kLen, kVal };
std::string_view name_of(Transformer transformer);

// Transformers of several arguments.
enum class Function : uint8_t { kJoin, kConcat, kGetopt };
std::string_view name_of(Function function);

// Whether a transformer, of one or several arguments, has this name.
bool is_function_name(std::string_view name);

struct Call;

// A field or the result of a call, and what is done with its value, innermost first.
struct Operand {
  fields::FieldRef field;            // its name alone until resolve()
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
  enum class Kind : uint8_t { kAnd, kOr, kNot, kCheck, kMacro };
  Kind kind = Kind::kCheck;
  std::vector<std::unique_ptr<Node>> children;
  Check check;
  std::string macro;    // of kMacro: its name
  size_t at = 0;        // of kMacro: where it stands in the text
  uint32_t source = 0;  // of kCheck and kMacro: which text it comes from, where several make a tree
};

// What is wrong in a text, and where.
struct Problem {
  size_t at = 0;  // byte
  uint32_t source = 0;
  std::string message;
  bool is_unknown = false;  // there is no such field, or no event of such a type
};

// What is wrong at a place of a filter: the message, then the text with a mark below the place.
Status error_at(std::string_view filter, size_t at, const std::string& message);

// The tree of a text; null where `problem` says what is wrong. Fields of Dialect::kRules have their names
// only.
std::unique_ptr<Node> parse(std::string_view text, Dialect dialect, Problem& problem);

// The field or call at the start of `text`, with transformers around it, as in "toupper(proc.name)"; `used`
// becomes the bytes that belong to it. Nothing where there is none.
std::optional<Operand> parse_operand(std::string_view text, size_t& used);

// Looks up the fields of a parsed operand; false where `problem` says what is wrong. Fields that the language
// has and nobody can answer are taken: they never have a value.
bool resolve(Operand& operand, Problem& problem);

// Whether a resolved operand of a rule has a text: its transformers fit; false where `problem` says why not.
bool can_be_shown(const Operand& operand, Problem& problem);

// Whether the operand's values are a list, before its transformers.
bool gives_list(const Operand& operand);

// Whether the operand never has a value, as nobody can answer a field of it.
bool is_unanswered(const Operand& operand);

// The text of a tree, check or operand, as the reference prints it: equal for what is equal but for blanks,
// quotes and needless parentheses.
std::string text_of(const Node& node);
std::string text_of(const Check& check);
std::string text_of(const Operand& operand);

}  // namespace sfkit::filter
