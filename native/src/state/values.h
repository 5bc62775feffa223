// How the state engine takes text out of parameters.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace sfkit::state {

inline constexpr size_t kLongestList = 4096;

// Results of calls: -EBADF, -EISCONN, -EINPROGRESS.
inline constexpr int64_t kBadDescriptor = -9;
inline constexpr int64_t kIsConnected = -106;
inline constexpr int64_t kInProgress = -115;

// Commands of fcntl, as events number them.
inline constexpr uint32_t kFcntlDupfd = 1;
inline constexpr uint32_t kFcntlDupfdCloexec = 26;

// What libs write where they know nothing.
inline constexpr std::string_view kNotAvailable = "<NA>";

// A text parameter that is there and not the mark for a missing one.
inline bool has_text(Bytes value) {
  return !value.empty() && value.text() != std::string_view("(NULL)\0", 7);
}

inline std::string_view list_text(Bytes value) {
  return value.text();
}

}  // namespace sfkit::state
