// Checks the paths of opens that the probe marked because they do not end with the name of the
// opened file (probe/files.h). If a symbolic link explains the difference, the mark is removed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace sfkit::live {

// Not thread-safe.
class PathCheck {
 public:
  // `max_lookups`: limit of lookups per second. `host_root`: as in LiveOptions.
  explicit PathCheck(uint32_t max_lookups = kMaxLookupsPerSecond, std::string host_root = {})
      : max_lookups_(max_lookups), host_root_(std::move(host_root)) {}
  explicit PathCheck(std::string host_root)
      : PathCheck(kMaxLookupsPerSecond, std::move(host_root)) {}

  // Removes the mark from an event if its path resolves to the opened file. `event`: header and
  // parameters; `now`: in ns.
  void check(uint8_t* event, uint32_t size, uint64_t now) {
    if (is_marked(event, size)) look_up(event, size, now);
  }
  // Number of events that kept the mark.
  uint64_t doubtful() const { return doubtful_; }

 private:
  static constexpr uint32_t kMaxLookupsPerSecond = 500;
  static constexpr uint64_t kPeriodNs = 1'000'000'000;

  static bool is_marked(const uint8_t* event, uint32_t size);
  void look_up(uint8_t* event, uint32_t size, uint64_t now);
  bool may_look_up(uint64_t now);

  uint32_t max_lookups_;
  std::string host_root_;
  uint32_t lookups_ = 0;  // in the current second
  uint64_t period_start_ = 0;
  uint64_t doubtful_ = 0;
};

}  // namespace sfkit::live
