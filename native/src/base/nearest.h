// Suggestions for mistyped words.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace sfkit {

// Levenshtein distance: letters added, dropped or replaced.
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

// The closest of `words`; "" if none is close. Overlong words get no suggestion.
template <typename Words>
std::string_view nearest(std::string_view word, const Words& words) {
  constexpr size_t kMaxWordLength = 64;
  std::string_view best;
  if (word.size() > kMaxWordLength) return best;
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
