// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Shared by the probe and its loader. Compiled as C for the kernel and as C++ for the loader.
#pragma once

#include "live_limits.gen.h"

#ifdef __cplusplus
#include <cstdint>
namespace sfkit::live {
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
#endif

enum {
  kMaxCalls = 512,                  // higher system call numbers are ignored
  kScratchBytes = 32768,            // maximum value size of a per-CPU array
  kMaxEventBytes = 24576,           // maximum size of an event built in a scratch buffer
  kMaxRingCpus = 1024,              // CPUs with higher numbers have no ring
  kRingSlack = kMaxEventBytes + 8,  // space after a ring for an event that crosses its end
  kSeenThreads = 1 << 20,           // a power of two; threads are marked by their id modulo this
};

// The ring of a CPU. Positions only grow; modulo the ring's size they are offsets of events. The
// probe's fields and the reader's field are on separate cache lines.
struct probe_ring {
  u64 head;       // end of the last complete event
  u64 unwritten;  // an event is being written
  u64 time;       // its time; until that is known, the time of the previous event
  u64 padding_of_head[5];
  u64 tail;  // end of the events that the reader has consumed
  u64 padding_of_tail[7];
};

// The source of an event. The kernel runs each program one at a time on a CPU: preemption is off,
// or the kernel skips nested runs (sys_exit, which can be preempted since Linux 7.2). So data of
// one program needs no lock. The missed-call program records skipped calls.
enum origin { kFromCall, kFromMissedCall, kFromExec, kFromThreadExit, kOrigins };

// Frozen before the programs are loaded, so that the verifier removes disabled code.
struct probe_config {
  u64 clock_base_ns;                // epoch time at the zero of the event clock
  u64 interesting[kMaxCalls / 64];  // one bit for each system call number
  u64 id_secret;                    // hides kernel addresses in the ids of unix sockets
  u32 own_tgid;                     // the capturing process, not recorded
  u32 snaplen;                   // bytes of data recorded of reads and writes, at most kMaxSnaplen
  u32 sampling_ratio;            // keep 1 in N events of calls that change no state
  u32 spills;                    // number of kernel ring buffers; a CPU uses its number modulo this
  u32 ring_bytes;                // size of a ring, a power of two; 0: no rings
  u32 all_calls;                 // record calls without a specific program as generic events
  u32 preemptible;               // programs at sys_exit can be preempted
  u32 calls_spill;               // events of calls go to a kernel ring buffer if their ring is full
  u16 portable_code[kMaxCalls];  // code of generic events, by system call number
  u16 ring_of_cpu[kMaxRingCpus];  // index of the ring plus one; 0: none
};

// Counted for each CPU, in the order of kCounterReasons in probe.cpp.
enum probe_counter {
  kCountRingFull,     // lost: the ring was full
  kCountSampled,      // dropped by the sampling ratio
  kCountCompatCalls,  // calls of interest through the compat entry or x32, not recorded
  kCountRecovered,    // missed calls that were recorded later; the loader reports the others
  kCountMessages,     // calls recorded with their first messages only
  kCountUnread,       // parameters left empty because their memory was unreadable
  kCounters,
};

enum { kCounterStride = 8 };  // per CPU, one cache line

#ifdef __cplusplus
}  // namespace sfkit::live
#endif
