#include "base/hash.h"

#include <cstring>
#include <random>

namespace sfkit {
namespace {

uint64_t random_odd() {
  std::random_device device;
  return (uint64_t{device()} << 32 | device()) | 1;
}

template <typename Word>
uint64_t word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// A text of less than 8 bytes as one word. Different texts of equal length have different words.
uint64_t short_word(const char* at, size_t size) {
  if (size >= 4) return word_at<uint32_t>(at) << 32 | word_at<uint32_t>(at + size - 4);
  if (size == 0) return 0;
  const auto byte = [at](size_t place) { return uint64_t{static_cast<uint8_t>(at[place])}; };
  return byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1);
}

}  // namespace

const HashSeed kHashSeed = {random_odd(), random_odd()};

uint64_t hash_text(std::string_view text) {
  const char* at = text.data();
  const size_t size = text.size();
  if (size < 8) return mix_words(size, short_word(at, size));
  // The length is hashed too: else a chosen first word could cancel a different length.
  uint64_t hash = hash_number(size);
  const char* const last = at + size - 8;
  for (; last - at > 8; at += 16) {
    hash = fold(hash ^ word_at<uint64_t>(at) ^ kHashSeed.first,
                word_at<uint64_t>(at + 8) ^ kHashSeed.second);
  }
  if (last > at) hash = mix_words(hash, word_at<uint64_t>(at));
  // A partial last word is completed with bytes that were already hashed.
  return mix_words(hash, word_at<uint64_t>(last));
}

}  // namespace sfkit
