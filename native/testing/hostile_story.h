// Structurally valid captures with hostile content, built from a fuzzer's bytes: each byte selects
// the next event and its thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace sfkit::testing {

// Deterministic; at most a few hundred KB.
std::vector<uint8_t> hostile_story(Bytes choices);

}  // namespace sfkit::testing
