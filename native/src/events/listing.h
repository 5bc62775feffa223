// The events of a capture as lines of text or JSON.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "events/line_template.h"
#include "scap/input.h"

namespace sfkit::events {

// A place in a capture.
struct Bound {
  enum class Kind : uint8_t {
    kNone,
    kNumber,    // the event of this number
    kTime,      // ns since 1970
    kRelative,  // ns since the first system call
  };
  Kind kind = Kind::kNone;
  uint64_t value = 0;
};

struct ListOptions {
  enum class Format : uint8_t { kText, kJson, kNone };  // kNone: events are only counted
  Format format = Format::kText;
  // Of the lines; for JSON the members of each object. Empty: the default line; every fact of the event.
  std::string line;
  std::string filter;  // only events that pass it; "" for all
  // Both ends included. What comes before `from` is followed, though not shown.
  Bound from;
  Bound to;
};

// Gives whole lines to `give`, a few hundred thousand bytes at a time, until it returns false. Captured text
// is escaped. Events that only serve the state (spec: scap-format, section 9) are left out. `shown` becomes
// the number of events in the range. Not ok when the input is no capture or the template is wrong; damage is
// in the summary.
Status list_events(scap::Input& input, const std::string& name, const ListOptions& options,
                   const std::function<bool(std::vector<uint8_t>)>& give, const std::atomic<bool>& cancel,
                   InputSummary& summary, uint64_t& shown);

}  // namespace sfkit::events
