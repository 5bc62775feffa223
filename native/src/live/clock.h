// The clock of event timestamps. The probe reads CLOCK_MONOTONIC, the cheapest clock in the kernel.
// It stops during suspend, so the reader adds the suspend time. Events from the last milliseconds
// before a suspend may get a time after it.
#pragma once

#include <time.h>

#include <cstdint>
#include <string_view>

namespace sfkit::live {

// Offsets of a time namespace from the host's clocks, in ns. The probe sees host time.
struct ClockOffsets {
  int64_t monotonic = 0;
  int64_t boot = 0;

  // `text`: content of /proc/self/timens_offsets.
  static ClockOffsets parse(std::string_view text);
  static ClockOffsets of_own_namespace();
};

// Host clocks read at the same moment, in ns.
struct ClockReading {
  uint64_t monotonic = 0;  // CLOCK_MONOTONIC
  uint64_t boot = 0;       // CLOCK_BOOTTIME: CLOCK_MONOTONIC plus suspend time
  uint64_t epoch = 0;      // CLOCK_REALTIME

  // Reads the clocks several times and keeps the fastest reading.
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

  // Epoch time, in ns, when the monotonic clock started and when the machine booted.
  uint64_t base() const { return start_.epoch - start_.monotonic; }
  uint64_t boot_time() const { return start_.epoch - start_.boot; }

  // The timestamp that an event would get at `now`.
  uint64_t stamp(const ClockReading& now) const { return base() + now.monotonic; }
  // Suspend time since the start, in ns. Add it to timestamps of events at `now`.
  uint64_t sleep_ns(const ClockReading& now) const {
    const auto before = static_cast<int64_t>(start_.boot - start_.monotonic);
    const auto after = static_cast<int64_t>(now.boot - now.monotonic);
    return after > before + kMinSleepNs ? static_cast<uint64_t>(after - before) : 0;
  }

  // Smaller differences come from reading two clocks one after the other.
  static constexpr int64_t kMinSleepNs = 1'000'000;

 private:
  ClockReading start_;
};

}  // namespace sfkit::live
