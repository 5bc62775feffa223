#include "filter/text_answers.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"

namespace sfkit::filter {
namespace {

constexpr size_t kMaxWords = size_t{1} << 17;

}  // namespace

TextAnswers::TextAnswers(uint32_t conditions, size_t max_texts) : words_((conditions + 63) / 64) {
  const size_t texts = std::bit_floor(std::max<size_t>(std::min(max_texts, kMaxWords / words_), 1));
  texts_.resize(texts);
  known_.resize(texts * words_);
  holds_.resize(texts * words_);
}

void TextAnswers::look_at(std::string_view text) {
  // Most events have the same process or file as the previous one.
  if (texts_[slot_] == text) return;
  slot_ = hash_text(text) & (texts_.size() - 1);
  if (texts_[slot_] == text) return;
  texts_[slot_].assign(text);
  std::fill_n(known_.begin() + static_cast<std::ptrdiff_t>(slot_ * words_), words_, 0);
  std::fill_n(holds_.begin() + static_cast<std::ptrdiff_t>(slot_ * words_), words_, 0);
}

}  // namespace sfkit::filter
