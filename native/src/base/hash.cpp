#include "base/hash.h"

#include <cstring>
#include <random>

namespace sfkit {

uint64_t hash_seed() {
  static const uint64_t seed = [] {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }();
  return seed;
}

uint64_t hash_text(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = hash_seed() ^ left;
  uint64_t word = 0;
  for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
    std::memcpy(&word, at, sizeof(word));
    hash = mix_words(hash, word);
  }
  word = 0;
  if (left != 0) std::memcpy(&word, at, left);
  return mix_words(hash, word);
}

}  // namespace sfkit
