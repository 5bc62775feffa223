#include "rules/event_codes.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "event_names.gen.h"
#include "events.gen.h"

namespace sfkit::rules {
namespace {

using filter::Argument;
using filter::Check;
using filter::Node;
using filter::Operand;
using filter::Operator;

namespace ev = scap::ev;

bool is_event_type(const Operand& operand) {
  if (operand.call != nullptr) return false;
  return operand.field.field == fields::Field::kEvtType ||
         operand.field.field == fields::Field::kSyscallType;
}

bool names_event_type(const Operand& operand);

bool names_event_type(const Argument& argument) {
  if (argument.kind == Argument::Kind::kOperand) return names_event_type(argument.operand);
  return std::ranges::any_of(argument.items,
                             [](const Argument& item) { return names_event_type(item); });
}

bool names_event_type(const Operand& operand) {
  if (operand.call == nullptr) return is_event_type(operand);
  return std::ranges::any_of(operand.call->arguments,
                             [](const Argument& argument) { return names_event_type(argument); });
}

bool decides_codes(const Check& check) {
  const bool has_operator =
      check.op == Operator::kEqual || check.op == Operator::kNotEqual || check.op == Operator::kIn;
  return has_operator && is_event_type(check.left) && check.left.transformers.empty();
}

// The codes of each event name. Calls without their own event type share the generic one.
std::unordered_map<std::string_view, EventCodes> codes_by_name() {
  std::unordered_map<std::string_view, EventCodes> codes;
  for (uint16_t code = ev::GENERIC_X + 1; code < scap::kEventCount; ++code)
    codes[scap::kEvents[code].name].set(code);
  EventCodes generic;
  generic.set(ev::GENERIC_E).set(ev::GENERIC_X);
  for (const std::string_view name : scap::kSyscallNames) codes.emplace(name, generic);
  for (const std::string_view name : scap::kX86SyscallNames) codes.emplace(name, generic);
  return codes;
}

// Events named by the values.
EventCodes codes_named(const Check& check) {
  static const auto by_name = codes_by_name();
  EventCodes codes;
  for (const filter::Literal& value : check.values) {
    if (const auto found = by_name.find(value.text); found != by_name.end()) codes |= found->second;
  }
  return codes;
}

EventCodes codes_of(const Node& node, bool negated) {
  const EventCodes all = EventCodes().set();
  switch (node.kind) {
    case Node::Kind::kNot: return codes_of(*node.children.front(), !negated);
    case Node::Kind::kAnd:
    case Node::Kind::kOr: {
      const bool needs_all = (node.kind == Node::Kind::kAnd) != negated;
      EventCodes codes = needs_all ? all : EventCodes();
      for (const auto& child : node.children) {
        if (needs_all) {
          codes &= codes_of(*child, negated);
        } else {
          codes |= codes_of(*child, negated);
        }
      }
      return codes;
    }
    case Node::Kind::kCheck: break;
    case Node::Kind::kMacro: return all;
  }
  const Check& check = node.check;
  if (check.op == Operator::kExists && is_event_type(check.left))
    return negated ? EventCodes() : all;
  if (!decides_codes(check)) return all;
  const EventCodes codes = codes_named(check);
  return negated != (check.op == Operator::kNotEqual) ? ~codes : codes;
}

}  // namespace

EventCodes event_codes_of(const Node& tree) {
  return codes_of(tree, false);
}

const Check* unclear_event_type(const Node& node) {
  for (const auto& child : node.children) {
    if (const Check* found = unclear_event_type(*child)) return found;
  }
  if (node.kind != Node::Kind::kCheck) return nullptr;
  const Check& check = node.check;
  const bool is_changed = check.left.call != nullptr || !check.left.transformers.empty();
  const bool has_operator = check.op == Operator::kEqual || check.op == Operator::kNotEqual ||
                            check.op == Operator::kIn || check.op == Operator::kExists;
  if (has_operator && is_changed && names_event_type(check.left)) return &check;
  return decides_codes(check) && check.right ? &check : nullptr;
}

bool is_seen_by_rules(uint16_t code) {
  return !scap::is_enter(code) || (scap::kEvents[code | 1].flags & scap::kUnused) != 0;
}

bool StateEvents::holds(uint16_t code) {
  switch (code) {
    case ev::CONTAINER_E:
    case ev::CONTAINER_JSON_E:
    case ev::CONTAINER_JSON_2_E:
    case ev::USER_ADDED_E:
    case ev::USER_DELETED_E:
    case ev::GROUP_ADDED_E:
    case ev::GROUP_DELETED_E: return !is_over_;
    default: is_over_ = true; return false;
  }
}

}  // namespace sfkit::rules
