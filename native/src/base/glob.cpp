#include "base/glob.h"

#include <cstddef>

#include "base/ascii.h"

namespace sfkit {
namespace {

// Whether the set that starts with the bracket at `at` holds `character`. Moves `at` to the closing
// bracket. A bracket that is never closed is literal.
bool set_holds(std::string_view pattern, size_t& at, char character, bool ignore_case) {
  const auto fold = [ignore_case](char c) { return ignore_case ? to_lower(c) : c; };
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const size_t first = i;
  bool found = false;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const auto from = static_cast<unsigned char>(fold(pattern[i]));
    auto to = from;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      to = static_cast<unsigned char>(fold(pattern[i + 2]));
      i += 2;
    }
    const auto seen = static_cast<unsigned char>(fold(character));
    if (seen >= from && seen <= to) found = true;
  }
  if (i >= pattern.size()) return character == '[';
  at = i;
  return found != negated;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, bool ignore_case) {
  const auto same = [ignore_case](char a, char b) {
    return ignore_case ? to_lower(a) == to_lower(b) : a == b;
  };
  constexpr size_t kNone = std::string_view::npos;
  size_t p = 0;
  size_t t = 0;
  // Backtracking point: after a mismatch, the last star takes one more character.
  size_t star = kNone;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      size_t end = p;
      bool fits = false;
      if (pattern[p] == '?') {
        fits = true;
      } else if (pattern[p] == '[') {
        fits = set_holds(pattern, end, text[t], ignore_case);
      } else if (pattern[p] == '\\' && p + 1 < pattern.size()) {
        end = p + 1;
        fits = same(pattern[end], text[t]);
      } else {
        fits = same(pattern[p], text[t]);
      }
      if (fits) {
        p = end + 1;
        ++t;
        continue;
      }
    }
    if (star == kNone) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace sfkit
