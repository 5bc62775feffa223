// The probe in the kernel: loads its programs, attaches them, and hands out the buffers they write to. Linux
// on x86-64 only; elsewhere load() says so. Spec of what comes out: scap-events.json.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "live/file_descriptor.h"
#include "live/options.h"
#include "live/program.h"
#include "probe/shared.h"

namespace sfkit::live {

// What was not recorded, by why; in the order of probe_counter.
using Counters = std::array<uint64_t, kCounters>;
// A line for people; also whether it is a failure that events are missing.
struct CounterReason {
  const char* text;
  bool is_loss;
};
extern const std::array<CounterReason, kCounters> kCounterReasons;

// Where the probe writes to: for each group of processors a ring of its own (probe/shared.h) and one of the
// kernel's.
struct ProbeRings {
  uint32_t count = 0;
  uint32_t bytes = 0;  // of each; 0: only the kernel's are used
  uint32_t spill_bytes = 0;
  FileDescriptor states, data;         // maps, mappable: a probe_ring for each; bytes and slack for each
  std::vector<FileDescriptor> spills;  // BPF_MAP_TYPE_RINGBUF
};

class Probe {
 public:
  // Loads every program; nothing is recorded before attach(). The message of a failure tells which program
  // was refused and the end of what the kernel said.
  static Result<Probe> load(const ProbeOptions& options);

  Status attach();
  // Ends the recording; what is in the rings stays.
  void detach() { links_.clear(); }

  const ProbeRings& rings() const { return rings_; }
  // Epoch time at which the clock of the events was zero, in ns.
  uint64_t boot_time() const { return boot_time_; }
  Counters counters() const;
  // Number of loaded programs, and whether they are those for raw tracepoints.
  size_t program_count() const { return programs_.size(); }
  bool uses_raw_tracepoints() const { return raw_; }

 private:
  friend class ProbeLoader;
  struct Program {
    std::string section;
    FileDescriptor fd;
  };

  Status map_counters(uint32_t cpus);

  ProbeRings rings_;
  FileDescriptor spill_table_, calls_, scratch_, counters_, config_;
  std::vector<Program> programs_;
  std::vector<FileDescriptor> links_;
  std::shared_ptr<const uint64_t[]> counter_memory_;
  uint32_t cpus_ = 0;
  uint64_t boot_time_ = 0;
  bool raw_ = false;
};

// How many processors there can be, by the highest number.
uint32_t possible_cpus();

}  // namespace sfkit::live
