// Plausibility of timestamps.
#pragma once

#include <cstdint>

namespace sfkit {

// Nanoseconds since 1970 that every output format can hold (until 2262). INT64_MAX is excluded:
// some readers take it for infinity.
constexpr bool is_possible_time(int64_t ns) {
  return ns >= 0 && ns < INT64_MAX;
}
constexpr bool is_possible_time(uint64_t ns) {
  return ns < static_cast<uint64_t>(INT64_MAX);
}

}  // namespace sfkit
