// Names of events as people know them.
#pragma once

#include <cstdint>
#include <string_view>

#include "events.gen.h"

namespace sfkit::fields {

// Some calls shared a name with another until they had an event of their own: the name is that of the newest
// code.
inline std::string_view event_name(uint16_t code) {
  while (scap::kEvents[code].becomes != code) code = scap::kEvents[code].becomes;
  return scap::kEvents[code].name;
}

}  // namespace sfkit::fields
