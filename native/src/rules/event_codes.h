// The event codes that a condition selects with evt.type and syscall.type.
#pragma once

#include <bitset>

#include "filter/syntax.h"
#include "scap/event.h"

namespace sfkit::rules {

using EventCodes = std::bitset<scap::kEventCount>;

// The codes of events that may satisfy the tree, as Falco computes them.
EventCodes event_codes_of(const filter::Node& tree);

// The check on an event type that Falco cannot evaluate, because it has a transformer or compares
// with a field; null if there is none.
const filter::Check* unclear_event_type(const filter::Node& tree);

// Whether rules see events of this code: exit events, and events without an exit.
bool is_seen_by_rules(uint16_t code);

// A capture can start with descriptions of containers, users and groups. The reference uses these
// only for its state; rules see later ones.
class StateEvents {
 public:
  bool holds(uint16_t code);

 private:
  bool is_over_ = false;
};

}  // namespace sfkit::rules
