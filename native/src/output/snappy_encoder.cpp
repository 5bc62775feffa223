#include "output/snappy_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "output/varint.h"

namespace sfkit::output {

namespace {

// Copies reach back at most as far as two bytes can say.
constexpr size_t kFragment = size_t{1} << 16;
constexpr unsigned kMaxTableBits = 14;
constexpr unsigned kMinTableBits = 8;
constexpr size_t kMinMatch = 4;
// Shorter fragments are not worth a search.
constexpr size_t kMinFragment = 16;

constexpr uint8_t kCopyOneByte = 1;
constexpr uint8_t kCopyTwoBytes = 2;

uint8_t* put_literal(const uint8_t* from, size_t size, uint8_t* to) {
  if (size == 0) return to;
  const size_t last = size - 1;
  if (last < 60) {
    *to++ = static_cast<uint8_t>(last << 2);
  } else if (last < 256) {
    *to++ = 60 << 2;
    *to++ = static_cast<uint8_t>(last);
  } else {
    *to++ = 61 << 2;
    *to++ = static_cast<uint8_t>(last);
    *to++ = static_cast<uint8_t>(last >> 8);
  }
  std::memcpy(to, from, size);
  return to + size;
}

uint8_t* put_long_copy(size_t offset, size_t size, uint8_t* to) {
  *to++ = static_cast<uint8_t>((size - 1) << 2 | kCopyTwoBytes);
  *to++ = static_cast<uint8_t>(offset);
  *to++ = static_cast<uint8_t>(offset >> 8);
  return to;
}

uint8_t* put_copy(size_t offset, size_t size, uint8_t* to) {
  // At most 64 bytes a copy, and at least 4 in the last one.
  for (; size >= 68; size -= 64) to = put_long_copy(offset, 64, to);
  if (size > 64) {
    to = put_long_copy(offset, 60, to);
    size -= 60;
  }
  if (size >= 12 || offset >= 2048) return put_long_copy(offset, size, to);
  *to++ = static_cast<uint8_t>((offset >> 8) << 5 | (size - 4) << 2 | kCopyOneByte);
  *to++ = static_cast<uint8_t>(offset);
  return to;
}

size_t match_size(const uint8_t* a, const uint8_t* b, const uint8_t* end) {
  const uint8_t* const start = b;
  while (end - b >= 8) {
    const auto differing = load_at<uint64_t>(a) ^ load_at<uint64_t>(b);
    if (differing != 0) return static_cast<size_t>(b - start) + std::countr_zero(differing) / 8u;
    a += 8;
    b += 8;
  }
  while (b < end && *a == *b) ++a, ++b;
  return static_cast<size_t>(b - start);
}

// The last place of each hash of four bytes, from the start of the fragment.
using Places = std::array<uint16_t, size_t{1} << kMaxTableBits>;

uint8_t* compress_fragment(Bytes in, Places& places, uint8_t* to) {
  const uint8_t* const base = in.data();
  const uint8_t* const end = base + in.size();
  const uint8_t* literal = base;
  if (in.size() >= kMinFragment) {
    const unsigned bits =
        std::clamp(static_cast<unsigned>(std::bit_width(in.size())), kMinTableBits, kMaxTableBits);
    std::fill_n(places.begin(), size_t{1} << bits, uint16_t{0});
    const auto hash = [bits](uint32_t word) { return word * 0x1e35a7bdu >> (32 - bits); };
    const uint8_t* const last = end - kMinMatch;
    uint32_t misses = 0;
    for (const uint8_t* at = base + 1; at <= last;) {
      const auto word = load_at<uint32_t>(at);
      uint16_t& place = places[hash(word)];
      const uint8_t* const candidate = base + place;
      place = static_cast<uint16_t>(at - base);
      if (load_at<uint32_t>(candidate) != word) {
        // Bytes that do not repeat are passed faster and faster.
        at += 1 + (misses++ >> 5);
        continue;
      }
      misses = 0;
      to = put_literal(literal, static_cast<size_t>(at - literal), to);
      const size_t size = kMinMatch + match_size(candidate + kMinMatch, at + kMinMatch, end);
      to = put_copy(static_cast<size_t>(at - candidate), size, to);
      at += size;
      literal = at;
      if (at <= last) {
        places[hash(load_at<uint32_t>(at - 1))] = static_cast<uint16_t>(at - 1 - base);
      }
    }
  }
  return put_literal(literal, static_cast<size_t>(end - literal), to);
}

}  // namespace

void snappy_compress(Bytes in, ByteBuffer& out) {
  put_varint(out, in.size());
  Places places;
  for (size_t at = 0; at < in.size(); at += kFragment) {
    const Bytes fragment = in.slice(at, kFragment);
    // Every copy is at most as long as what it replaces; literals add three bytes each at most, and
    // are either the last one or have a copy of four bytes or more after them.
    uint8_t* const to = out.reserve(fragment.size() + fragment.size() / 4 + 16);
    out.advance(static_cast<size_t>(compress_fragment(fragment, places, to) - to));
  }
}

}  // namespace sfkit::output
