// Whether the conditions of filters hold for an event.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/fields.h"
#include "filter/condition.h"

namespace sfkit::filter {

// Keeps the memory that evaluation needs, so that events cost no allocation; calls with lists alone do.
class Evaluator {
 public:
  // Whether the condition holds for the event that `reader` looks at. A field without a value makes it false,
  // whatever the operator.
  bool holds(const Condition& condition, fields::FieldReader& reader);

  // Gives every value of the operand until `visit` returns false; for what is shown, not for every event. A
  // text is valid within the call.
  void each_value(const Operand& operand, fields::FieldReader& reader,
                  const std::function<bool(const fields::FieldValue&)>& visit);

  // Gives the value of a field that has one at most, after its transformers, if it is not missing. A text is
  // valid within the call.
  template <typename Visit>
  void visit_value(const Operand& operand, fields::FieldReader& reader, Visit visit) {
    fields::FieldValue value = reader.get(operand.field);
    if (!value.is_missing() && !operand.transformers.empty()) value = transform(operand, value, left_text_);
    if (!value.is_missing()) visit(value);
  }

  // Whether the condition holds for a text that its left side has.
  bool accepts_text(const Condition& condition, std::string_view text);

 private:
  using FieldValue = fields::FieldValue;

  // Gives every value of the operand, as visit(const FieldValue&), until it returns false.
  template <typename Visit>
  void each(const Operand& operand, fields::FieldReader& reader, std::string& buffer, Visit visit);
  // The value after the operand's transformers; its text is in `buffer` if they changed it.
  FieldValue transform(const Operand& operand, FieldValue value, std::string& buffer);

  bool call_text(const Call& call, fields::FieldReader& reader, std::string& out);
  bool append_argument(const Argument& argument, fields::FieldReader& reader, std::string& out);
  bool list_of(const Argument& argument, fields::FieldReader& reader, std::vector<std::string>& out);
  bool options_of(const Call& call, fields::FieldReader& reader, std::vector<std::string>& out);

  bool accepts(const Condition& condition, const FieldValue& value, fields::FieldReader& reader);
  bool compare_fields(const Condition& condition, const FieldValue& left, fields::FieldReader& reader);

  std::string left_text_;
  std::string right_text_;
  std::string kept_text_;
  std::string rendered_;
  std::string decoded_;
};

}  // namespace sfkit::filter
