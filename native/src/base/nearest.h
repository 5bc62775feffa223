// Which known word somebody who mistyped most likely meant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace sfkit {

// Letters to add, drop or replace to get from one word to the other.
inline size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  for (size_t i = 0; i < row.size(); ++i) row[i] = i;
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t replace = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The closest of `words`, "" when none is close. Words longer than any that is known are not looked at.
template <typename Words>
std::string_view nearest(std::string_view word, const Words& words) {
  constexpr size_t kLongestWord = 64;
  std::string_view best;
  if (word.size() > kLongestWord) return best;
  size_t limit = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : words) {
    if (const size_t distance = edit_distance(word, candidate); distance < limit) {
      best = candidate;
      limit = distance;
    }
  }
  return best;
}

}  // namespace sfkit
