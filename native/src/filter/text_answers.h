// Answers that depend on one text alone, kept for texts that were met before: captures repeat the names of
// their processes and files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::filter {

class TextAnswers {
 public:
  // Longer texts are not kept.
  static constexpr size_t kMaxText = 1024;

  // For so many conditions and at most so many texts.
  TextAnswers(uint32_t conditions, size_t most_texts);

  // What follows is about this text, which takes the place of another one if it is new.
  void look_at(std::string_view text);

  // Whether the condition holds for the text, which `ask(std::string_view)` says the first time.
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
  size_t words_;  // of bits, for each text
  size_t slot_ = 0;
  // One for each text, which has the place that its hash says.
  std::vector<std::string> texts_;
  std::vector<uint64_t> known_;
  std::vector<uint64_t> holds_;
};

}  // namespace sfkit::filter
