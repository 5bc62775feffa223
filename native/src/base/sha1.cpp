#include "base/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sfkit {

namespace {

uint32_t load_big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

void Sha1::compress(const uint8_t* block) {
  std::array<uint32_t, 16> words;
  for (size_t i = 0; i < 16; ++i) words[i] = load_big_endian(block + 4 * i);
  uint32_t a = state_[0], b = state_[1], c = state_[2], d = state_[3], e = state_[4];

  // The message schedule needs only the last 16 words, so a ring holds them.
  const auto word = [&words](size_t i) {
    if (i < 16) return words[i];
    uint32_t& slot = words[i & 15];
    slot = std::rotl(words[(i + 13) & 15] ^ words[(i + 8) & 15] ^ words[(i + 2) & 15] ^ slot, 1);
    return slot;
  };
  const auto step = [&](uint32_t mix, uint32_t constant, size_t i) {
    const uint32_t next = std::rotl(a, 5) + mix + e + constant + word(i);
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  };
  for (size_t i = 0; i < 20; ++i) step(d ^ (b & (c ^ d)), 0x5A827999, i);
  for (size_t i = 20; i < 40; ++i) step(b ^ c ^ d, 0x6ED9EBA1, i);
  for (size_t i = 40; i < 60; ++i) step((b & c) | (d & (b | c)), 0x8F1BBCDC, i);
  for (size_t i = 60; i < 80; ++i) step(b ^ c ^ d, 0xCA62C1D6, i);

  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
  state_[4] += e;
}

void Sha1::update(Bytes bytes) {
  const uint8_t* from = bytes.data();
  size_t left = bytes.size();
  const size_t filled = size_ % 64;
  size_ += left;
  if (filled != 0) {
    const size_t count = std::min(left, 64 - filled);
    if (count != 0) std::memcpy(pending_.data() + filled, from, count);
    from += count;
    left -= count;
    if (filled + count < 64) return;
    compress(pending_.data());
  }
  for (; left >= 64; from += 64, left -= 64) compress(from);
  if (left != 0) std::memcpy(pending_.data(), from, left);
}

Sha1::Digest Sha1::finish() {
  const uint64_t bits = size_ * 8;
  size_t filled = size_ % 64;
  pending_[filled++] = 0x80;
  if (filled > 56) {
    std::fill(pending_.begin() + filled, pending_.end(), 0);
    compress(pending_.data());
    filled = 0;
  }
  std::fill(pending_.begin() + filled, pending_.begin() + 56, 0);
  for (size_t i = 0; i < 8; ++i) pending_[56 + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  compress(pending_.data());

  Digest digest;
  for (size_t i = 0; i < 20; ++i)
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

Sha1::Digest sha1(std::string_view a, std::string_view b) {
  Sha1 hash;
  hash.update(a);
  hash.update(b);
  return hash.finish();
}

}  // namespace sfkit
