// Output texts of rules, with %field references.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/fields.h"
#include "filter/evaluator.h"
#include "filter/syntax.h"

namespace sfkit::rules {

class OutputTemplate {
 public:
  // %field, %field[argument], %field.argument, %transformer(field); %20field sets a width. The
  // longest text that names a field wins. Nullopt with `problem` set on an error.
  static std::optional<OutputTemplate> parse(std::string_view text, filter::Problem& problem);

  // Appends the text for the reader's current event; <NA> for missing values. Control characters
  // and invalid UTF-8 become U+FFFD, as in Falco.
  void append_text(std::string& out, filter::Evaluator& evaluator,
                   fields::FieldReader& reader) const;
  // Appends the same text without values that change between repetitions of the same activity:
  // times, counters, ids of processes and descriptors, client ports.
  void append_key(std::string& out, filter::Evaluator& evaluator,
                  fields::FieldReader& reader) const;
  // Appends the fields as members of a JSON object; null if missing.
  void append_fields(std::string& out, filter::Evaluator& evaluator,
                     fields::FieldReader& reader) const;

 private:
  struct Piece {
    std::string text;  // text before the field
    std::optional<filter::Operand> operand;
    uint32_t width = 0;  // 0: no padding or truncation
    std::string name;    // of the operand
  };

  std::vector<Piece> pieces_;
};

}  // namespace sfkit::rules
