// Captured bytes on their way into text that people and programs read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sfkit {

// Whether the code point is escaped wherever a person reads: controls, invisible and unassigned characters
// (see native/tables/text.json). src/engine/escape.ts escapes the same ones.
bool is_hidden(uint32_t code);

// Appends `text` so that it is one line of valid UTF-8 and cannot steer a terminal: hidden characters and
// bytes that are not UTF-8 become \xNN, \uNNNN or \UNNNNNNNN.
void append_escaped(std::string& out, std::string_view text);

// Appends `text` between quotes as a JSON string. Hidden characters become \uNNNN, beyond U+FFFF two of them.
// Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends the base64 of `bytes`, with padding.
void append_base64(std::string& out, Bytes bytes);

}  // namespace sfkit
