#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace sfkit {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the ASCII run at `at`; checks eight bytes at a time.
size_t ascii_run(std::string_view text, size_t at) {
  const size_t from = at;
  while (text.size() - at >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & 0x8080808080808080u) != 0) break;
    at += sizeof(word);
  }
  while (at < text.size() && static_cast<uint8_t>(text[at]) < 0x80) ++at;
  return at - from;
}

// Length of the valid multi-byte sequence at `at`, or 0.
size_t sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) -> uint8_t {
    return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : 0;
  };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

// Length of the valid prefix.
size_t valid_run(std::string_view text) {
  size_t at = 0;
  while (true) {
    at += ascii_run(text, at);
    const size_t length = at < text.size() ? sequence_length(text, at) : 0;
    if (length == 0) return at;
    at += length;
  }
}

}  // namespace

Utf8Character decode_utf8(std::string_view text) {
  if (text.empty()) return {};
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t size = sequence_length(text, 0);
  if (size == 0) return {};
  uint32_t code = lead & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3Fu);
  return {code, size};
}

bool is_utf8(std::string_view text) {
  return valid_run(text) == text.size();
}

std::string_view valid_utf8(std::string_view text, std::string& scratch) {
  size_t at = valid_run(text);
  if (at == text.size()) return text;
  scratch.assign(text.substr(0, at));
  while (at < text.size()) {
    size_t length = ascii_run(text, at);
    if (length == 0) length = sequence_length(text, at);
    if (length == 0) {
      scratch += kReplacement;
      ++at;
    } else {
      scratch += text.substr(at, length);
      at += length;
    }
  }
  return scratch;
}

}  // namespace sfkit
