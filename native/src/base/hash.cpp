#include "base/hash.h"

#include <cstring>
#include <random>

namespace sfkit {
namespace {

uint64_t random_odd() {
  std::random_device device;
  return (uint64_t{device()} << 32 | device()) | 1;
}

uint64_t word_at(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

}  // namespace

const HashSeed kHashSeed = {random_odd(), random_odd()};

uint64_t hash_text(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = left;
  for (; left >= 16; at += 16, left -= 16)
    hash = fold(hash ^ word_at(at) ^ kHashSeed.first, word_at(at + 8) ^ kHashSeed.second);
  if (left >= 8) {
    hash = mix_words(hash, word_at(at));
    at += 8;
    left -= 8;
  }
  uint64_t word = 0;
  if (left != 0) std::memcpy(&word, at, left);
  return mix_words(hash, word);
}

}  // namespace sfkit
