// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What the probe and its loader agree on. Compiled as C for the kernel and as C++ for the loader.
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
  kMaxCalls = 512,                  // system call numbers below this are looked at
  kScratchBytes = 32768,            // the most that a value of a per-CPU array may take
  kMaxEventBytes = 24576,           // an event that is put together in a scratch buffer
  kMostRingCpus = 1024,             // processors with higher numbers have no ring of their own
  kRingSlack = kMaxEventBytes + 8,  // behind a ring's end: an event that begins before it goes on there
  kSeenThreads = 1 << 20,           // a power of two; threads are marked as seen by their numbers modulo this
};

// The ring of a processor. Places in it are counted on and on; modulo its size they are where it begins.
// What the probe writes and what the reader writes are apart, so that they do not take a cache line from
// each other.
struct probe_ring {
  u64 head;       // behind the last whole event
  u64 unwritten;  // an event is being written
  u64 time;       // of it, or, before that is known, of the one before
  u64 padding_of_head[5];
  u64 tail;  // what is before it was read
  u64 padding_of_tail[7];
};

// What an event comes of. Each of these programs is run by the kernel one at a time on a processor: with
// preemption off, or, where programs can be preempted (sys_exit: since 7.2), by leaving out what comes
// meanwhile. So what only one of them uses needs no lock. Of a call that is left out the program for missed
// calls takes care.
enum origin { kOfCall, kOfMissedCall, kOfExec, kOfEnd, kOrigins };

// Fixed before the programs are loaded; the verifier drops what it switches off.
struct probe_config {
  u64 clock_base_ns;                // epoch time of the clock that events are stamped with
  u64 interesting[kMaxCalls / 64];  // a bit for each system call number
  u64 id_secret;                    // hides kernel addresses, which identify unix sockets
  u32 own_tgid;                     // left out
  u32 snaplen;                      // bytes of data of reads and writes, at most kMaxSnaplen
  u32 sampling_ratio;               // 1 of so many events is kept of calls that change no state
  u32 spills;                       // ring buffers of the kernel, by the processor's number modulo this
  u32 ring_bytes;                   // of a processor's ring, a power of two; 0: there are none
  u32 all_calls;                    // calls without a program of their own are told as generic events
  u32 preemptible;                  // programs at sys_exit can be preempted
  u32 calls_spill;                  // those that find their ring full go to the kernel's ring buffer
  u16 portable_code[kMaxCalls];     // of generic events, by system call number
  u16 ring_of_cpu[kMostRingCpus];   // its number and one; 0: none
};

// Counted for each processor; the order is that of kCounterReasons in probe.cpp.
enum probe_counter {
  kCountRingFull,     // lost: the reader was too slow
  kCountSampled,      // left out by the sampling ratio
  kCountCompatCalls,  // calls of 32-bit programs, which are not recorded, if their numbers are of interest
  kCountCaughtUp,     // calls that were left out and then looked at; the rest of those left out is told
  kCountMessages,     // calls of which only the first messages are told
  kCountUnread,       // parameters left empty because the memory they point to could not be read
  kCounters,
};

enum { kCounterStride = 8 };  // counters of a processor, a cache line of its own

#ifdef __cplusplus
}  // namespace sfkit::live
#endif
