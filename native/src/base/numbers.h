// Appends numbers as text, without temporary strings.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>

namespace sfkit {

template <std::integral T>
void append_number(std::string& out, T value, int base = 10) {
  char digits[66];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value, base).ptr;
  out.append(digits, end);
}

// Uppercase without a prefix, as other tools of this field print addresses.
inline void append_hex(std::string& out, uint64_t value) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 0xf];
}

// At least `width` digits, padded with zeros.
inline void append_padded(std::string& out, uint64_t value, int width) {
  char digits[20];
  for (int i = width - 1; i >= 0; --i, value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<size_t>(width));
}

}  // namespace sfkit
