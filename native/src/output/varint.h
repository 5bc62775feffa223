// Numbers of variable length: seven bits a byte, the lowest first.
#pragma once

#include <cstdint>

#include "base/byte_buffer.h"

namespace sfkit::output {

inline void put_varint(ByteBuffer& out, uint64_t number) {
  uint8_t* const to = out.reserve(10);
  size_t size = 0;
  for (; number >= 0x80; number >>= 7) to[size++] = static_cast<uint8_t>(number | 0x80);
  to[size++] = static_cast<uint8_t>(number);
  out.advance(size);
}

// Maps numbers of either sign so that small ones stay small.
constexpr uint64_t zigzag(int64_t number) {
  return static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63);
}

}  // namespace sfkit::output
