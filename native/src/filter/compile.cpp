// Compiles a tree into conditions with jumps; checks types and parses constants.

#include <algorithm>
#include <bitset>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "base/ascii.h"
#include "base/ip_text.h"
#include "base/nearest.h"
#include "event_names.gen.h"
#include "fields/event_name.h"
#include "filter/filter.h"

namespace sfkit::filter {
namespace {

using fields::Field;
using fields::FieldType;
using fields::Several;

enum class Class : uint8_t {
  kNumber,
  kReal,
  kPort,
  kBool,
  kText,
  kAddress,
  kNetwork,
  kBytes,
  kList,
  kRaw
};

Class class_of(FieldType type) {
  switch (type) {
    case FieldType::kI64:
    case FieldType::kU64: return Class::kNumber;
    case FieldType::kF64: return Class::kReal;
    case FieldType::kPort: return Class::kPort;
    case FieldType::kBool: return Class::kBool;
    case FieldType::kStr: return Class::kText;
    case FieldType::kIp: return Class::kAddress;
    case FieldType::kNet: return Class::kNetwork;
    case FieldType::kBytes: return Class::kBytes;
    case FieldType::kList: return Class::kList;
    case FieldType::kRaw: return Class::kRaw;
  }
  return Class::kText;
}

std::string_view words_of(Class type) {
  switch (type) {
    case Class::kNumber:
    case Class::kReal: return "a number";
    case Class::kPort: return "a port";
    case Class::kBool: return "true or false";
    case Class::kText: return "text";
    case Class::kAddress: return "an address";
    case Class::kNetwork: return "a network";
    case Class::kBytes: return "bytes";
    case Class::kList: return "a list";
    case Class::kRaw: return "a parameter";
  }
  return {};
}

bool is_numeric(Class type) {
  return type == Class::kNumber || type == Class::kReal || type == Class::kPort;
}

// Operators of a type in addition to =, !=, in, intersects and exists.
bool takes(Class type, Operator op) {
  switch (op) {
    case Operator::kExists:
    case Operator::kIn:
    case Operator::kIntersects: return true;
    case Operator::kEqual:
    case Operator::kNotEqual: return type != Class::kList;
    case Operator::kLess:
    case Operator::kLessOrEqual:
    case Operator::kGreater:
    case Operator::kGreaterOrEqual:
      return is_numeric(type) || type == Class::kRaw || type == Class::kText;
    case Operator::kContains:
    case Operator::kStartswith:
    case Operator::kEndswith:
      return type == Class::kText || type == Class::kBytes || type == Class::kRaw;
    case Operator::kBcontains:
    case Operator::kBstartswith: return type == Class::kBytes || type == Class::kRaw;
    case Operator::kIcontains:
    case Operator::kGlob:
    case Operator::kIglob:
    case Operator::kRegex:
    case Operator::kPmatch: return type == Class::kText || type == Class::kRaw;
  }
  return false;
}

std::string operators_of(Class type) {
  std::string list;
  for (int i = 0; i <= static_cast<int>(Operator::kExists); ++i) {
    const auto op = static_cast<Operator>(i);
    if (!takes(type, op)) continue;
    if (!list.empty()) list += ' ';
    list += name_of(op);
  }
  return list;
}

std::string quoted(std::string_view text) {
  constexpr size_t kMaxSize = 60;
  std::string result = "'";
  for (const char c : text.substr(0, kMaxSize))
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  if (text.size() > kMaxSize) result += "...";
  return result + "'";
}

std::string hex_to_bytes(std::string_view hex, bool& is_ok) {
  std::string bytes;
  is_ok = !hex.empty() && hex.size() % 2 == 0;
  for (size_t i = 0; is_ok && i < hex.size(); i += 2) {
    uint8_t value = 0;
    const auto end = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16).ptr;
    is_ok = end == hex.data() + i + 2;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

// Values of evt.type, sorted.
std::vector<std::string_view> event_types() {
  // Events that plugins add to the system calls.
  std::vector<std::string_view> names = {"container_removed"};
  for (uint16_t code = 0; code < scap::kEventCount; ++code)
    names.push_back(fields::event_name(code));
  for (const std::string_view name : scap::kSyscallNames) names.push_back(name);
  for (const std::string_view name : scap::kX86SyscallNames) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

// Fields whose value follows from the event's code, except for events that carry their own name.
bool follows_from_code(Field field) {
  switch (field) {
    case Field::kEvtType:
    case Field::kSyscallType:
    case Field::kEvtTypeIs:
    case Field::kEvtDir:
    case Field::kEvtCode:
    case Field::kEvtIsIo:
    case Field::kEvtIsIoRead:
    case Field::kEvtIsIoWrite:
    case Field::kEvtIoDir:
    case Field::kEvtIsWait:
    case Field::kEvtIsAsync:
    case Field::kEvtCountExit:
    case Field::kEvtSource:
    case Field::kEvtCount: return true;
    default: return false;
  }
}

bool carries_its_name(uint16_t code) {
  return (code | 1) == scap::ev::GENERIC_X || code == scap::ev::ASYNCEVENT_E;
}

}  // namespace

namespace {

bool is_unavailable(const Argument& argument) {
  if (argument.kind == Argument::Kind::kOperand) return filter::is_unavailable(argument.operand);
  return std::ranges::any_of(argument.items,
                             [](const Argument& item) { return is_unavailable(item); });
}

}  // namespace

bool is_unavailable(const Operand& operand) {
  if (operand.call == nullptr) return operand.field.is_unavailable;
  return std::ranges::any_of(operand.call->arguments,
                             [](const Argument& argument) { return is_unavailable(argument); });
}

class Compiler {
 public:
  Compiler(Dialect dialect, Problem& problem, std::vector<Problem>* warnings)
      : is_rule_(dialect == Dialect::kRules), problem_(problem), warnings_(warnings) {}

  bool can_be_shown(const Operand& operand) {
    if (is_unavailable(operand)) return true;
    if (operand.call == nullptr && operand.field.filter_only) {
      fail(operand.at,
           "field " + quoted(operand.field.name) + " is for conditions only and has no text");
    } else {
      (void)transformed(operand);
    }
    return !failed();
  }

  std::unique_ptr<Filter> compile(Node& tree) {
    filter_->start_ = add(tree, Filter::kPass, Filter::kFail);
    if (failed()) return nullptr;
    find_static();
    find_may_pass();
    return std::move(filter_);
  }

 private:
  bool failed() const { return !problem_.message.empty(); }
  void fail(size_t at, const std::string& message) {
    if (failed()) return;
    problem_.at = at;
    problem_.source = source_;
    problem_.message = message;
  }
  void warn(size_t at, std::string message) {
    if (warnings_ != nullptr) warnings_->push_back({at, source_, std::move(message), false});
  }

  // Adds the conditions of `node` and returns the index of its first step. Later steps are added
  // first, so that jump targets are known. Errors are found in a separate pass, in reading order.
  int32_t add(Node& node, int32_t on_true, int32_t on_false) {
    check_all(node);
    if (failed()) return Filter::kFail;
    estimate(node);
    return link(node, on_true, on_false);
  }

  void check_all(Node& node) {
    for (const auto& child : node.children) check_all(*child);
    if (node.kind == Node::Kind::kMacro) fail(node.at, "'" + node.macro + "' is not a known macro");
    if (failed() || node.kind != Node::Kind::kCheck) return;
    source_ = node.source;
    if (is_rule_ && !resolve_all(node.check)) return;
    std::vector<uint32_t>& made = made_[&node];
    for (const Check& check : parts_of(node.check)) {
      made.push_back(static_cast<uint32_t>(filter_->conditions_.size()));
      filter_->conditions_.push_back(condition(check));
    }
  }

  bool resolve_all(Check& check) {
    problem_.source = source_;
    return resolve(check.left, problem_) && (!check.right || resolve(*check.right, problem_));
  }

  // One check per value if there is a modifier, else the check itself.
  static std::vector<Check> parts_of(const Check& check) {
    if (check.modifier == Modifier::kNone) return {check};
    Check part = check;
    part.modifier = Modifier::kNone;
    if (check.modifier == Modifier::kAnyof && check.op == Operator::kEqual) {
      part.op = Operator::kIn;
      return {part};
    }
    std::vector<Check> parts;
    part.is_list = false;
    for (const Literal& value : check.values) {
      part.values = {value};
      parts.push_back(part);
    }
    return parts;
  }

  // Rough cost of a condition.
  static int cost_of(const Condition& condition) {
    if (is_static(condition)) return 0;
    if (condition.left.call != nullptr) return 60;
    const std::string_view name = condition.left.field.name;
    const auto starts_with = [name](std::string_view prefix) { return name.starts_with(prefix); };
    if (condition.left.field.several == Several::kAny || starts_with("proc.a")) return 50;
    if (condition.regex) return 40;
    for (const std::string_view slow :
         {"evt.arg", "evt.info", "proc.cmdline", "proc.env", "proc.pcmdline", "thread.cgroup",
          "proc.loginshellid", "fdlist.", "evt.time", "evt.datetime", "proc.fd"}) {
      if (starts_with(slow)) return 30;
    }
    if (starts_with("fd.") || starts_with("fs.") || starts_with("proc.p")) return 20;
    return condition.left.transformers.empty() && !condition.right ? 10 : 20;
  }
  // Rough probability of a condition: rules look for rare events.
  static double likelihood_of(const Condition& condition) {
    switch (condition.op) {
      case Operator::kExists: return 0.9;
      case Operator::kNotEqual: return 0.95;
      case Operator::kLess:
      case Operator::kLessOrEqual:
      case Operator::kGreater:
      case Operator::kGreaterOrEqual: return 0.5;
      default: return condition.left.field.type == FieldType::kBool ? 0.3 : 0.05;
    }
  }
  struct Estimate {
    double cost = 0;
    double likelihood = 0;
  };
  // Bottom-up. Order does not affect the result, since conditions have no side effects (except the
  // counter util.cnt), so each group first checks what decides it most cheaply.
  const Estimate& estimate(const Node& node) {
    for (const auto& child : node.children) estimate(*child);
    Estimate& made = estimates_[&node];
    const bool is_and = node.kind == Node::Kind::kAnd;
    if (node.kind == Node::Kind::kNot) {
      made = estimates_.at(node.children.front().get());
      made.likelihood = 1 - made.likelihood;
      return made;
    }
    // The probability that the rest of the group must be checked.
    double continues = 1;
    const auto add = [&](const Estimate& part) {
      made.cost += continues * part.cost;
      continues *= is_and ? part.likelihood : 1 - part.likelihood;
    };
    if (node.kind == Node::Kind::kCheck) {
      for (const uint32_t place : made_.at(&node)) {
        const Condition& condition = filter_->conditions_[place];
        add({static_cast<double>(cost_of(condition)), likelihood_of(condition)});
      }
    }
    for (const Node* child : in_order(node)) add(estimates_.at(child));
    made.likelihood = is_and ? continues : 1 - continues;
    return made;
  }
  // The children of a group in evaluation order.
  std::vector<const Node*> in_order(const Node& node) const {
    const bool is_and = node.kind == Node::Kind::kAnd;
    std::vector<std::pair<double, const Node*>> ranks;
    for (const auto& child : node.children) {
      const Estimate& part = estimates_.at(child.get());
      constexpr double kMinProbability = 0.001;
      const double decides = is_and ? 1 - part.likelihood : part.likelihood;
      ranks.emplace_back(part.cost / std::max(decides, kMinProbability), child.get());
    }
    std::stable_sort(ranks.begin(), ranks.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<const Node*> nodes;
    for (const auto& [rank, child] : ranks) nodes.push_back(child);
    return nodes;
  }

  int32_t link(const Node& node, int32_t on_true, int32_t on_false) {
    switch (node.kind) {
      case Node::Kind::kNot: return link(*node.children.front(), on_false, on_true);
      case Node::Kind::kAnd: {
        const std::vector<const Node*> children = in_order(node);
        for (size_t i = children.size(); i-- > 0;) on_true = link(*children[i], on_true, on_false);
        return on_true;
      }
      case Node::Kind::kOr: {
        const std::vector<const Node*> children = in_order(node);
        for (size_t i = children.size(); i-- > 0;) on_false = link(*children[i], on_true, on_false);
        return on_false;
      }
      case Node::Kind::kCheck: return link_check(node, on_true, on_false);
      case Node::Kind::kMacro: break;
    }
    return on_false;
  }

  int32_t link_check(const Node& node, int32_t on_true, int32_t on_false) {
    const std::vector<uint32_t>& made = made_.at(&node);
    if (made.empty()) return on_false;
    const bool is_and = node.check.modifier == Modifier::kAllof;
    if (node.check.modifier != Modifier::kOneof) {
      for (size_t i = made.size(); i-- > 0;)
        (is_and ? on_true : on_false) = step(made[i], on_true, on_false);
      return is_and ? on_true : on_false;
    }
    // Two states after each value: no value has held so far, or exactly one.
    int32_t none = on_false;
    int32_t one = on_true;
    for (size_t i = made.size(); i-- > 0;) {
      none = step(made[i], one, none);
      if (i > 0) one = step(made[i], on_false, one);
    }
    return none;
  }

  int32_t step(uint32_t condition, int32_t on_true, int32_t on_false) {
    filter_->steps_.push_back({condition, on_true, on_false});
    return static_cast<int32_t>(filter_->steps_.size() - 1);
  }

  static bool is_static(const Condition& condition) {
    return condition.is_unavailable || (condition.left.call == nullptr && !condition.right &&
                                        follows_from_code(condition.left.field.field));
  }

  Class transformed(const Operand& operand) {
    Class type = operand.call != nullptr ? result_of(*operand.call, operand.at)
                                         : class_of(operand.field.type);
    if (operand.transformers.empty() || failed()) return type;
    const bool plain =
        operand.transformers.size() == 1 && operand.transformers[0] == Transformer::kVal;
    const bool counts = type == Class::kList && operand.transformers[0] == Transformer::kLen;
    const bool refused =
        operand.call == nullptr && !counts &&
        (operand.field.several != Several::kNo || operand.field.filter_only || type == Class::kRaw);
    if (refused) {
      fail(operand.at, "field " + quoted(operand.field.name) +
                           (plain ? " cannot stand on the right side" : " takes no transformer"));
      return type;
    }
    for (const Transformer transformer : operand.transformers) {
      if (transformer == Transformer::kVal) continue;
      const bool fits = type == Class::kText ||
                        (type == Class::kList && transformer == Transformer::kLen) ||
                        (type == Class::kBytes &&
                         (transformer == Transformer::kLen || transformer == Transformer::kB64));
      if (!fits) {
        fail(operand.at, std::string(name_of(transformer)) + "() takes text, but " +
                             named(operand) + " is " + std::string(words_of(type)));
        return type;
      }
      type = transformer == Transformer::kLen ? Class::kNumber : Class::kText;
    }
    return type;
  }

  static std::string named(const Operand& operand) {
    if (operand.call == nullptr) return quoted(operand.field.name);
    return std::string(name_of(operand.call->function)) + "()";
  }

  Class result_of(const Call& call, size_t at) {
    const auto takes = [&](size_t count, const char* what) {
      if (call.arguments.size() != count) fail(at, what);
      return !failed();
    };
    switch (call.function) {
      case Function::kConcat:
        if (call.arguments.size() < 2) fail(at, "concat() takes at least two arguments");
        for (const Argument& argument : call.arguments) take_scalar(argument, is_rule_);
        break;
      case Function::kJoin:
        if (!takes(
                2,
                "join() takes a separator and a list, as in join(\"-\", (proc.name, proc.pname))"))
          break;
        take_scalar(call.arguments[0]);
        take_list(call.arguments[1]);
        break;
      case Function::kGetopt:
        if (!takes(2,
                   "getopt() takes a list and the options, as in getopt((\"-n\", \"5\"), \"n:\")"))
          break;
        take_list(call.arguments[0]);
        take_scalar(call.arguments[1]);
        return call.option == 0 ? Class::kList : Class::kText;
    }
    return Class::kText;
  }

  void take_scalar(const Argument& argument, bool takes_text_only = false) {
    if (argument.kind == Argument::Kind::kList)
      return fail(argument.at, "text is expected here, not a list");
    if (argument.kind == Argument::Kind::kText) return;
    const Class type = transformed(argument.operand);
    const bool is_single = argument.operand.call != nullptr ||
                           argument.operand.field.several == Several::kNo || is_numeric(type);
    if (!failed() && (type == Class::kList || type == Class::kNetwork || !is_single)) {
      fail(argument.at,
           "one value is expected here, but " + named(argument.operand) + " can have several");
    } else if (takes_text_only && type != Class::kText) {
      fail(argument.at, "text is expected here, but " + named(argument.operand) + " is " +
                            std::string(words_of(type)));
    }
  }

  void take_list(const Argument& argument) {
    if (argument.kind == Argument::Kind::kList) {
      for (const Argument& item : argument.items) take_scalar(item);
      return;
    }
    const bool is_list =
        argument.kind == Argument::Kind::kOperand && transformed(argument.operand) == Class::kList;
    if (!failed() && !is_list) {
      fail(argument.at, "a list is expected here, as in (proc.name, proc.pname)");
    }
  }

  Condition condition(const Check& check) {
    Condition made;
    made.key = text_of(check);
    made.left = check.left;
    made.op = check.op;
    // The type of such a field is unknown too.
    made.is_unavailable =
        is_unavailable(check.left) || (check.right && is_unavailable(*check.right));
    if (made.is_unavailable) return made;
    const Class type = transformed(check.left);
    if (failed()) return made;
    if (!takes(type, check.op)) {
      fail(check.op_at, quoted(name_of(check.op)) + " does not fit " + subject(check) +
                            ", which is " + std::string(words_of(type)) + "; it takes " +
                            operators_of(type));
      return made;
    }
    if (check.left.call == nullptr && check.left.field.field == Field::kEvtAround) {
      if (check.op != Operator::kEqual) {
        fail(check.op_at, "field 'evt.around' takes = and a number of milliseconds");
        return made;
      }
      made.op = Operator::kLessOrEqual;
    }
    made.negated_each = check.left.call == nullptr &&
                        check.left.field.several == Several::kEither &&
                        check.op == Operator::kNotEqual;
    made.must_all = type == Class::kList && check.op == Operator::kIn;
    if (check.right) {
      take_right(check, type, made);
      return made;
    }
    for (const Literal& literal : check.values) {
      if (is_rule_) warn_of(check, literal);
      take(check, type, literal, made);
    }
    std::sort(made.texts.begin(), made.texts.end());
    return made;
  }

  // Warns about likely mistakes in values.
  void warn_of(const Check& check, const Literal& literal) {
    std::string word;
    std::ranges::copy_if(literal.text, std::back_inserter(word),
                         [](char c) { return !is_space(c); });
    if (check.op == Operator::kRegex && needs_no_regex(literal.text)) {
      warn(literal.at, "the regular expression " + quoted(literal.text) +
                           " needs no regular expression; use =, contains, startswith or endswith");
    }
    if (is_field(word)) {
      warn(literal.at, quoted(literal.text) + " is compared as text, but is the name of a field; " +
                           "write val(" + word + ") for its value");
    } else if (is_transformed_field(word)) {
      warn(literal.at,
           quoted(literal.text) +
               " is compared as text, but looks like a transformer; remove the blanks and quotes");
    }
  }

  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  static bool is_field(std::string_view word) {
    if (!fields::may_be_field(word)) return false;
    size_t used = 0;
    fields::FieldFailure failure{};
    const auto field = fields::parse_field(word, used, &failure);
    return field.is_ok() ? used == word.size() : failure == fields::FieldFailure::kUnavailable;
  }

  static bool is_transformed_field(std::string_view word) {
    const size_t open = word.find('(');
    return open != std::string_view::npos && word.ends_with(')') &&
           is_function_name(word.substr(0, open));
  }

  // An expression without special characters except anchors or .* at its ends.
  static bool needs_no_regex(std::string_view text) {
    constexpr std::string_view kSpecial = ".+*?^$()[]{}|\\";
    constexpr std::string_view kRepeat = "+*?";
    const size_t size = text.size();
    for (size_t i = 0; i < size; ++i) {
      if ((i == 0 && text[i] == '^') || (i == size - 1 && text[i] == '$')) continue;
      const bool at_end = (i == 0 && size > 1) || i + 2 == size;
      if (at_end && text[i] == '.' && kRepeat.find(text[i + 1]) != std::string_view::npos) {
        ++i;
      } else if (kSpecial.find(text[i]) != std::string_view::npos) {
        return false;
      }
    }
    return true;
  }

  static std::string subject(const Check& check) {
    return check.left.call == nullptr ? "field " + quoted(check.left.field.name)
                                      : named(check.left);
  }

  void take_right(const Check& check, Class type, Condition& made) {
    made.right = check.right;
    const Class right = transformed(*check.right);
    if (failed()) return;
    const bool takes_list = check.op == Operator::kIn || check.op == Operator::kIntersects;
    const bool is_text = type == Class::kText || type == Class::kList;
    if (is_rule_ && !may_be_compared(check)) return;
    const bool is_same =
        type == right || (is_numeric(type) && is_numeric(right)) ||
        (takes_list && is_text && (right == Class::kText || right == Class::kList));
    if (!is_same) {
      fail(check.right->at, named(*check.right) + " is " + std::string(words_of(right)) + ", but " +
                                named(check.left) + " is " + std::string(words_of(type)));
      return;
    }
    switch (check.op) {
      case Operator::kRegex:
      case Operator::kBcontains:
      case Operator::kBstartswith:
        fail(check.right->at,
             quoted(name_of(check.op)) + " takes values, not a field, on its right side");
        return;
      default: return;
    }
  }

  // In rules, multi-valued fields without an argument cannot be compared with fields.
  bool may_be_compared(const Check& check) {
    for (const Operand* operand : {&check.left, &*check.right}) {
      if (operand->call != nullptr) continue;
      const fields::FieldInfo& info = fields::kFields[static_cast<size_t>(operand->field.field)];
      if (info.several == Several::kNo && !info.filter_only) continue;
      fail(operand->at, "field " + quoted(operand->field.name) +
                            " can only be compared with values, not with a field");
      return false;
    }
    return true;
  }

  void take(const Check& check, Class type, const Literal& literal, Condition& made) {
    switch (type) {
      case Class::kNumber:
      case Class::kReal: return take_number(check, type, literal, made);
      case Class::kPort: return take_port(check, literal, made);
      case Class::kBool: return take_bool(check, literal, made);
      case Class::kAddress:
      case Class::kNetwork: return take_address(check, type, literal, made);
      case Class::kRaw: take_raw(check, literal, made); return;
      case Class::kText:
      case Class::kBytes:
      case Class::kList: return take_text(check, literal, made);
    }
  }

  // Parses a decimal number, or a hexadecimal one after 0x.
  static std::optional<Number> number_of(std::string_view text) {
    Number number;
    const bool negative = text.starts_with('-');
    if (text.starts_with('+')) text.remove_prefix(1);
    std::string_view digits = negative ? text.substr(1) : text;
    const char* const end = text.data() + text.size();
    if (digits.empty() || digits[0] == '+' || digits[0] == '-') return std::nullopt;
    if (!negative && (digits.starts_with("0x") || digits.starts_with("0X"))) {
      const auto result = std::from_chars(digits.data() + 2, end, number.natural, 16);
      if (result.ec == std::errc() && result.ptr == end) return number;
      return std::nullopt;
    }
    if (negative) {
      number.kind = Number::Kind::kSigned;
      const auto result = std::from_chars(text.data(), end, number.integer);
      if (result.ec == std::errc() && result.ptr == end) return number;
    } else {
      const auto result = std::from_chars(text.data(), end, number.natural);
      if (result.ec == std::errc() && result.ptr == end) return number;
    }
    number.kind = Number::Kind::kReal;
    const auto result = std::from_chars(text.data(), end, number.real);
    if (result.ec == std::errc() && result.ptr == end) return number;
    return std::nullopt;
  }

  // Rules accept only decimal integers, except for fields with fractions.
  std::optional<Number> number_in(Class type, std::string_view text) const {
    auto number = number_of(text);
    if (!is_rule_ || !number) return number;
    const bool is_hex = text.find_first_of("xX") != std::string_view::npos;
    if (is_hex || (number->kind == Number::Kind::kReal && type != Class::kReal))
      return std::nullopt;
    return number;
  }

  void take_number(const Check& check, Class type, const Literal& literal, Condition& made) {
    const auto number = number_in(type, literal.text);
    if (!number) {
      fail(literal.at, subject(check) + " is a number, but " + quoted(literal.text) + " is not");
      return;
    }
    made.numbers.push_back(*number);
  }

  void take_port(const Check& check, const Literal& literal, Condition& made) {
    auto number = number_in(Class::kPort, literal.text);
    if (!number) {
      if (const int port = fields::service_port(literal.text); port >= 0) {
        number.emplace();
        number->natural = static_cast<uint64_t>(port);
      }
    }
    const bool fits =
        number && number->kind == Number::Kind::kUnsigned && number->natural <= UINT16_MAX;
    if (!fits) {
      fail(literal.at, subject(check) +
                           " is a port, from 0 to 65535 or the name of a service, but " +
                           quoted(literal.text) + " is not");
      return;
    }
    made.numbers.push_back(*number);
  }

  void take_bool(const Check& check, const Literal& literal, Condition& made) {
    Number number;
    if (literal.text == "true" || (!is_rule_ && literal.text == "1")) {
      number.natural = 1;
    } else if (literal.text != "false" && (is_rule_ || literal.text != "0")) {
      fail(literal.at, subject(check) + " is true or false, not " + quoted(literal.text));
      return;
    }
    made.numbers.push_back(number);
  }

  void take_address(const Check& check, Class type, const Literal& literal, Condition& made) {
    const std::string_view text = literal.text;
    const size_t slash = text.find('/');
    Network network;
    const auto address = parse_ip(text.substr(0, slash));
    bool fits = address.has_value() &&
                !(is_rule_ && type == Class::kNetwork && slash == std::string_view::npos);
    if (fits) {
      network.bytes = address->bytes;
      network.ipv6 = address->ipv6;
      network.bits = network.ipv6 ? 128 : 32;
    }
    if (fits && slash != std::string_view::npos) {
      if (type == Class::kAddress) {
        fail(literal.at, subject(check) + " is one address; for a network there is " +
                             quoted(network_field(check.left.field.name)));
        return;
      }
      const std::string_view bits = text.substr(slash + 1);
      int count = -1;
      const auto result = std::from_chars(bits.data(), bits.data() + bits.size(), count);
      fits = result.ec == std::errc() && result.ptr == bits.data() + bits.size() && count >= 0 &&
             count <= network.bits;
      network.bits = count;
    }
    if (!fits) {
      fail(literal.at, subject(check) + " is " +
                           (type == Class::kAddress ? "an address, as in 10.0.0.1 or ::1"
                                                    : "a network, as in 10.0.0.0/8 or fe80::/10") +
                           ", but " + quoted(text) + " is not");
      return;
    }
    made.networks.push_back(network);
  }

  static std::string network_field(std::string_view name) {
    std::string other(name);
    other.replace(other.size() - 2, 2, "net");
    return other;
  }

  void take_raw(const Check& check, const Literal& literal, Condition& made) {
    const bool ordered = check.op >= Operator::kLess && check.op <= Operator::kGreaterOrEqual;
    const auto number = number_of(literal.text);
    if (ordered && !number) {
      fail(literal.at, quoted(name_of(check.op)) + " compares numbers, but " +
                           quoted(literal.text) + " is not a number");
      return;
    }
    if (number) made.numbers.push_back(*number);
    if (!ordered) take_text(check, literal, made);
  }

  void take_text(const Check& check, const Literal& literal, Condition& made) {
    switch (check.op) {
      case Operator::kBcontains:
      case Operator::kBstartswith: {
        bool is_ok = false;
        made.texts.push_back(hex_to_bytes(literal.text, is_ok));
        if (!is_ok) {
          fail(literal.at, quoted(name_of(check.op)) +
                               " takes bytes as pairs of hexadecimal digits, but " +
                               quoted(literal.text) + " is not");
        }
        return;
      }
      case Operator::kRegex: {
        auto regex =
            Regex::compile(literal.text, is_rule_ ? Regex::Syntax::kPosix : Regex::Syntax::kFull);
        if (regex.is_ok()) {
          made.regex.emplace(std::move(regex.value()));
        } else {
          fail(literal.at, regex.status().message());
        }
        return;
      }
      case Operator::kPmatch: made.paths.push_back(path_elements(literal.text)); return;
      case Operator::kIcontains: {
        std::string lower = literal.text;
        std::ranges::transform(lower, lower.begin(), to_lower);
        made.texts.push_back(std::move(lower));
        return;
      }
      default: break;
    }
    const bool whole = check.op == Operator::kEqual || check.op == Operator::kNotEqual ||
                       check.op == Operator::kIn || check.op == Operator::kIntersects;
    if (whole && check.left.transformers.empty() && check.left.call == nullptr) {
      check_known_values(check, literal);
    }
    made.texts.push_back(literal.text);
  }

  // A typo in an event name would make a filter that never passes anything.
  void check_known_values(const Check& check, const Literal& literal) {
    switch (check.left.field.field) {
      case Field::kEvtDir:
        if (!is_rule_ && literal.text != ">" && literal.text != "<") {
          fail(literal.at, "field 'evt.dir' is > for enter events and < for exit events, not " +
                               quoted(literal.text));
        }
        return;
      case Field::kSyscallType:
        if (is_rule_) return;
        [[fallthrough]];
      case Field::kEvtType: {
        static const std::vector<std::string_view> names = event_types();
        if (literal.text.empty() || !std::ranges::binary_search(names, literal.text)) {
          std::string message = "no event has the type " + quoted(literal.text);
          if (const std::string_view likely = nearest(literal.text, names); !likely.empty()) {
            message += "; did you mean " + quoted(likely) + "?";
          }
          problem_.is_unknown |= !failed();
          fail(literal.at, message);
        }
        return;
      }
      default:
        if (!is_rule_) check_choice(check, literal);
    }
  }

  // Fields with a fixed set of values.
  void check_choice(const Check& check, const Literal& literal) {
    std::vector<std::string_view> values;
    switch (check.left.field.field) {
      case Field::kFdType:
        for (int type = 0; type <= static_cast<int>(state::FdType::kPidfd); ++type) {
          const std::string_view name = fields::type_name(static_cast<state::FdType>(type));
          if (!name.empty() && std::ranges::find(values, name) == values.end())
            values.push_back(name);
        }
        break;
      case Field::kFdTypechar:
        values = {"f", "d", "4", "6", "u", "p", "e", "s", "l",
                  "i", "t", "n", "b", "r", "m", "P", "o", "X"};
        break;
      case Field::kEvtIoDir: values = {"read", "write"}; break;
      case Field::kFdL4proto: values = {"tcp", "udp", "icmp", "raw", "<NA>"}; break;
      case Field::kFdSockfamily: values = {"ip", "unix"}; break;
      default: return;
    }
    if (std::ranges::find(values, literal.text) != values.end()) return;
    std::string list;
    for (const std::string_view value : values)
      list += (list.empty() ? "" : " ") + std::string(value);
    fail(literal.at,
         subject(check) + " is never " + quoted(literal.text) + "; it is one of " + list);
  }

  // Evaluates conditions that follow from the code on an event that has only its code.
  void find_static() {
    state::Engine engine(false);
    fields::FieldReader reader(engine);
    for (Condition& condition : filter_->conditions_) {
      condition.is_static = is_static(condition);
      if (!condition.is_static) continue;
      condition.by_code.resize(scap::kEventCount);
      if (condition.is_unavailable) continue;
      for (uint16_t code = 0; code < scap::kEventCount; ++code) {
        const scap::EventView event(code, 0, {});
        state::Context context;
        context.event = &event;
        reader.set_context(context);
        const bool depends = carries_its_name(code) && !condition.texts.empty() &&
                             (condition.left.field.field == Field::kEvtType ||
                              condition.left.field.field == Field::kSyscallType);
        condition.by_code[code] = depends                                        ? kDepends
                                  : filter_->evaluator_.holds(condition, reader) ? kYes
                                                                                 : kNo;
      }
    }
  }

  // An event can pass if a path through the conditions that its code leaves open ends in kPass.
  // Steps jump only to smaller indexes, so one pass decides them all.
  void find_may_pass() {
    using Codes = std::bitset<scap::kEventCount>;
    std::vector<Codes> passes;
    passes.reserve(filter_->steps_.size());
    const auto ends_well = [&passes](int32_t place) {
      if (place < 0) return place == Filter::kPass ? Codes().set() : Codes();
      return passes[static_cast<size_t>(place)];
    };
    for (const Filter::Step& step : filter_->steps_) {
      const Condition& condition = filter_->conditions_[step.condition];
      Codes may_hold;
      Codes may_fail;
      for (size_t code = 0; code < condition.by_code.size(); ++code) {
        may_hold[code] = condition.by_code[code] != kNo;
        may_fail[code] = condition.by_code[code] != kYes;
      }
      passes.push_back(condition.is_static ? (may_hold & ends_well(step.on_true)) |
                                                 (may_fail & ends_well(step.on_false))
                                           : ends_well(step.on_true) | ends_well(step.on_false));
    }
    const Codes whole = ends_well(filter_->start_);
    filter_->may_pass_.resize(scap::kEventCount);
    for (size_t code = 0; code < scap::kEventCount; ++code) filter_->may_pass_[code] = whole[code];
  }

  const bool is_rule_;
  Problem& problem_;
  std::vector<Problem>* warnings_;
  uint32_t source_ = 0;  // of the current check
  std::unique_ptr<Filter> filter_ = std::make_unique<Filter>();
  std::unordered_map<const Node*, std::vector<uint32_t>> made_;  // indexes of conditions
  std::unordered_map<const Node*, Estimate> estimates_;
};

namespace {

bool resolve(Argument& argument, Problem& problem) {
  if (argument.kind == Argument::Kind::kOperand) return resolve(argument.operand, problem);
  return std::ranges::all_of(argument.items,
                             [&](Argument& item) { return resolve(item, problem); });
}

}  // namespace

bool resolve(Operand& operand, Problem& problem) {
  if (operand.call != nullptr) {
    Call call = *operand.call;
    for (Argument& argument : call.arguments) {
      if (!resolve(argument, problem)) return false;
    }
    operand.call = std::make_shared<const Call>(std::move(call));
    return true;
  }
  fields::FieldRef& field = operand.field;
  // In quotes, so that it can contain a bracket.
  std::string text = field.name.substr(0, field.name.find('['));
  if (!field.argument.empty()) {
    const char quote = field.argument.find('"') == std::string::npos ? '"' : '\'';
    text += std::string("[") + quote + field.argument + quote + "]";
  }
  size_t used = 0;
  fields::FieldFailure failure{};
  auto found = fields::parse_field(text, used, &failure);
  if (found.is_ok() && used == text.size()) {
    found.value().name = std::move(field.name);
    field = std::move(found.value());
    return true;
  }
  if (!found.is_ok() && failure == fields::FieldFailure::kUnavailable) {
    field.is_unavailable = true;
    return true;
  }
  problem.at = operand.at;
  problem.is_unknown = found.is_ok() || failure == fields::FieldFailure::kUnknown;
  problem.message = found.is_ok() ? "unknown field '" + field.name + "'" : found.status().message();
  return false;
}

bool can_be_shown(const Operand& operand, Problem& problem) {
  return Compiler(Dialect::kRules, problem, nullptr).can_be_shown(operand);
}

std::unique_ptr<Filter> Filter::compile(Node& tree, Dialect dialect, Problem& problem,
                                        std::vector<Problem>* warnings) {
  return Compiler(dialect, problem, warnings).compile(tree);
}

Result<std::unique_ptr<Filter>> Filter::compile(std::string_view text) {
  Problem problem;
  std::unique_ptr<Filter> filter;
  const auto tree = parse(text, Dialect::kFilter, problem);
  if (tree != nullptr) filter = compile(*tree, Dialect::kFilter, problem);
  if (filter == nullptr) return error_at(text, problem.at, problem.message);
  return filter;
}

}  // namespace sfkit::filter
