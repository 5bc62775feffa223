// Which times can be meant, and which come from damage or malice.
#pragma once

#include <cstdint>

namespace sfkit {

// ns since 1970 that every output format can hold, to the year 2262. The greatest int64 is left out: some
// readers take it for infinity.
constexpr bool is_possible_time(int64_t ns) {
  return ns >= 0 && ns < INT64_MAX;
}
constexpr bool is_possible_time(uint64_t ns) {
  return ns < static_cast<uint64_t>(INT64_MAX);
}

}  // namespace sfkit
