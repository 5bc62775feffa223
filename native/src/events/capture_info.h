// What a capture is and holds, counted in one pass.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "events.gen.h"
#include "scap/input.h"

namespace sfkit::events {

struct CaptureInfo {
  // Of the first section.
  uint16_t major = 0;
  uint16_t minor = 0;
  bool swapped = false;             // in the byte order that this machine has not
  int process_list = 0;             // version of the process lists, 0 without one
  size_t process_tail = 0;          // bytes at the end of PL9 records that later writers added
  bool counted_parameters = false;  // event blocks say how many parameters there are
  bool has_enters = false;          // calls that newer writers record where they return only
  std::string writer;               // what these facts tell of the writer's age

  uint64_t sections = 0;
  std::string hostname;
  uint32_t cpus = 0;
  uint64_t memory_bytes = 0;
  uint64_t boot_time = 0;  // ns since 1970, 0 when unknown

  // Named by the lists of all sections.
  uint64_t threads = 0;
  uint64_t processes = 0;
  uint64_t descriptors = 0;
  uint64_t users = 0;
  uint64_t groups = 0;
  uint64_t interfaces = 0;
  uint64_t containers = 0;  // distinct ones of the last section, from cgroups and container events

  struct EventCount {
    std::string_view name;
    uint64_t enter = 0;
    uint64_t exit = 0;
  };
  std::vector<EventCount> events;  // by type, those that occur, the most frequent first
};

// Reads the capture to its end. Events by type are of those that pass the filter, all for "". Not ok when it
// is none; damage is in the summary.
Status inspect_capture(scap::Input& input, const std::string& name, const std::string& filter,
                       const std::atomic<bool>& cancel, InputSummary& summary, CaptureInfo& info);

}  // namespace sfkit::events
