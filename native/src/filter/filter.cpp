#include "filter/filter.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/glob.h"
#include "base/ip_text.h"
#include "base/numbers.h"

namespace sfkit::filter {
namespace {

using fields::FieldReader;
using fields::FieldValue;
using fields::Several;
using Kind = FieldValue::Kind;

bool contains_ignoring_case(std::string_view text, std::string_view lowered) {
  return std::search(text.begin(), text.end(), lowered.begin(), lowered.end(),
                     [](char a, char b) { return to_lower(a) == b; }) != text.end() ||
         lowered.empty();
}

// Decodes base64; false when it is none. Padding may be left out.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  uint32_t bits = 0;
  int count = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<uint32_t>(c - 'a' + 26);
    } else if (c >= '0' && c <= '9') {
      value = static_cast<uint32_t>(c - '0' + 52);
    } else if (c == '+' || c == '-') {
      value = 62;
    } else if (c == '/' || c == '_') {
      value = 63;
    } else {
      return false;
    }
    bits = bits << 6 | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return true;
}

template <typename T>
bool compare(Operator op, const T& left, const T& right) {
  switch (op) {
    case Operator::kEqual:
    case Operator::kIn:
    case Operator::kIntersects: return left == right;
    case Operator::kNotEqual: return left != right;
    case Operator::kLess: return left < right;
    case Operator::kLessOrEqual: return left <= right;
    case Operator::kGreater: return left > right;
    case Operator::kGreaterOrEqual: return left >= right;
    default: return false;
  }
}

// Integers of both kinds in one order: negative ones are below all others.
struct Whole {
  bool negative = false;
  uint64_t bits = 0;  // two's complement
  auto operator<=>(const Whole& other) const {
    if (negative != other.negative)
      return negative ? std::strong_ordering::less : std::strong_ordering::greater;
    return bits <=> other.bits;
  }
  bool operator==(const Whole&) const = default;
};

Whole whole(int64_t value) {
  return {value < 0, static_cast<uint64_t>(value)};
}
Whole whole_of(const FieldValue& value) {
  return value.kind == Kind::kSigned ? whole(value.integer) : Whole{false, value.number};
}
double real_of(const FieldValue& value) {
  if (value.kind == Kind::kReal) return value.real;
  return value.kind == Kind::kSigned ? static_cast<double>(value.integer) : static_cast<double>(value.number);
}

// Whether `path` lies at or below the path of `elements`, element by element.
bool is_below(std::string_view path, const std::vector<std::string>& elements) {
  for (const std::string& element : elements) {
    while (path.starts_with('/')) path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    if (end == 0 || !glob_matches(element, path.substr(0, end))) return false;
    path.remove_prefix(end);
  }
  return true;
}

bool is_ip_in(const FieldValue& value, const std::array<uint8_t, 16>& bytes, int bits) {
  const auto whole_bytes = static_cast<size_t>(bits / 8);
  if (std::memcmp(value.ip, bytes.data(), whole_bytes) != 0) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (value.ip[whole_bytes] & mask) == (bytes[whole_bytes] & mask);
}

bool compare_texts(Operator op, std::string_view left, std::string_view right) {
  switch (op) {
    case Operator::kContains: return left.find(right) != std::string_view::npos;
    case Operator::kStartswith: return left.starts_with(right);
    case Operator::kEndswith: return left.ends_with(right);
    case Operator::kGlob: return glob_matches(right, left);
    case Operator::kIglob: return glob_matches(right, left, true);
    case Operator::kIcontains:
      return std::search(left.begin(), left.end(), right.begin(), right.end(),
                         [](char a, char b) { return to_lower(a) == to_lower(b); }) != left.end() ||
             right.empty();
    default: return compare(op, left, right);
  }
}

}  // namespace

bool Filter::passes(FieldReader& reader) {
  int32_t at = start_;
  const uint16_t code = reader.context().event->code;
  while (at >= 0) {
    Condition& condition = conditions_[static_cast<size_t>(at)];
    const uint8_t known = condition.is_static ? condition.by_code[code] : uint8_t{kDepends};
    const bool result = known == kDepends ? holds(condition, reader) : known == kYes;
    at = result ? condition.on_true : condition.on_false;
  }
  return at == kPass;
}

bool Filter::holds(Condition& condition, FieldReader& reader) {
  if (condition.left.field.several == Several::kNo) {
    const FieldValue value = reader.get(condition.left.field);
    return !value.is_missing() && accepts(condition, value, reader);
  }
  // For != on the two ends of a connection, and for in on a list, every value must fit; else one is enough.
  const bool all = condition.negated_each || condition.must_all;
  bool any = false;
  bool every = true;
  reader.each(condition.left.field, [&](const FieldValue& value) {
    if (accepts(condition, value, reader)) {
      any = true;
      return all;
    }
    every = false;
    return !all;
  });
  return all ? any && every : any;
}

