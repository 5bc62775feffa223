// Caches results that depend only on one text: captures repeat the names of processes and files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::filter {

class TextAnswers {
 public:
  // Longer texts are not cached.
  static constexpr size_t kMaxText = 1024;

  // Room for `conditions` results for each of at most `max_texts` texts.
  TextAnswers(uint32_t conditions, size_t max_texts);

  // Selects the text; a new text replaces another one.
  void look_at(std::string_view text);

  // The result of the condition for the selected text; calls `ask(std::string_view)` only the first
  // time.
  template <typename Ask>
  bool holds(uint32_t condition, Ask ask) {
    const size_t word = slot_ * words_ + condition / 64;
    const uint64_t bit = uint64_t{1} << condition % 64;
    if ((known_[word] & bit) == 0) {
      known_[word] |= bit;
      if (ask(std::string_view(texts_[slot_]))) holds_[word] |= bit;
    }
    return (holds_[word] & bit) != 0;
  }

 private:
  size_t words_;  // words of bits per text
  size_t slot_ = 0;
  // Parallel arrays of texts and results, indexed by the text's hash.
  std::vector<std::string> texts_;
  std::vector<uint64_t> known_;
  std::vector<uint64_t> holds_;
};

}  // namespace sfkit::filter
