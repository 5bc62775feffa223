#include "filter/evaluator.h"

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

// Decodes base64; false if it is invalid. Padding is optional.
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

// One order for signed and unsigned integers: negative ones come first.
struct Integer {
  bool negative = false;
  uint64_t bits = 0;  // two's complement
  auto operator<=>(const Integer& other) const {
    if (negative != other.negative)
      return negative ? std::strong_ordering::less : std::strong_ordering::greater;
    return bits <=> other.bits;
  }
  bool operator==(const Integer&) const = default;
};

Integer integer_of(int64_t value) {
  return {value < 0, static_cast<uint64_t>(value)};
}
Integer integer_of_value(const FieldValue& value) {
  return value.kind == Kind::kSigned ? integer_of(value.integer) : Integer{false, value.number};
}
double real_of(const FieldValue& value) {
  if (value.kind == Kind::kReal) return value.real;
  return value.kind == Kind::kSigned ? static_cast<double>(value.integer)
                                     : static_cast<double>(value.number);
}

// Whether `path` is at or below the path of `elements`, compared element by element.
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

bool accepts_number(const Condition& condition, const FieldValue& value) {
  return std::ranges::any_of(condition.numbers, [&](const Number& number) {
    if (number.kind == Number::Kind::kReal || value.kind == Kind::kReal) {
      const double right = number.kind == Number::Kind::kReal ? number.real
                           : number.kind == Number::Kind::kSigned
                               ? static_cast<double>(number.integer)
                               : static_cast<double>(number.natural);
      return compare(condition.op, real_of(value), right);
    }
    const Integer right = number.kind == Number::Kind::kSigned ? integer_of(number.integer)
                                                               : Integer{false, number.natural};
    return compare(condition.op, integer_of_value(value), right);
  });
}

bool accepts_address(const Condition& condition, const FieldValue& value) {
  const bool inside = std::ranges::any_of(condition.networks, [&value](const Network& network) {
    return network.ipv6 == value.ipv6 && is_ip_in(value, network.bytes, network.bits);
  });
  return inside != (condition.op == Operator::kNotEqual);
}

void append_value(std::string& out, const FieldValue& value) {
  switch (value.kind) {
    case Kind::kMissing: return;
    case Kind::kSigned: return append_number(out, value.integer);
    case Kind::kUnsigned: return append_number(out, value.number);
    case Kind::kReal: return append_number(out, static_cast<int64_t>(value.real));
    case Kind::kText:
    case Kind::kBytes: out += value.text; return;
    case Kind::kBool: out += value.number != 0 ? "true" : "false"; return;
    case Kind::kIp: return value.ipv6 ? append_ipv6(out, value.ip) : append_ipv4(out, value.ip);
  }
}

// A parsed option string of getopt(3).
class Options {
 public:
  explicit Options(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == ':') continue;
      const auto option = static_cast<uint8_t>(text[i]);
      known_[option] = true;
      takes_argument_[option] = i + 1 < text.size() && text[i + 1] == ':';
    }
  }
  bool is_known(char option) const { return known_[static_cast<uint8_t>(option)]; }
  bool takes_argument(char option) const { return takes_argument_[static_cast<uint8_t>(option)]; }

 private:
  std::array<bool, 256> known_{};
  std::array<bool, 256> takes_argument_{};
};

// Calls `found(option, argument)` for each option of a command line, in order. An unknown option is
// '?', a missing argument "". Stops at the first word that is not an option (POSIX). Skips long
// options, like Falco.
template <typename Found>
void each_option(const std::vector<std::string>& words, const Options& options, Found found) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--" || word.size() < 2 || word[0] != '-') return;
    if (word[1] == '-') continue;
    for (size_t at = 1; at < word.size(); ++at) {
      const char option = word[at];
      if (!options.is_known(option)) {
        found('?', std::nullopt);
        continue;
      }
      if (!options.takes_argument(option)) {
        found(option, std::nullopt);
        continue;
      }
      std::string_view argument = word.substr(at + 1);
      if (argument.empty() && i + 1 < words.size()) argument = words[++i];
      found(option, std::optional(argument));
      break;
    }
  }
}

// Compares two field values of the same class.
bool accepts_field(Operator op, const FieldValue& left, const FieldValue& right) {
  if (left.kind == Kind::kText || left.kind == Kind::kBytes) {
    return op == Operator::kPmatch ? is_below(left.text, path_elements(right.text))
                                   : compare_texts(op, left.text, right.text);
  }
  if (left.kind == Kind::kIp) {
    const bool same =
        left.ipv6 == right.ipv6 && std::memcmp(left.ip, right.ip, left.ipv6 ? 16 : 4) == 0;
    return same != (op == Operator::kNotEqual);
  }
  if (left.kind == Kind::kReal || right.kind == Kind::kReal) {
    return compare(op, real_of(left), real_of(right));
  }
  return compare(op, integer_of_value(left), integer_of_value(right));
}

}  // namespace

bool gives_list(const Operand& operand) {
  if (operand.call == nullptr) return operand.field.type == fields::FieldType::kList;
  return operand.call->function == Function::kGetopt && operand.call->option == 0;
}

Path path_elements(std::string_view path) {
  Path elements;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) elements.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return elements;
}

bool Evaluator::holds(const Condition& condition, FieldReader& reader) {
  // For != on both ends of a connection and for `in` on a list, every value must match; else one is
  // enough.
  const bool all = condition.negated_each || condition.must_all;
  bool any = false;
  bool every = true;
  each(condition.left, reader, left_text_, [&](const FieldValue& value) {
    if (accepts(condition, value, reader)) {
      any = true;
      return all;
    }
    every = false;
    return !all;
  });
  return all ? any && every : any;
}

