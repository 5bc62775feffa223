#include "base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace sfkit {
namespace {

TEST(Glob, MatchesTheWholeText) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("/etc/*", "/etc/a/b")) << "a star crosses slashes";
  EXPECT_FALSE(glob_matches("/etc", "/etc/a"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
  EXPECT_FALSE(glob_matches("a?c", "ac"));
  EXPECT_TRUE(glob_matches("*.so*", "libc.so.6"));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbY"));
}

TEST(Glob, SupportsSetsAndEscapes) {
  EXPECT_TRUE(glob_matches("[a-c]1", "b1"));
  EXPECT_FALSE(glob_matches("[!a-c]1", "b1"));
  EXPECT_TRUE(glob_matches("[^a]", "b"));
  EXPECT_TRUE(glob_matches("[]]", "]"));
  EXPECT_TRUE(glob_matches("\\*", "*"));
  EXPECT_FALSE(glob_matches("\\*", "a"));
  EXPECT_TRUE(glob_matches("[abc", "[abc")) << "a bracket that is never closed is literal";
  EXPECT_TRUE(glob_matches("/TMP/[A-Z]", "/tmp/b", true));
  EXPECT_FALSE(glob_matches("/TMP/*", "/tmp/b"));
}

TEST(Glob, TimeIsBoundedByPatternTimesText) {
  const std::string text(20000, 'a');
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*a*b", text));
}

}  // namespace
}  // namespace sfkit
