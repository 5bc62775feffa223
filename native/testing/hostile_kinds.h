// Captures designed to be expensive. Each kind has any size, so that tests can compare the cost of
// an input with that of twice the input.
#pragma once

#include <cstdint>
#include <vector>

namespace sfkit::testing {

struct HostileKind {
  const char* name;
  const char* what;
  // With linear cost, a run takes about ten milliseconds.
  uint32_t size;
  // kFlat: all state ends soon, so twice the input needs no more memory. kLinear: the state stays.
  enum class Memory : uint8_t { kLinear, kFlat } memory;
  // The capture's bytes are proportional to `size`.
  std::vector<uint8_t> (*make)(uint32_t size);
};

const std::vector<HostileKind>& hostile_kinds();

}  // namespace sfkit::testing
