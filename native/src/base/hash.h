// Hashing for tables within one process. The seed differs from run to run, so that nobody can prepare
// input whose keys collide; nothing that is written may depend on it.
#pragma once

#include <cstdint>
#include <string_view>

namespace sfkit {

uint64_t hash_seed();

// Folds two words into one; the building block of the hashes below.
inline uint64_t mix_words(uint64_t a, uint64_t b) {
  a ^= b * 0x9E3779B97F4A7C15u;
  a = (a ^ (a >> 32)) * 0xD6E8FEB86659FD93u;
  a = (a ^ (a >> 29)) * 0xFF51AFD7ED558CCDu;
  return a ^ (a >> 32);
}

uint64_t hash_text(std::string_view text);

}  // namespace sfkit
