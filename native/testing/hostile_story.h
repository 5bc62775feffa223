// Captures that are sound in their structure and hostile in what they tell, made from bytes that a fuzzer
// changes: each byte chooses what happens next, and to whom.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace sfkit::testing {

// The same bytes give the same capture, of at most a few hundred thousand bytes.
std::vector<uint8_t> hostile_story(Bytes choices);

}  // namespace sfkit::testing
