// What must hold for every input; the fuzzer takes the end of the process for a finding.
#pragma once

#include <cstdlib>

namespace sfkit::fuzz {

inline void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace sfkit::fuzz
