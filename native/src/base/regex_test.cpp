#include "base/regex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sfkit {
namespace {

bool fits(std::string_view expression, std::string_view text) {
  auto regex = Regex::compile(expression);
  EXPECT_TRUE(regex.is_ok()) << regex.status().message();
  return regex.is_ok() && regex.value().matches(text);
}

TEST(Regex, MustFitTheWholeText) {
  EXPECT_TRUE(fits("abc", "abc"));
  EXPECT_FALSE(fits("abc", "abcd"));
  EXPECT_FALSE(fits("abc", "ab"));
  EXPECT_TRUE(fits("", ""));
  EXPECT_FALSE(fits("", "a"));
  EXPECT_TRUE(fits("^abc$", "abc"));
  EXPECT_FALSE(fits("a^b", "ab"));
}

TEST(Regex, RepeatsAndChooses) {
  EXPECT_TRUE(fits("a*", ""));
  EXPECT_TRUE(fits("a*", "aaaa"));
  EXPECT_FALSE(fits("a+", ""));
  EXPECT_TRUE(fits("ab?c", "ac"));
  EXPECT_TRUE(fits("a{2,3}", "aaa"));
  EXPECT_FALSE(fits("a{2,3}", "aaaa"));
  EXPECT_FALSE(fits("a{2}", "a"));
  EXPECT_TRUE(fits("a{2,}", "aaaaa"));
  EXPECT_TRUE(fits("(ab|cd)+x|y", "abcdx"));
  EXPECT_TRUE(fits("(ab|cd)+x|y", "y"));
  EXPECT_TRUE(fits("(?:a|b){3}", "aba"));
  EXPECT_TRUE(fits("a+?b*?", "aab"));
  EXPECT_TRUE(fits("(a|b|)c", "c"));
  EXPECT_TRUE(fits("a{,2}", "a{,2}")) << "no bounds, so a brace stands for itself";
  EXPECT_TRUE(fits("a{2", "a{2")) << "nor are these";
  EXPECT_FALSE(Regex::compile("{2}").is_ok());
}

TEST(Regex, KnowsSetsAndClasses) {
  EXPECT_TRUE(fits("[a-c]x[^0-9]", "bx!"));
  EXPECT_FALSE(fits("[a-c]x[^0-9]", "bx5"));
  EXPECT_TRUE(fits("[]a]+", "]a"));
  EXPECT_TRUE(fits("[a-]+", "a-a"));
  EXPECT_TRUE(fits("[[:digit:][:upper:]]+", "A1"));
  EXPECT_TRUE(fits("\\d+\\.\\w\\s\\S", "12.a !"));
  EXPECT_FALSE(fits("\\D", "1"));
  EXPECT_TRUE(fits("\\x41\\n", "A\n"));
  EXPECT_TRUE(fits("/home/.+/\\.ssh/.*", "/home/ana/.ssh/id"));
  EXPECT_FALSE(fits(".", "\n"));
  EXPECT_TRUE(fits("(?i)AbC[x-z]", "aBcY"));
}

TEST(Regex, KnowsWhatPosixHasNot) {
  const auto is_posix = [](std::string_view expression) {
    return Regex::compile(expression, Regex::Syntax::kPosix).is_ok();
  };
  for (const char* expression : {"a+[[:digit:]]{2,}|^(b|c)*$", "a\\.b", "a*?", "a{2"})
    EXPECT_TRUE(is_posix(expression)) << expression;
  for (const char* expression : {"\\d", "\\W", "(?:a)", "(?i)a", "(?P<x>a)"})
    EXPECT_FALSE(is_posix(expression)) << expression;
}

TEST(Regex, TakesTimeInProportionToTheText) {
  const std::string text(20000, 'a');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(fits("(a*)*b", text));
  EXPECT_FALSE(fits("(a|aa)+$b", text));
  EXPECT_FALSE(fits("a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaaaaaaab", text));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace sfkit
