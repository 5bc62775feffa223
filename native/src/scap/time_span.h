// The time range of a capture.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/times.h"
#include "scap/event.h"

namespace sfkit::scap {

// Metaevents of the capture tool have rounded times, 0 or all ones. They count only while there is
// no other event. Times of different CPUs can go back a little.
class TimeSpan {
 public:
  void see(const EventView& event) {
    // Nearly all events: later than those before.
    if (real_ && event.ts >= last_ && is_possible_time(event.ts) &&
        event.info().kind != EventKind::kMetaevent) {
      last_ = event.ts;
      return;
    }
    see_other(event);
  }

  // Nanoseconds since 1970; 0 until an event has a time.
  uint64_t first() const { return first_; }
  uint64_t last() const { return last_; }
  // Time of the first event that is not a metaevent; 0 before it. Unlike first() it never changes.
  uint64_t origin() const { return origin_; }

 private:
  void see_other(const EventView& event) {
    if (event.ts == 0 || !is_possible_time(event.ts)) return;
    const EventKind kind = event.info().kind;
    const bool notice = kind == EventKind::kMetaevent;
    if (notice && real_) return;
    if (!notice && !real_) {
      real_ = true;
      first_ = last_ = origin_ = event.ts;
      return;
    }
    first_ = first_ == 0 ? event.ts : std::min(first_, event.ts);
    last_ = std::max(last_, event.ts);
  }

  uint64_t first_ = 0;
  uint64_t last_ = 0;
  uint64_t origin_ = 0;
  bool real_ = false;
};

}  // namespace sfkit::scap
