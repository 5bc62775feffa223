// Which events a condition is about by what it says of evt.type and syscall.type.
#pragma once

#include <bitset>

#include "filter/syntax.h"
#include "scap/event.h"

namespace sfkit::rules {

using EventCodes = std::bitset<scap::kEventCount>;

// The codes of events that may satisfy the tree, as the reference works it out.
EventCodes event_codes_of(const filter::Node& tree);

// The check in which an event type stands where the reference cannot work that out: with a transformer, or
// compared with a field; null when there is none.
const filter::Check* unclear_event_type(const filter::Node& tree);

// Whether rules are asked about events of this code: the returns of calls, and what has no return.
bool is_asked_about(uint16_t code);

// A capture may begin with descriptions of containers, users and groups: the reference takes them for its
// state alone, and asks rules about those that come later.
class Beginning {
 public:
  bool holds(uint16_t code);

 private:
  bool is_over_ = false;
};

}  // namespace sfkit::rules
