// The shape of a line: text with %field in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "fields/fields.h"

namespace sfkit::events {

class LineTemplate {
 public:
  struct Piece {
    std::string text;  // stands before the field
    bool has_field = false;
    fields::FieldRef field;
  };

  // What a line looks like unless somebody says otherwise.
  static constexpr std::string_view kDefault =
      "%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args";

  // %% is a percent sign; \t, \n and \\ are a tab, a line end and a backslash. A star at the start is passed
  // over: other tools ask with it for lines with missing values, which are always given here. Fails with
  // kInvalidArgument and a message that says where and what is likely meant.
  static Result<LineTemplate> parse(std::string_view text);

  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
};

}  // namespace sfkit::events
