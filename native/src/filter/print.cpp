// Prints trees of filters.

#include <algorithm>

#include "filter/syntax.h"

namespace sfkit::filter {
namespace {

// A value, quoted if needed.
std::string quoted(std::string_view value) {
  std::string text;
  bool needs_quotes = value.empty();
  for (const char c : value) {
    const char* escaped = c == '\b'   ? "\\b"
                          : c == '\f' ? "\\f"
                          : c == '\n' ? "\\n"
                          : c == '\r' ? "\\r"
                          : c == '\t' ? "\\t"
                          : c == '\\' ? "\\\\"
                          : c == '"'  ? "\\\""
                                      : nullptr;
    needs_quotes |= escaped != nullptr || c == ' ' || c == '\'';
    if (escaped != nullptr) {
      text += escaped;
    } else {
      text += c;
    }
  }
  return needs_quotes ? '"' + text + '"' : text;
}

template <typename Items, typename Text>
std::string joined(const Items& items, std::string_view separator, Text text) {
  std::string result;
  for (const auto& item : items) {
    if (!result.empty()) result += separator;
    result += text(item);
  }
  return result;
}

std::string text_of(const Argument& argument) {
  switch (argument.kind) {
    case Argument::Kind::kText: return quoted(argument.text.text);
    case Argument::Kind::kOperand: return text_of(argument.operand);
    case Argument::Kind::kList:
      return "(" +
             joined(argument.items, ", ", [](const Argument& item) { return text_of(item); }) + ")";
  }
  return {};
}

}  // namespace

std::string text_of(const Operand& operand) {
  std::string text = operand.field.name;
  if (operand.call != nullptr) {
    const Call& call = *operand.call;
    text = std::string(name_of(call.function)) + "(" +
           joined(call.arguments, ",", [](const Argument& argument) { return text_of(argument); }) +
           ")";
    if (call.option != 0) text += "[" + std::string(1, call.option) + "]";
  }
  for (const Transformer transformer : operand.transformers) {
    text = std::string(name_of(transformer)) + "(" + text + ")";
  }
  return text;
}

std::string text_of(const Check& check) {
  std::string text = text_of(check.left) + " " + std::string(name_of(check.op));
  if (check.op == Operator::kExists) return text;
  if (check.modifier != Modifier::kNone) text += " " + std::string(name_of(check.modifier));
  text += ' ';
  if (check.right) return text + text_of(*check.right);
  if (!check.is_list) return text + quoted(check.values.front().text);
  return text + "(" +
         joined(check.values, ", ", [](const Literal& value) { return quoted(value.text); }) + ")";
}

std::string text_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kCheck: return text_of(node.check);
    case Node::Kind::kMacro: return node.macro;
    case Node::Kind::kNot: return "not " + text_of(*node.children.front());
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      return "(" +
             joined(node.children, node.kind == Node::Kind::kAnd ? " and " : " or ",
                    [](const auto& child) { return text_of(*child); }) +
             ")";
  }
  return {};
}

}  // namespace sfkit::filter
