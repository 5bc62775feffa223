// Checks an invariant of every input; the fuzzer reports abort() as a finding.
#pragma once

#include <cstdlib>

namespace sfkit::fuzz {

inline void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace sfkit::fuzz
