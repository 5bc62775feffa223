// Loads the probe into the kernel, attaches it, and provides its buffers. Needs Linux on x86-64;
// load() fails on other systems. Events: scap-events.json.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/status.h"
#include "live/clock.h"
#include "live/options.h"
#include "live/program.h"
#include "probe/shared.h"

namespace sfkit::live {

// Counts of missing events and data, in the order of probe_counter.
using Counters = std::array<uint64_t, kCounters>;
extern const std::array<Reason, kCounters> kCounterReasons;

// The probe's buffers: a ring for each CPU (probe/shared.h), and kernel ring buffers for the
// remaining events.
struct ProbeRings {
  std::vector<uint32_t> cpus;  // CPUs that have a ring, in the order of the rings
  uint32_t bytes = 0;          // size of each ring
  FileDescriptor states,
      data;  // mappable maps: a probe_ring for each ring; its data and kRingSlack
  std::vector<FileDescriptor> spills;  // BPF_MAP_TYPE_RINGBUF
  uint32_t spill_bytes = 0;            // size of each
};

class Probe {
 public:
  // Loads all programs; recording starts with attach(). The error names the rejected program and
  // has the end of the verifier's log.
  static Result<Probe> load(const ProbeOptions& options);

  Status attach();
  // Stops recording. The rings keep their events.
  void detach();

  const ProbeRings& rings() const { return rings_; }
  // Clock of the event timestamps.
  const EventClock& clock() const { return clock_; }
  Counters counters() const;
  // Number of loaded programs, and whether they use raw tracepoints.
  size_t program_count() const { return program_count_; }
  bool uses_raw_tracepoints() const { return raw_; }

 private:
  friend class ProbeLoader;
  struct Program {
    std::string section;
    FileDescriptor fd;
  };

  Status map_counters(uint32_t cpus);
  uint64_t recursion_misses() const;

  ProbeRings rings_;
  FileDescriptor spill_table_, calls_, scratch_, seen_, missed_, counters_, config_;
  std::vector<Program> attachable_;  // the others are in calls_
  size_t program_count_ = 0;
  std::vector<FileDescriptor> links_;
  std::shared_ptr<const uint64_t[]> counter_memory_;
  uint32_t cpus_ = 0;
  EventClock clock_;
  bool raw_ = false;
};

// Highest possible CPU number plus one.
uint32_t possible_cpus();

}  // namespace sfkit::live