void Evaluator::each_value(const Operand& operand, FieldReader& reader,
                           const std::function<bool(const FieldValue&)>& visit) {
  each(operand, reader, left_text_, visit);
}

template <typename Visit>
void Evaluator::each(const Operand& operand, FieldReader& reader, std::string& buffer,
                     Visit visit) {
  const auto give = [&](FieldValue value) {
    if (!operand.transformers.empty()) value = transform(operand, value, buffer);
    return value.is_missing() || visit(value);
  };
  const bool is_list = gives_list(operand);
  const bool is_counted =
      is_list && !operand.transformers.empty() && operand.transformers.front() == Transformer::kLen;
  if (operand.call != nullptr && !is_list) {
    std::string text;
    if (call_text(*operand.call, reader, text)) give(FieldValue::of(text));
    return;
  }
  uint64_t count = 0;
  if (operand.call != nullptr) {
    std::vector<std::string> values;
    if (!options_of(*operand.call, reader, values)) return;
    count = values.size();
    for (size_t i = 0; i < values.size() && !is_counted; ++i) {
      if (!give(FieldValue::of(values[i]))) return;
    }
  } else if (operand.field.several == Several::kNo) {
    const FieldValue value = reader.get(operand.field);
    if (!value.is_missing()) give(value);
    return;
  } else {
    reader.each(operand.field, [&](const FieldValue& value) {
      ++count;
      return is_counted || give(value);
    });
  }
  if (is_counted) visit(FieldValue::of(count));
}

FieldValue Evaluator::transform(const Operand& operand, FieldValue value, std::string& buffer) {
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

bool Evaluator::append_argument(const Argument& argument, FieldReader& reader, std::string& out) {
  if (argument.kind == Argument::Kind::kText) {
    out += argument.text.text;
    return true;
  }
  bool any = false;
  std::string buffer;
  each(argument.operand, reader, buffer, [&](const FieldValue& value) {
    append_value(out, value);
    any = true;
    return false;
  });
  return any;
}

bool Evaluator::list_of(const Argument& argument, FieldReader& reader,
                        std::vector<std::string>& out) {
  if (argument.kind == Argument::Kind::kList) {
    return std::ranges::all_of(argument.items, [&](const Argument& item) {
      return append_argument(item, reader, out.emplace_back());
    });
  }
  std::string buffer;
  each(argument.operand, reader, buffer, [&](const FieldValue& value) {
    append_value(out.emplace_back(), value);
    return true;
  });
  return !out.empty();
}

// The text of a call; false if a part of it is missing.
bool Evaluator::call_text(const Call& call, FieldReader& reader, std::string& out) {
  switch (call.function) {
    case Function::kConcat:
      return std::ranges::all_of(call.arguments, [&](const Argument& argument) {
        return append_argument(argument, reader, out);
      });
    case Function::kJoin: {
      std::string separator;
      std::vector<std::string> items;
      if (!append_argument(call.arguments[0], reader, separator)) return false;
      if (!list_of(call.arguments[1], reader, items)) return false;
      for (size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += separator;
        out += items[i];
      }
      return true;
    }
    case Function::kGetopt: {
      std::vector<std::string> selected;
      if (!options_of(call, reader, selected) || selected.empty()) return false;
      out = std::move(selected.back());
      return true;
    }
  }
  return false;
}

// Options and their arguments in sequence. For a call with a selected option: its last argument, or
// its letter if it takes none.
bool Evaluator::options_of(const Call& call, FieldReader& reader, std::vector<std::string>& out) {
  std::string letters;
  std::vector<std::string> words;
  if (!append_argument(call.arguments[1], reader, letters)) return false;
  if (!list_of(call.arguments[0], reader, words)) return false;
  each_option(words, Options(letters), [&](char option, std::optional<std::string_view> argument) {
    if (call.option == 0) {
      out.emplace_back(1, option);
      if (argument) out.emplace_back(*argument);
    } else if (option == call.option) {
      out.assign(1, argument ? std::string(*argument) : std::string(1, option));
    }
  });
  return true;
}

bool Evaluator::accepts(const Condition& condition, const FieldValue& value, FieldReader& reader) {
  if (condition.op == Operator::kExists) return true;
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
  const bool is_raw =
      condition.left.call == nullptr && condition.left.field.type == fields::FieldType::kRaw;
  if (!is_raw) return accepts_number(condition, value);
  // A parameter can be a number in one event and text in another.
  const bool as_number = condition.op <= Operator::kGreaterOrEqual ||
                         condition.op == Operator::kIn || condition.op == Operator::kIntersects;
  if (as_number)
    return condition.numbers.empty() ? condition.op == Operator::kNotEqual
                                     : accepts_number(condition, value);
  rendered_.clear();
  append_value(rendered_, value);
  return accepts_text(condition, rendered_);
}

bool Evaluator::accepts_text(const Condition& condition, std::string_view text) {
  switch (condition.op) {
    case Operator::kRegex: return condition.regex->matches(text);
    case Operator::kPmatch:
      return std::ranges::any_of(condition.paths,
                                 [text](const Path& path) { return is_below(text, path); });
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

bool Evaluator::compare_fields(const Condition& condition, const FieldValue& left,
                               FieldReader& reader) {
  FieldValue kept = left;
  // The reader's text is valid until its next call.
  const bool has_text = left.kind == Kind::kText || left.kind == Kind::kBytes;
  if (has_text) {
    kept_text_.assign(left.text);
    kept.text = kept_text_;
  }
  bool any = false;
  each(*condition.right, reader, right_text_, [&](const FieldValue& right) {
    any = accepts_field(condition.op, kept, right);
    return !any;
  });
  return any;
}

}  // namespace sfkit::filter
