#include "scap/event.h"

namespace sfkit::scap {

bool EventView::many_lengths_fit() const {
  uint64_t total = count_ * width();
  if (total > body_.size()) return false;
  for (uint32_t i = 0; i < count_; ++i) total += length_at(i);
  return total <= body_.size();
}

bool EventView::hide_params() {
  starts_.fill(0);
  known_ = kMaxParams;
  return false;
}

void EventView::find_params(uint32_t index) const {
  if (known_ == 0) starts_[0] = count_ * static_cast<uint32_t>(width());
  for (; known_ <= index; ++known_)
    starts_[known_ + 1] = starts_[known_] + static_cast<uint32_t>(length_at(known_));
}

std::string_view to_text(Bytes value) {
  std::string_view text = value.text();
  text = text.substr(0, text.find('\0'));
  return text == "(NULL)" ? std::string_view() : text;
}

}  // namespace sfkit::scap
