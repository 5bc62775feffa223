#include "events/line_template.h"

#include <utility>

namespace sfkit::events {

Result<LineTemplate> LineTemplate::parse(std::string_view text) {
  LineTemplate result;
  Piece piece;
  size_t at = text.starts_with('*') ? 1 : 0;
  while (at < text.size()) {
    const char character = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (character == '\\' && (next == 't' || next == 'n' || next == '\\')) {
      piece.text += next == 't' ? '\t' : next == 'n' ? '\n' : '\\';
      at += 2;
    } else if (character == '%' && next == '%') {
      piece.text += '%';
      at += 2;
    } else if (character == '%') {
      const bool is_letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
      if (!is_letter) {
        return Status(ErrorCode::kInvalidArgument,
                      "template, character " + std::to_string(at + 1) +
                          ": a lone %: write %% for a percent sign, or a field name after it");
      }
      size_t used = 0;
      auto field = fields::parse_field(text.substr(at + 1), used);
      if (!field.is_ok()) {
        return Status(ErrorCode::kInvalidArgument, "template, character " + std::to_string(at + 1) +
                                                       ": " + field.status().message());
      }
      if (field.value().filter_only) {
        return Status(ErrorCode::kInvalidArgument, "template, character " + std::to_string(at + 1) +
                                                       ": field '" + field.value().name +
                                                       "' is for filters only and has no text");
      }
      piece.has_field = true;
      piece.field = std::move(field.value());
      result.pieces_.push_back(std::exchange(piece, Piece()));
      at += 1 + used;
    } else {
      piece.text += character;
      ++at;
    }
  }
  if (!piece.text.empty()) result.pieces_.push_back(std::move(piece));
  return result;
}

}  // namespace sfkit::events
