// Lists the events of a capture as text or JSON lines.
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

// An end of the range of listed events.
struct Bound {
  enum class Kind : uint8_t {
    kNone,
    kNumber,    // event number
    kTime,      // ns since 1970
    kRelative,  // ns since the first system call
  };
  Kind kind = Kind::kNone;
  uint64_t value = 0;
};

struct ListOptions {
  enum class Format : uint8_t { kText, kJson, kNone };  // kNone: only counts events
  Format format = Format::kText;
  // Template of a line; for JSON it selects the members of each object. Empty: the default line, or
  // all facts of the event.
  std::string line;
  std::string filter;  // lists only matching events; "" for all
  // The range includes both ends. Events before `from` still update the state.
  Bound from;
  Bound to;
  uint64_t max_memory = 0;  // see state::Feed::limit_memory()
};

// Passes complete lines to `give`, in batches of a few hundred KB, until it returns false. Captured
// text is escaped. Skips events that only update state (spec: scap-format, section 9). `shown`
// becomes the number of events in the range. Fails if the input is not a capture or the template is
// invalid; damage is in `summary`.
Status list_events(scap::Input& input, const std::string& name, const ListOptions& options,
                   const std::function<bool(std::vector<uint8_t>)>& give,
                   const std::atomic<bool>& cancel, InputSummary& summary, uint64_t& shown);

}  // namespace sfkit::events
