#include "live/live_input.h"

#include <algorithm>
#include <cstring>

namespace sfkit::live {

void LiveInput::fill(size_t want) {
  if (ended_) return;
  const size_t kept = window_.size();
  size_t end = kept;
  if (kept > 0) std::memmove(buffer_.data(), window_.data(), kept);
  while (end < want && !ended_) {
    if (buffer_.size() < end + kReadSize) buffer_.resize(std::max(end + kReadSize, 4 * kReadSize));
    const size_t got = capture_->read(buffer_.data() + end, buffer_.size() - end);
    if (got == 0) ended_ = true;
    end += got;
  }
  window_ = Bytes(buffer_.data(), end);
  failure_ = capture_->recording_failure();
}

}  // namespace sfkit::live
