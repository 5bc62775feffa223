// Facts and counts about a capture, collected in one pass.
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
  // Of the first section:
  uint16_t major = 0;
  uint16_t minor = 0;
  bool swapped = false;             // in the other byte order
  int process_list = 0;             // version of the process lists, 0 without them
  size_t process_tail = 0;          // size of the fields that later writers added to PL9 records
  bool counted_parameters = false;  // event blocks have parameter counts
  bool has_enters = false;          // has enter events that newer writers omit
  std::string writer;               // the writer's version range, inferred from these facts

  uint64_t sections = 0;
  std::string hostname;
  uint32_t cpus = 0;
  uint64_t memory_bytes = 0;
  uint64_t boot_time = 0;  // ns since 1970, 0 if unknown

  // Entries in the lists of all sections:
  uint64_t threads = 0;
  uint64_t processes = 0;
  uint64_t descriptors = 0;
  uint64_t users = 0;
  uint64_t groups = 0;
  uint64_t interfaces = 0;
  uint64_t containers = 0;  // distinct ones of the last section

  struct EventCount {
    std::string_view name;
    uint64_t enter = 0;
    uint64_t exit = 0;
  };
  std::vector<EventCount> events;  // by type, most frequent first
};

// Reads the capture to its end. Counts by type cover the events that pass `filter` ("" passes all).
// Fails if the input is not a capture; damage is in `summary`.
struct InspectOptions {
  std::string filter = {};
  uint64_t max_memory = 0;  // see state::Feed::limit_memory()
};

Status inspect_capture(scap::Input& input, const std::string& name, const InspectOptions& options,
                       const std::atomic<bool>& cancel, InputSummary& summary, CaptureInfo& info);

}  // namespace sfkit::events
