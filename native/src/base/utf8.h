// Validation and decoding of UTF-8; captured bytes can be anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sfkit {

// Returns `text` if it is valid UTF-8 (no overlong forms, no surrogates), else a copy in `scratch`
// with U+FFFD for each invalid byte. Valid as long as both arguments.
std::string_view valid_utf8(std::string_view text, std::string& scratch);

struct Utf8Character {
  uint32_t code = 0;
  size_t size = 0;  // bytes; 0 if the sequence is invalid
};

// Decodes the first character of `text`.
Utf8Character decode_utf8(std::string_view text);

// Whether all of `text` is valid UTF-8.
bool is_utf8(std::string_view text);

}  // namespace sfkit
