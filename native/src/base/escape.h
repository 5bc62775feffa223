// Escaping of captured bytes for terminals and documents.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sfkit {

// Whether the code point is escaped in all output for people: control, invisible and unassigned
// characters (see native/tables/text.json). src/engine/escape.ts escapes the same set.
bool is_hidden(uint32_t code);

// Appends `text` as one line of valid UTF-8 that cannot control a terminal. Hidden characters and
// invalid bytes become \xNN, \uNNNN or \UNNNNNNNN.
void append_escaped(std::string& out, std::string_view text);

// Appends `text` as a quoted JSON string. Hidden characters become \uNNNN (a surrogate pair above
// U+FFFF), invalid bytes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends `bytes` in base64, with padding.
void append_base64(std::string& out, Bytes bytes);

}  // namespace sfkit
