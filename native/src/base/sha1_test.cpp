#include "base/sha1.h"

#include <gtest/gtest.h>

#include <string>

namespace sfkit {
namespace {

std::string hex(const Sha1::Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

TEST(Sha1, MatchesPublishedVectors) {
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(hex(sha1(std::string(1000000, 'a'))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Sha1, PartsHashLikeTheWhole) {
  const std::string text =
      "The quick brown fox jumps over the lazy dog, and then once more over the lazy dog, to fill "
      "two blocks "
      "of it.";
  const std::string whole = hex(sha1(text));
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(hex(sha1(std::string_view(text).substr(0, cut), std::string_view(text).substr(cut))),
              whole)
        << cut;
  }
  Sha1 hash;
  for (const char letter : text) hash.update(std::string_view(&letter, 1));
  EXPECT_EQ(hex(hash.finish()), whole);
}

// Lengths near the padding limit need one or two final blocks.
TEST(Sha1, PadsAroundTheBlockEdge) {
  EXPECT_EQ(hex(sha1(std::string(55, 'a'))), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  EXPECT_EQ(hex(sha1(std::string(56, 'a'))), "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  EXPECT_EQ(hex(sha1(std::string(64, 'a'))), "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

}  // namespace
}  // namespace sfkit
