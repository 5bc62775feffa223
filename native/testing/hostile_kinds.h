// Captures made to be expensive: each kind at any size, so that the cost of twice the input can be compared
// with that of the input.
#pragma once

#include <cstdint>
#include <vector>

namespace sfkit::testing {

struct HostileKind {
  const char* name;
  const char* what;
  // At this size and at twice it a run takes some ten milliseconds when its cost is linear.
  uint32_t size;
  // kFlat: all that happens is over soon after, so that twice the input takes no more memory.
  // kLinear: what happens stays.
  enum class Memory : uint8_t { kLinear, kFlat } memory;
  // The bytes of the capture are at most in proportion to `size`.
  std::vector<uint8_t> (*make)(uint32_t size);
};

const std::vector<HostileKind>& hostile_kinds();

}  // namespace sfkit::testing
