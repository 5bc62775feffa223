// Options and results of live capture. They exist on all systems, so that callers need no special
// cases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "live_limits.gen.h"
#include "reasons.gen.h"

namespace sfkit::live {

struct ProbeOptions {
  bool all_calls = false;  // also record calls without effect on state and records
  // See live_limits.gen.h for the limits.
  uint32_t snaplen = kDefaultSnaplen;               // bytes of data recorded of each read and write
  uint32_t sampling_ratio = kDefaultSamplingRatio;  // keep 1 in N calls that change no state
  uint32_t ring_bytes = kDefaultRingBytes;       // size of a ring, a power of two; at least 32 KiB
  uint32_t cpus_per_ring = kDefaultCpusPerRing;  // 0: one ring for all
  bool raw_tracepoints = false;                  // do not try BTF tracepoints
};

struct LiveOptions {
  ProbeOptions probe;
  std::string record_path;  // also write the capture to this file; "" for none
  bool record_gzip = false;
  uint64_t max_events = 0;  // maximum events; 0: unlimited
  // Drop privileges after the start. Only for a process that does nothing else.
  bool drops_privileges = false;
  // Directory with the files of the host, if we run in a container: processes are read from
  // host_root/proc, users from host_root/etc. "" for the own root directory.
  std::string host_root;
};

// Something missing from the records, and how often.
struct LiveGap {
  Reason reason;
  uint64_t count;
  bool is_loss() const { return info_of(reason).severity == Severity::kLoss; }
};

struct LiveCounts {
  uint64_t events = 0;  // received from the kernel
  std::vector<LiveGap> gaps;
};

}  // namespace sfkit::live
