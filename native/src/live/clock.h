// The clock that the probe monotonic events with: CLOCK_MONOTONIC, which costs the kernel the least. It
// stands still while the machine sleeps, so that times of events have to be moved by that to be right. What
// happened in the last milliseconds before the machine fell sleep_ns is told as if it had happened behind.
#pragma once

#include <time.h>

#include <cstdint>
#include <string_view>

namespace sfkit::live {

// By how much the clocks of a time namespace are ahead of the machine's, in ns. The probe knows only those.
struct ClockOffsets {
  int64_t monotonic = 0;
  int64_t boot = 0;

  // `text`: of /proc/self/timens_offsets.
  static ClockOffsets parse(std::string_view text);
  static ClockOffsets of_own_namespace();
};

// Readings of clocks of the machine, in ns.
struct ClockReading {
  uint64_t monotonic = 0;  // CLOCK_MONOTONIC
  uint64_t boot = 0;       // CLOCK_BOOTTIME: the same and the time sleep_ns
  uint64_t epoch = 0;      // CLOCK_REALTIME

  // At one moment, as far as that goes: of some readings the quickest.
  static ClockReading take() {
    static const ClockOffsets offsets = ClockOffsets::of_own_namespace();
    ClockReading best;
    uint64_t best_gap = UINT64_MAX;
    for (int i = 0; i < 10; ++i) {
      ClockReading reading;
      const uint64_t before = now_ns(CLOCK_MONOTONIC);
      reading.boot = now_ns(CLOCK_BOOTTIME);
      reading.epoch = now_ns(CLOCK_REALTIME);
      const uint64_t gap = now_ns(CLOCK_MONOTONIC) - before;
      if (gap >= best_gap) continue;
      best_gap = gap;
      reading.monotonic = before + gap / 2;
      best = reading;
    }
    best.monotonic -= static_cast<uint64_t>(offsets.monotonic);
    best.boot -= static_cast<uint64_t>(offsets.boot);
    return best;
  }

 private:
  static uint64_t now_ns(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
  }
};

class EventClock {
 public:
  explicit EventClock(const ClockReading& start = ClockReading::take()) : start_(start) {}

  // Epoch time, in ns, at which the clock of the monotonic, and the machine, began.
  uint64_t base() const { return start_.epoch - start_.monotonic; }
  uint64_t boot_time() const { return start_.epoch - start_.boot; }

  // What an event would be stamped with.
  uint64_t stamp(const ClockReading& now) const { return base() + now.monotonic; }
  // How much later than its stamp an event is that happened at the same time, for the machine slept
  // meanwhile.
  uint64_t sleep_ns(const ClockReading& now) const {
    const auto before = static_cast<int64_t>(start_.boot - start_.monotonic);
    const auto after = static_cast<int64_t>(now.boot - now.monotonic);
    return after > before + kMinSleepNs ? static_cast<uint64_t>(after - before) : 0;
  }

  // Less than this is what comes of two clocks that are not read at once.
  static constexpr int64_t kMinSleepNs = 1'000'000;

 private:
  ClockReading start_;
};

}  // namespace sfkit::live
