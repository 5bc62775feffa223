// Captured bytes on their way into text that people and programs read.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sfkit {

// Appends `text` so that it is one line of valid UTF-8 and cannot steer a terminal: controls (C0, C1, DEL),
// the marks that hide or reorder text, and bytes that are not UTF-8 become \xNN or \uNNNN.
void append_escaped(std::string& out, std::string_view text);

// Appends `text` between quotes as a JSON string. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends the base64 of `bytes`, with padding.
void append_base64(std::string& out, Bytes bytes);

}  // namespace sfkit
