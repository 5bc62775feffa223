// Parses names of fields.

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/nearest.h"
#include "event_names.gen.h"
#include "fields/event_name.h"
#include "fields/fields.h"

namespace sfkit::fields {
namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         is_digit(character) || character == '_';
}

// Letters, digits, underscores and dots, but no trailing dot.
std::string_view word_at(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && (is_name_character(text[size]) || text[size] == '.')) ++size;
  while (size > 0 && text[size - 1] == '.') --size;
  return text.substr(0, size);
}

// The longest field name that the word starts with. Only whole parts match: evt.number is not
// evt.num.
const FieldInfo* longest_field(std::string_view word) {
  static const std::unordered_map<std::string_view, const FieldInfo*> by_name = [] {
    std::unordered_map<std::string_view, const FieldInfo*> names;
    for (const FieldInfo& info : kFields) names.emplace(info.name, &info);
    return names;
  }();
  static const size_t longest = std::ranges::max(kFields, {}, [](const FieldInfo& info) {
                                  return info.name.size();
                                }).name.size();
  size_t size = word.size() <= longest ? word.size() : word.rfind('.', longest);
  while (size != std::string_view::npos && size > 0) {
    if (const auto found = by_name.find(word.substr(0, size)); found != by_name.end())
      return found->second;
    size = word.rfind('.', size - 1);
  }
  return nullptr;
}

Status invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::string quoted(std::string_view word) {
  return "'" + std::string(word) + "'";
}

std::string with_advice(std::string message, std::string_view likely) {
  if (!likely.empty()) message += "; did you mean " + quoted(likely) + "?";
  return message;
}

Status unknown_field(std::string_view word, FieldFailure& failure) {
  failure = FieldFailure::kUnknown;
  const RefusedField* found = nullptr;
  for (const RefusedField& refused : kRefusedFields) {
    if (!word.starts_with(refused.name)) continue;
    // The rest may be an argument.
    if (word.size() > refused.name.size() && is_name_character(word[refused.name.size()])) continue;
    if (found == nullptr || refused.name.size() > found->name.size()) found = &refused;
  }
  if (found != nullptr && (word == found->name || longest_field(word) == nullptr)) {
    failure = FieldFailure::kUnavailable;
    return invalid("field " + quoted(found->name) +
                   " cannot be answered: " + std::string(found->reason));
  }
  std::vector<std::string_view> names;
  for (const FieldInfo& info : kFields) names.push_back(info.name);
  return invalid(with_advice("unknown field " + quoted(word), nearest(word, names)));
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

Status parse_parameter(FieldRef& field) {
  if (field.argument.size() <= 2 && all_digits(field.argument)) {
    std::from_chars(field.argument.data(), field.argument.data() + field.argument.size(),
                    field.index_argument);
    return Status::ok();
  }
  const auto found = std::ranges::find(scap::kParamNames, field.argument);
  if (found == std::end(scap::kParamNames)) {
    return invalid(with_advice("no event has a parameter named " + quoted(field.argument),
                               nearest(field.argument, scap::kParamNames)));
  }
  field.name_argument = static_cast<int>(found - std::begin(scap::kParamNames));
  return Status::ok();
}

Status parse_number(FieldRef& field, uint64_t max) {
  const char* const end = field.argument.data() + field.argument.size();
  const auto result = std::from_chars(field.argument.data(), end, field.number_argument);
  if (result.ec != std::errc() || result.ptr != end || field.number_argument > max) {
    return invalid("field " + quoted(field.name) + " takes a number from 0 to " +
                   std::to_string(max) + ", not " + quoted(field.argument));
  }
  field.index_argument = max < INT32_MAX ? static_cast<int>(field.number_argument) : -1;
  return Status::ok();
}

Status parse_type(FieldRef& field) {
  if (all_digits(field.argument)) return parse_number(field, scap::kEventCount - 1);
  std::vector<std::string_view> names;
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    if (event_name(code) == field.argument) return Status::ok();
    names.push_back(event_name(code));
  }
  return invalid(with_advice("no event has the type " + quoted(field.argument),
                             nearest(field.argument, names)));
}

constexpr uint64_t kMaxLevels = 1000;
constexpr size_t kMaxArgumentBytes = 1024;

