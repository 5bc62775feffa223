// The probe in the kernel: loads its programs, attaches them, and hands out the buffers they write to. Linux
// on x86-64 only; elsewhere load() says so. Spec of what comes out: scap-events.json.
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

// What was not recorded, by why; in the order of probe_counter.
using Counters = std::array<uint64_t, kCounters>;
extern const std::array<Reason, kCounters> kCounterReasons;

// Where the probe writes to: a ring of its own for each processor (probe/shared.h), and ring buffers of the
// kernel for what goes into none of those.
struct ProbeRings {
  std::vector<uint32_t> cpus;          // that have a ring of their own, in the order of the rings
  uint32_t bytes = 0;                  // of each
  FileDescriptor states, data;         // maps, mappable: a probe_ring for each; bytes and kRingSlack for each
  std::vector<FileDescriptor> spills;  // BPF_MAP_TYPE_RINGBUF
  uint32_t spill_bytes = 0;            // of each
};

class Probe {
 public:
  // Loads every program; nothing is recorded before attach(). The message of a failure tells which program
  // was refused and the end of what the kernel said.
  static Result<Probe> load(const ProbeOptions& options);

  Status attach();
  // Ends the recording; what is in the rings stays.
  void detach();

  const ProbeRings& rings() const { return rings_; }
  // That of the events.
  const EventClock& clock() const { return clock_; }
  Counters counters() const;
  // Number of loaded programs, and whether they are those for raw tracepoints.
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

// How many processors there can be, by the highest number.
uint32_t possible_cpus();

}  // namespace sfkit::live
