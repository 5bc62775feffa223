#include "base/regex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sfkit {
namespace {

bool matches(std::string_view expression, std::string_view text) {
  auto regex = Regex::compile(expression);
  EXPECT_TRUE(regex.is_ok()) << regex.status().message();
  return regex.is_ok() && regex.value().matches(text);
}

TEST(Regex, MustMatchTheWholeText) {
  EXPECT_TRUE(matches("abc", "abc"));
  EXPECT_FALSE(matches("abc", "abcd"));
  EXPECT_FALSE(matches("abc", "ab"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_TRUE(matches("^abc$", "abc"));
  EXPECT_FALSE(matches("a^b", "ab"));
}

TEST(Regex, SupportsRepetitionsAndAlternatives) {
  EXPECT_TRUE(matches("a*", ""));
  EXPECT_TRUE(matches("a*", "aaaa"));
  EXPECT_FALSE(matches("a+", ""));
  EXPECT_TRUE(matches("ab?c", "ac"));
  EXPECT_TRUE(matches("a{2,3}", "aaa"));
  EXPECT_FALSE(matches("a{2,3}", "aaaa"));
  EXPECT_FALSE(matches("a{2}", "a"));
  EXPECT_TRUE(matches("a{2,}", "aaaaa"));
  EXPECT_TRUE(matches("(ab|cd)+x|y", "abcdx"));
  EXPECT_TRUE(matches("(ab|cd)+x|y", "y"));
  EXPECT_TRUE(matches("(?:a|b){3}", "aba"));
  EXPECT_TRUE(matches("a+?b*?", "aab"));
  EXPECT_TRUE(matches("(a|b|)c", "c"));
  EXPECT_TRUE(matches("a{,2}", "a{,2}")) << "no bounds, so the brace is literal";
  EXPECT_TRUE(matches("a{2", "a{2")) << "incomplete bounds are literal";
  EXPECT_FALSE(Regex::compile("{2}").is_ok());
}

TEST(Regex, SupportsSetsAndClasses) {
  EXPECT_TRUE(matches("[a-c]x[^0-9]", "bx!"));
  EXPECT_FALSE(matches("[a-c]x[^0-9]", "bx5"));
  EXPECT_TRUE(matches("[]a]+", "]a"));
  EXPECT_TRUE(matches("[a-]+", "a-a"));
  EXPECT_TRUE(matches("[[:digit:][:upper:]]+", "A1"));
  EXPECT_TRUE(matches("\\d+\\.\\w\\s\\S", "12.a !"));
  EXPECT_FALSE(matches("\\D", "1"));
  EXPECT_TRUE(matches("\\x41\\n", "A\n"));
  EXPECT_TRUE(matches("/home/.+/\\.ssh/.*", "/home/ana/.ssh/id"));
  EXPECT_FALSE(matches(".", "\n"));
  EXPECT_TRUE(matches("(?i)AbC[x-z]", "aBcY"));
}

TEST(Regex, SupportsExtensionsToPosix) {
  const auto is_posix = [](std::string_view expression) {
    return Regex::compile(expression, Regex::Syntax::kPosix).is_ok();
  };
  for (const char* expression : {"a+[[:digit:]]{2,}|^(b|c)*$", "a\\.b", "a*?", "a{2"})
    EXPECT_TRUE(is_posix(expression)) << expression;
  for (const char* expression : {"\\d", "\\W", "(?:a)", "(?i)a", "(?P<x>a)"})
    EXPECT_FALSE(is_posix(expression)) << expression;
}

TEST(Regex, TakesLinearTime) {
  const std::string text(20000, 'a');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(matches("(a*)*b", text));
  EXPECT_FALSE(matches("(a|aa)+$b", text));
  EXPECT_FALSE(matches("a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaaaaaaab", text));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace sfkit
