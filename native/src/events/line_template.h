// Line templates: text with %field references.
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
    std::string text;  // text before the field
    bool has_field = false;
    fields::FieldRef field;
  };

  // The default line.
  static constexpr std::string_view kDefault =
      "%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args";

  // %% is a percent sign; \t, \n and \\ are a tab, a line feed and a backslash. A leading star is
  // ignored: in other tools it keeps lines with missing values, which sfkit always keeps. Fails
  // with kInvalidArgument; the message has the position and a suggestion.
  static Result<LineTemplate> parse(std::string_view text);

  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
};

}  // namespace sfkit::events
