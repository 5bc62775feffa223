// Text that is surely UTF-8, from captured bytes that may be anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sfkit {

// `text` itself when it is valid UTF-8 (no overlong forms, no surrogates), else a copy in `scratch` with
// U+FFFD in place of each byte that is not part of a valid sequence. Valid as long as both arguments.
std::string_view valid_utf8(std::string_view text, std::string& scratch);

struct Utf8Character {
  uint32_t code = 0;
  size_t size = 0;  // bytes; 0 when they are no valid sequence
};

// The first character of `text`.
Utf8Character decode_utf8(std::string_view text);

// Whether all of `text` is valid.
bool is_utf8(std::string_view text);

}  // namespace sfkit
