// Names of events.
#pragma once

#include <cstdint>
#include <string_view>

#include "events.gen.h"

namespace sfkit::fields {

// Some calls used another call's event before they had their own. The name is that of the newest
// code.
inline std::string_view event_name(uint16_t code) {
  while (scap::kEvents[code].becomes != code) code = scap::kEvents[code].becomes;
  return scap::kEvents[code].name;
}

}  // namespace sfkit::fields
