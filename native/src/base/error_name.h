// Names of error numbers, such as ENOENT.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>

#include "event_names.gen.h"

namespace sfkit {

// `number`: positive. Empty if it has no name.
constexpr std::string_view error_name(int64_t number) {
  if (number >= 0 && number < static_cast<int64_t>(std::size(scap::kErrorNames)))
    return scap::kErrorNames[number];
  const int64_t place = number - scap::kFirstKernelError;
  const bool is_known =
      place >= 0 && place < static_cast<int64_t>(std::size(scap::kKernelErrorNames));
  return is_known ? scap::kKernelErrorNames[place] : std::string_view();
}

}  // namespace sfkit
