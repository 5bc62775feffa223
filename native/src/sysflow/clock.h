// The time of a capture, as its events show it.
#pragma once

#include <cstdint>

namespace sfkit::sysflow {

struct Clock {
  int64_t ts = 0;   // ns since 1970: the current event
  int64_t now = 0;  // seconds since 1970: the current event, or the last one with a possible time
};

}  // namespace sfkit::sysflow
