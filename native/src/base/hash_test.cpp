#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <unordered_map>

namespace sfkit {
namespace {

TEST(Hash, EveryByteAndTheLengthMatter) {
  std::set<uint64_t> seen;
  size_t texts = 0;
  for (size_t size = 0; size <= 70; ++size) {
    std::string text(size, '\0');
    seen.insert(hash_text(text));
    ++texts;
    for (size_t place = 0; place < size; ++place) {
      for (const char byte : {'\x01', '\x80'}) {
        text[place] = byte;
        seen.insert(hash_text(text));
        ++texts;
      }
      text[place] = '\0';
    }
  }
  EXPECT_EQ(seen.size(), texts);
}

TEST(Hash, TextsShorterThanAWordAllDiffer) {
  std::set<uint64_t> seen;
  for (uint32_t number = 0; number < 1u << 16; ++number) {
    for (const size_t size : {2, 3, 4, 7}) {
      std::string text(size, 'x');
      text[0] = static_cast<char>(number & 0xff);
      text[size - 1] = static_cast<char>(number >> 8);
      seen.insert(hash_text(text));
    }
  }
  EXPECT_EQ(seen.size(), size_t{4} << 16);
}

// Evenly spaced keys are typical of descriptors, ids and crafted input.
TEST(Hash, EvenlySpacedNumbersSpreadOverATable) {
  constexpr size_t kPlaces = 1u << 12;
  for (const uint64_t step : {1ull, 64ull, 4096ull, 131072ull, 1ull << 32, 1ull << 52}) {
    std::unordered_map<uint64_t, int> places;
    for (uint64_t i = 0; i < kPlaces; ++i) ++places[hash_number(i * step) % kPlaces];
    int most = 0;
    for (const auto& [place, count] : places) most = std::max(most, count);
    EXPECT_LT(most, 64) << step;
  }
}

}  // namespace
}  // namespace sfkit
