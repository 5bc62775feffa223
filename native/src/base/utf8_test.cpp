#include "base/utf8.h"

#include <gtest/gtest.h>

namespace sfkit {
namespace {

std::string repaired(std::string_view text) {
  std::string scratch;
  return std::string(valid_utf8(text, scratch));
}

TEST(Utf8, LeavesValidTextInPlace) {
  std::string scratch;
  for (const std::string_view text :
       {std::string_view(""), std::string_view("/usr/bin/env"), std::string_view("a\0b", 3),
        std::string_view("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xED\x9F\xBF \xEE\x80\x80 "
                         "\xF4\x8F\xBF\xBF")}) {
    EXPECT_EQ(valid_utf8(text, scratch).data(), text.data());
    EXPECT_EQ(valid_utf8(text, scratch), text);
  }
}

TEST(Utf8, ReplacesEachBadByte) {
  EXPECT_EQ(repaired("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(repaired("\xE2\x82"
                     "A"),
            "\uFFFD\uFFFD"
            "A");
  EXPECT_EQ(repaired("\xC3"), "\uFFFD");
  EXPECT_EQ(repaired("\xC0\xAF"), "\uFFFD\uFFFD");
  EXPECT_EQ(repaired("\xE0\x80\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(repaired("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(repaired("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(repaired("\xF0\x9F\x98"
                     "\xC3\xA9"),
            "\uFFFD\uFFFD\uFFFD\xC3\xA9");
  EXPECT_EQ(repaired("12345678\x80"
                     "12345678\xC3\xA9"),
            "12345678\uFFFD"
            "12345678\xC3\xA9");
}

}  // namespace
}  // namespace sfkit
