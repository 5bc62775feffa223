// Evaluates the conditions of filters for an event.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/fields.h"
#include "filter/condition.h"

namespace sfkit::filter {

// Reuses its buffers: evaluation allocates nothing, except for calls with lists.
class Evaluator {
 public:
  // Whether the condition holds for the reader's current event. A missing value makes it false,
  // whatever the operator.
  bool holds(const Condition& condition, fields::FieldReader& reader);

  // Passes every value of the operand to `visit` until it returns false. For output, not for the
  // hot path. Text is valid during the call.
  void each_value(const Operand& operand, fields::FieldReader& reader,
                  const std::function<bool(const fields::FieldValue&)>& visit);

  // Passes the transformed value of a single-valued field, unless it is missing. Text is valid
  // during the call.
  template <typename Visit>
  void visit_value(const Operand& operand, fields::FieldReader& reader, Visit visit) {
    fields::FieldValue value = reader.get(operand.field);
    if (!value.is_missing() && !operand.transformers.empty())
      value = transform(operand, value, left_text_);
    if (!value.is_missing()) visit(value);
  }

  // Whether the condition holds if the left side is `text`.
  bool accepts_text(const Condition& condition, std::string_view text);

 private:
  using FieldValue = fields::FieldValue;

  // Calls visit(const FieldValue&) for every value of the operand until it returns false.
  template <typename Visit>
  void each(const Operand& operand, fields::FieldReader& reader, std::string& buffer, Visit visit);
  // Applies the operand's transformers; changed text is in `buffer`.
  FieldValue transform(const Operand& operand, FieldValue value, std::string& buffer);

  bool call_text(const Call& call, fields::FieldReader& reader, std::string& out);
  bool append_argument(const Argument& argument, fields::FieldReader& reader, std::string& out);
  bool list_of(const Argument& argument, fields::FieldReader& reader,
               std::vector<std::string>& out);
  bool options_of(const Call& call, fields::FieldReader& reader, std::vector<std::string>& out);

  bool accepts(const Condition& condition, const FieldValue& value, fields::FieldReader& reader);
  bool compare_fields(const Condition& condition, const FieldValue& left,
                      fields::FieldReader& reader);

  std::string left_text_;
  std::string right_text_;
  std::string kept_text_;
  std::string rendered_;
  std::string decoded_;
};

}  // namespace sfkit::filter
