// A filter ready to be asked about events: compiled once, then evaluated without allocation.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/status.h"
#include "fields/fields.h"
#include "filter/syntax.h"

namespace sfkit::filter {

class Filter {
 public:
  // Fails with kInvalidArgument and a message that says what, where and what is likely meant.
  static Result<std::unique_ptr<Filter>> compile(std::string_view text);

  // Whether an event of this code can pass at all; where not, there is no need to look at it.
  bool may_pass(uint16_t code) const { return may_pass_[code]; }

  // Whether the event that `reader` looks at passes. A field without a value makes its condition false,
  // whatever the operator.
  bool passes(fields::FieldReader& reader);

 private:
  friend class Compiler;

  // Where to go on behind a condition; places are of later conditions.
  static constexpr int32_t kPass = -1;
  static constexpr int32_t kFail = -2;

  struct Number {
    enum class Kind : uint8_t { kSigned, kUnsigned, kReal };
    Kind kind = Kind::kUnsigned;
    int64_t integer = 0;
    uint64_t natural = 0;
    double real = 0;
  };
  struct Network {
    std::array<uint8_t, 16> bytes{};
    bool ipv6 = false;
    int bits = 0;  // that count
  };
  // A path's elements, for pmatch.
  using Path = std::vector<std::string>;

  struct Condition {
    Operand left;
    Operator op = Operator::kExists;
    bool negated_each = false;  // != on the ends of a connection: all of them must differ
    bool must_all = false;      // in on a list: every element
    std::optional<Operand> right;
    std::vector<std::string> texts;
    std::vector<Number> numbers;
    std::vector<Network> networks;
    std::vector<Path> paths;
    std::optional<Regex> regex;
    int32_t on_true = kPass;
    int32_t on_false = kFail;
    // What is known of events of a code before they are looked at.
    bool is_static = false;
    std::vector<uint8_t> by_code;
  };
  enum Known : uint8_t { kNo, kYes, kDepends };

  bool holds(Condition& condition, fields::FieldReader& reader);
  bool accepts(Condition& condition, const fields::FieldValue& value, fields::FieldReader& reader);
  bool accepts_text(Condition& condition, std::string_view text);
  bool accepts_number(const Condition& condition, const fields::FieldValue& value) const;
  bool accepts_address(const Condition& condition, const fields::FieldValue& value) const;
  bool compare_fields(Condition& condition, const fields::FieldValue& left, fields::FieldReader& reader);
  // The value after the operand's transformers; its text is in `buffer` if they changed it.
  fields::FieldValue transform(const Operand& operand, fields::FieldValue value, std::string& buffer);

  std::vector<Condition> conditions_;
  int32_t start_ = kPass;
  std::vector<bool> may_pass_;
  std::string left_text_;
  std::string right_text_;
  std::string rendered_;
  std::string decoded_;
};

}  // namespace sfkit::filter
