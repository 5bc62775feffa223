// What a rule says when it matches: text with %field in it.
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
  // %field, %field[argument], %field.argument, %transformer(field), %20field for a width. The longest text
  // that names a field counts. Nothing where `problem` says what is wrong.
  static std::optional<OutputTemplate> parse(std::string_view text, filter::Problem& problem);

  // The text for the event that the reader looks at, <NA> for what is missing. Control characters and bytes
  // that are not UTF-8 become U+FFFD, as in the reference.
  void append_text(std::string& out, filter::Evaluator& evaluator, fields::FieldReader& reader) const;
  // The same without what differs from one event to the next of the same doing: times, counters, numbers of
  // processes and descriptors, the port of a client.
  void append_key(std::string& out, filter::Evaluator& evaluator, fields::FieldReader& reader) const;
  // Its fields as members of a JSON object, null where they are missing.
  void append_fields(std::string& out, filter::Evaluator& evaluator, fields::FieldReader& reader) const;

 private:
  struct Piece {
    std::string text;  // stands before the field
    std::optional<filter::Operand> operand;
    uint32_t width = 0;  // 0: as long as it is
    std::string name;    // of the operand
  };

  std::vector<Piece> pieces_;
};

}  // namespace sfkit::rules
