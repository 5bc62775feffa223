// Seeded hashing for tables within one process. The seed changes with every run, so that nobody can
// prepare colliding input. No output may depend on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sfkit {

// Odd random words, drawn at process start.
struct HashSeed {
  uint64_t first;
  uint64_t second;
};
extern const HashSeed kHashSeed;

// The 128-bit product, folded: each result bit depends on both words.
inline uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Adds a word to a hash. The seed is mixed in with every word, so words that collide under one seed
// do not collide under another.
inline uint64_t mix_words(uint64_t hash, uint64_t word) {
  return fold(hash ^ kHashSeed.first, word ^ kHashSeed.second);
}

inline uint64_t hash_number(uint64_t number) {
  return fold(number ^ kHashSeed.first, kHashSeed.second);
}

uint64_t hash_text(std::string_view text);

// Hash functions for standard containers.
struct NumberHash {
  size_t operator()(uint64_t number) const { return hash_number(number); }
};
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return hash_text(text); }
};

}  // namespace sfkit