FieldValue Filter::transform(const Operand& operand, FieldValue value, std::string& buffer) {
  for (const Transformer transformer : operand.transformers) {
    switch (transformer) {
      case Transformer::kVal: break;
      case Transformer::kLen: value = FieldValue::of(uint64_t{value.text.size()}); break;
      case Transformer::kBasename: value.text.remove_prefix(value.text.rfind('/') + 1); break;
      case Transformer::kTolower:
      case Transformer::kToupper:
        if (value.text.data() != buffer.data()) buffer.assign(value.text);
        buffer.resize(value.text.size());
        std::ranges::transform(buffer, buffer.begin(),
                               transformer == Transformer::kTolower ? to_lower : to_upper);
        value = FieldValue::of(buffer);
        break;
      case Transformer::kB64: {
        if (!decode_base64(value.text, decoded_)) return {};
        std::swap(buffer, decoded_);
        value = FieldValue::of(buffer);
        break;
      }
    }
  }
  return value;
}

bool Filter::accepts(Condition& condition, const FieldValue& original, FieldReader& reader) {
  if (condition.op == Operator::kExists) return true;
  FieldValue value = original;
  if (!condition.left.transformers.empty()) {
    value = transform(condition.left, value, left_text_);
    if (value.is_missing()) return false;
  }
  if (condition.right) return compare_fields(condition, value, reader);
  switch (value.kind) {
    case Kind::kMissing: return false;
    case Kind::kText:
    case Kind::kBytes: return accepts_text(condition, value.text);
    case Kind::kIp: return accepts_address(condition, value);
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kReal:
    case Kind::kBool: break;
  }
  const bool is_raw = condition.left.field.type == fields::FieldType::kRaw;
  if (!is_raw) return accepts_number(condition, value);
  // A parameter may be a number in one event and text in another.
  const bool as_number = condition.op <= Operator::kGreaterOrEqual || condition.op == Operator::kIn ||
                         condition.op == Operator::kIntersects;
  if (as_number)
    return condition.numbers.empty() ? condition.op == Operator::kNotEqual : accepts_number(condition, value);
  rendered_.clear();
  if (value.kind == Kind::kSigned) {
    append_number(rendered_, value.integer);
  } else {
    append_number(rendered_, value.number);
  }
  return accepts_text(condition, rendered_);
}

bool Filter::accepts_text(Condition& condition, std::string_view text) {
  switch (condition.op) {
    case Operator::kRegex: return condition.regex->matches(text);
    case Operator::kPmatch:
      return std::ranges::any_of(condition.paths, [text](const Path& path) { return is_below(text, path); });
    case Operator::kIn:
    case Operator::kIntersects:
      return std::binary_search(condition.texts.begin(), condition.texts.end(), text);
    default: break;
  }
  if (condition.texts.empty()) return false;
  const std::string& wanted = condition.texts.front();
  switch (condition.op) {
    case Operator::kIcontains: return contains_ignoring_case(text, wanted);
    case Operator::kBcontains: return text.find(wanted) != std::string_view::npos;
    case Operator::kBstartswith: return text.starts_with(wanted);
    default: return compare_texts(condition.op, text, wanted);
  }
}

bool Filter::accepts_number(const Condition& condition, const FieldValue& value) const {
  return std::ranges::any_of(condition.numbers, [&](const Number& number) {
    if (number.kind == Number::Kind::kReal || value.kind == Kind::kReal) {
      const double right = number.kind == Number::Kind::kReal     ? number.real
                           : number.kind == Number::Kind::kSigned ? static_cast<double>(number.integer)
                                                                  : static_cast<double>(number.natural);
      return compare(condition.op, real_of(value), right);
    }
    const Whole right =
        number.kind == Number::Kind::kSigned ? whole(number.integer) : Whole{false, number.natural};
    return compare(condition.op, whole_of(value), right);
  });
}

bool Filter::accepts_address(const Condition& condition, const FieldValue& value) const {
  const bool inside = std::ranges::any_of(condition.networks, [&value](const Network& network) {
    return network.ipv6 == value.ipv6 && is_ip_in(value, network.bytes, network.bits);
  });
  return inside != (condition.op == Operator::kNotEqual);
}

bool Filter::compare_fields(Condition& condition, const FieldValue& left, FieldReader& reader) {
  FieldValue kept = left;
  // The reader's text is valid until it is asked again.
  const bool has_text = left.kind == Kind::kText || left.kind == Kind::kBytes;
  if (has_text && left.text.data() != left_text_.data()) {
    left_text_.assign(left.text);
    kept.text = left_text_;
  }
  FieldValue right = reader.get(condition.right->field);
  if (right.is_missing()) return false;
  right = transform(*condition.right, right, right_text_);
  if (right.is_missing()) return false;
  if (has_text) return compare_texts(condition.op, kept.text, right.text);
  if (kept.kind == Kind::kIp) {
    const bool same = kept.ipv6 == right.ipv6 && std::memcmp(kept.ip, right.ip, kept.ipv6 ? 16 : 4) == 0;
    return same != (condition.op == Operator::kNotEqual);
  }
  if (kept.kind == Kind::kReal || right.kind == Kind::kReal) {
    return compare(condition.op, real_of(kept), real_of(right));
  }
  return compare(condition.op, whole_of(kept), whole_of(right));
}

}  // namespace sfkit::filter
