// Looks up the paths of opens of which the probe says that they do not end with the name of the opened file
// (probe/files.h): where a symbolic link led to the file, the path leads there still.
#pragma once

#include <cstdint>

namespace sfkit::live {

// For one thread.
class PathCheck {
 public:
  // `max_lookups`: paths that are looked up in a second.
  explicit PathCheck(uint32_t max_lookups = kMaxLookupsPerSecond) : max_lookups_(max_lookups) {}

  // Takes the mark of the probe from an event whose path leads to its file. `event`: header and parameters;
  // `now` in ns, for the limit.
  void check(uint8_t* event, uint32_t size, uint64_t now) {
    if (is_marked(event, size)) look_up(event, size, now);
  }
  // Events that kept the mark.
  uint64_t doubtful() const { return doubtful_; }

 private:
  static constexpr uint32_t kMaxLookupsPerSecond = 500;
  static constexpr uint64_t kPeriodNs = 1'000'000'000;

  static bool is_marked(const uint8_t* event, uint32_t size);
  void look_up(uint8_t* event, uint32_t size, uint64_t now);
  bool may_look_up(uint64_t now);

  uint32_t max_lookups_;
  uint32_t lookups_ = 0;  // in this period
  uint64_t period_start_ = 0;
  uint64_t doubtful_ = 0;
};

}  // namespace sfkit::live
