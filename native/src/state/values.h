// Helpers for parameter values and calls.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "event_roles.gen.h"
#include "scap/event.h"

namespace sfkit::state {

// Results of calls: -EBADF, -EISCONN, -EINPROGRESS.
inline constexpr int64_t kBadDescriptor = -9;
inline constexpr int64_t kIsConnected = -106;
inline constexpr int64_t kInProgress = -115;

// fcntl commands as events number them.
inline constexpr uint32_t kFcntlDupfd = 1;
inline constexpr uint32_t kFcntlDupfdCloexec = 26;

// libs write this for unknown texts.
inline constexpr std::string_view kNotAvailable = "<NA>";

// Whether a text parameter is present and not "(NULL)", the mark of missing texts.
inline bool has_text(Bytes value) {
  return !value.empty() && value.text() != std::string_view("(NULL)\0", 7);
}

// Whether a path parameter is present: drivers from about 2019 write "<NA>" for paths they could
// not read.
inline bool has_path(Bytes value) {
  return has_text(value) && value.text() != kNotAvailable &&
         value.text() != std::string_view("<NA>\0", 5);
}

// Whether the call removes a directory, not a file name.
inline bool removes_directory(const scap::CallView& call) {
  constexpr uint64_t kRemoveDirectory = 0x200;  // AT_REMOVEDIR
  switch (kHandlers[call.exit().code]) {
    case Handler::kRmdir: return true;
    case Handler::kUnlinkat:
      return (scap::to_uint(call.get(scap::P::flags), 0) & kRemoveDirectory) != 0;
    default: return false;
  }
}

// Whether an openat2 uses the directory of its descriptor as root.
inline bool resolves_in_root(const scap::EventView& event) {
  constexpr uint64_t kInRoot = 2;  // RESOLVE_IN_ROOT
  return (scap::to_uint(event.param(scap::P::resolve), 0) & kInRoot) != 0;
}

inline std::string_view list_text(Bytes value) {
  return value.text();
}

}  // namespace sfkit::state
