// What a live capture is asked for, and what became of it. On every system, so that callers need no cases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "live_limits.gen.h"
#include "reasons.gen.h"

namespace sfkit::live {

struct ProbeOptions {
  bool all_calls = false;  // also calls that change no state and make no records
  // Limits: live_limits.gen.h.
  uint32_t snaplen = kDefaultSnaplen;               // bytes of data of each read and write
  uint32_t sampling_ratio = kDefaultSamplingRatio;  // 1 of so many calls that change no state is kept
  uint32_t ring_bytes = kDefaultRingBytes;          // a power of two; at least 32 KiB are used
  uint32_t cpus_per_ring = kDefaultCpusPerRing;     // 0: one ring for all
  bool raw_tracepoints = false;                     // do not even try the programs that need BTF for tracing
};

struct LiveOptions {
  ProbeOptions probe;
  std::string record_path;  // capture file to write at the same time; "" for none
  bool record_gzip = false;
  uint64_t max_events = 0;  // ends after so many; 0: never
  // Give up what is not needed any more once the capture goes on; for a process that does nothing else.
  bool drops_privileges = false;
};

// Something that did not reach the records, and how often.
struct LiveGap {
  Reason reason;
  uint64_t count;
  bool is_loss() const { return info_of(reason).severity == Severity::kLoss; }
};

struct LiveCounts {
  uint64_t events = 0;  // taken from the kernel
  std::vector<LiveGap> gaps;
};

}  // namespace sfkit::live