std::string expected_argument(const FieldInfo& info) {
  const std::string name(info.name);
  switch (info.argument) {
    case ArgumentKind::kParameter:
      return "the name of a parameter, as in " + name + ".name, or its place, as in " + name +
             "[0]";
    case ArgumentKind::kType: return "the type of an event, as in " + name + ".open";
    case ArgumentKind::kNumber:
      return "a time in nanoseconds, as in " + name + "[1700000000000000000]";
    case ArgumentKind::kEnds: return "src or dst, as in " + name + ".src";
    default: return "an argument, as in " + name + "[name]";
  }
}

Status parse_argument(const FieldInfo& info, FieldRef& field) {
  switch (info.argument) {
    case ArgumentKind::kParameter: return parse_parameter(field);
    case ArgumentKind::kType: return parse_type(field);
    case ArgumentKind::kLevel: return parse_number(field, kMaxLevels);
    case ArgumentKind::kNumber: return parse_number(field, UINT64_MAX);
    case ArgumentKind::kEnds:
      if (field.argument == "src" || field.argument == "dst") return Status::ok();
      return invalid("field " + quoted(info.name) + " needs " + expected_argument(info));
    case ArgumentKind::kName:
      if (field.argument.size() <= 4 && all_digits(field.argument))
        return parse_number(field, 9999);
      return Status::ok();
    case ArgumentKind::kNone: return Status::ok();
  }
  return Status::ok();
}

}  // namespace

bool may_be_field(std::string_view text) {
  const std::string_view word = word_at(text);
  return longest_field(word) != nullptr ||
         std::ranges::any_of(kRefusedFields, [word](const RefusedField& refused) {
           return word.starts_with(refused.name);
         });
}

Result<FieldRef> parse_field(std::string_view text, size_t& used, FieldFailure* failure) {
  FieldFailure ignored = FieldFailure::kArgument;
  FieldFailure& kind = failure != nullptr ? *failure : ignored;
  kind = FieldFailure::kArgument;
  const std::string_view word = word_at(text);
  const FieldInfo* info = longest_field(word);
  if (word.empty()) {
    kind = FieldFailure::kUnknown;
    return invalid("the name of a field is missing");
  }
  if (info == nullptr) return unknown_field(word, kind);
  for (const RefusedField& refused : kRefusedFields) {
    if (refused.name == word) return unknown_field(word, kind);
  }
  FieldRef field;
  field.field = info->field;
  field.type = info->type;
  field.several = info->several;
  field.filter_only = info->filter_only;
  field.name = info->name;
  used = info->name.size();
  const std::string_view rest = text.substr(used);
  const bool bracket = rest.starts_with('[');
  const bool dotted = word.size() > used;
  if (info->argument == ArgumentKind::kNone) {
    // A longer name is another field.
    if (bracket)
      return unknown_field(text.substr(0, std::min(text.size(), text.find(']', used) + 1)), kind);
    if (dotted) return unknown_field(word, kind);
    return field;
  }
  if (bracket) {
    // Inside quotes, a bracket is a part of the argument.
    const char quote = rest.size() > 1 && (rest[1] == '"' || rest[1] == '\'') ? rest[1] : '\0';
    const size_t closing = quote == '\0' ? 0 : rest.find(quote, 2);
    const size_t end = closing == std::string_view::npos ? closing : rest.find(']', closing);
    if (end == std::string_view::npos) {
      return invalid("field " + quoted(info->name) + ": the bracket is not closed");
    }
    const std::string_view argument = rest.substr(1, end - 1);
    field.argument =
        quote != '\0' && end == closing + 1 ? argument.substr(1, argument.size() - 2) : argument;
    used += end + 1;
  } else if (dotted) {
    size_t size = 1;
    while (size < rest.size() && is_name_character(rest[size])) ++size;
    field.argument = rest.substr(1, size - 1);
    used += size;
  }
  if (field.argument.empty() && (info->needs_argument && info->argument != ArgumentKind::kEnds)) {
    return invalid("field " + quoted(info->name) + " needs " + expected_argument(*info));
  }
  if (field.argument.empty()) {
    if (bracket) return invalid("field " + quoted(info->name) + ": the brackets are empty");
    return field;
  }
  if (field.argument.size() > kMaxArgumentBytes) {
    return invalid("field " + quoted(info->name) + ": the argument is longer than " +
                   std::to_string(kMaxArgumentBytes) + " characters");
  }
  if (Status status = parse_argument(*info, field); !status.is_ok()) return status;
  field.several = Several::kNo;
  field.name = text.substr(0, used);
  return field;
}

}  // namespace sfkit::fields
