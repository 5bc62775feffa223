#include "base/escape.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"
#include "text.gen.h"

namespace sfkit {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_byte(std::string& out, uint8_t byte) {
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 0xf];
}

void append_hex(std::string& out, uint32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(value >> shift) & 0xf];
}

void append_code(std::string& out, uint32_t code) {
  if (code < 0x100) {
    append_byte(out, static_cast<uint8_t>(code));
  } else if (code < 0x10000) {
    out += "\\u";
    append_hex(out, code, 4);
  } else {
    out += "\\U";
    append_hex(out, code, 8);
  }
}

void append_json_code(std::string& out, uint32_t code) {
  if (code >= 0x10000) {
    append_json_code(out, 0xd800 + ((code - 0x10000) >> 10));
    code = 0xdc00 + (code & 0x3ff);
  }
  out += "\\u";
  append_hex(out, code, 4);
}

bool is_plain(char character) {
  const auto byte = static_cast<uint8_t>(character);
  return byte >= 0x20 && byte < 0x7f;
}

}  // namespace

bool is_hidden(uint32_t code) {
  const auto* const range = std::lower_bound(
      std::begin(kHidden), std::end(kHidden), code,
      [](const CodePoints& before, uint32_t wanted) { return before.last < wanted; });
  return range != std::end(kHidden) && range->first <= code;
}

void append_escaped(std::string& out, std::string_view text) {
  size_t plain = 0;
  while (plain < text.size() && is_plain(text[plain])) ++plain;
  out.append(text, 0, plain);
  while (plain < text.size()) {
    const std::string_view rest = text.substr(plain);
    if (is_plain(rest[0])) {
      out += rest[0];
      ++plain;
      continue;
    }
    const Utf8Character character = decode_utf8(rest);
    if (character.size == 0) {
      append_byte(out, static_cast<uint8_t>(rest[0]));
      ++plain;
      continue;
    }
    if (is_hidden(character.code)) {
      append_code(out, character.code);
    } else {
      out.append(rest, 0, character.size);
    }
    plain += character.size;
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t from = 0;
  for (size_t at = 0; at < text.size();) {
    const char byte = text[at];
    if (is_plain(byte) && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    out.append(text, from, at - from);
    const auto value = static_cast<uint8_t>(byte);
    size_t size = 1;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += byte;
    } else if (value <= 0x7f) {
      append_json_code(out, value);
    } else if (const Utf8Character character = decode_utf8(text.substr(at)); character.size == 0) {
      out += "\xef\xbf\xbd";
    } else {
      size = character.size;
      if (is_hidden(character.code)) {
        append_json_code(out, character.code);
      } else {
        out.append(text, at, size);
      }
    }
    at += size;
    from = at;
  }
  out.append(text, from);
  out += '"';
}

void append_base64(std::string& out, Bytes bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < bytes.size(); at += 3) {
    // Reads past the end yield zeros.
    const uint32_t group = uint32_t{bytes[at]} << 16 | uint32_t{bytes[at + 1]} << 8 | bytes[at + 2];
    const size_t left = bytes.size() - at;
    out += kDigits[group >> 18];
    out += kDigits[(group >> 12) & 0x3f];
    out += left > 1 ? kDigits[(group >> 6) & 0x3f] : '=';
    out += left > 2 ? kDigits[group & 0x3f] : '=';
  }
}

}  // namespace sfkit
