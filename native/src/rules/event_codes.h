// Which events a condition is about by what it says of evt.type and syscall.type.
#pragma once

#include <vector>

#include "filter/syntax.h"

namespace sfkit::rules {

// By event code: whether an event of this code may satisfy the tree, as the reference works it out.
std::vector<bool> event_codes_of(const filter::Node& tree);

// The check in which an event type stands where the reference cannot work that out: with a transformer, or
// compared with a field; null when there is none.
const filter::Check* unclear_event_type(const filter::Node& tree);

// Whether rules are asked about events of this code: the returns of calls, and what has no return. Not asked
// about are descriptions of containers, users and groups, which the reference takes for its state alone.
bool is_asked_about(uint16_t code);

}  // namespace sfkit::rules
