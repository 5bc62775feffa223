// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Builds events in the format of captures (spec: scap-format, section 9): header, lengths of the
// parameters, parameters. Events of fixed size are written directly to the ring; others are built
// in a scratch buffer.
#pragma once

#include "event_codes.h"
#include "helpers.h"

#define HEADER_BYTES 26
// Highest offset of the last parameter. The largest event, an exec, has five texts or lists of up
// to 4096 bytes and some small parameters before it.
#define SCRATCH_LIMIT (kMaxEventBytes - 4096)
// The rest of the scratch buffer. It holds paths, which are built from their end, or data read from
// the process.
#define PATH_AT kMaxEventBytes
#define PATH_BYTES 4096
#define IOVECS(writer) ((struct iovecs*)((writer)->start + kMaxEventBytes))
#define ADDRESS(writer) ((struct address*)((writer)->start + kMaxEventBytes + 512))
#define NAME(writer) ((writer)->start + kMaxEventBytes + 1024)
#define MESSAGE(writer) ((struct message*)((writer)->start + kMaxEventBytes + 2048))
// Loop variables live here too, so that the verifier sees the same state in each iteration.
#define WALK(writer) ((volatile struct walk*)((writer)->start + kScratchBytes - 256))
#define AT(writer) ((volatile u32*)((writer)->start + kScratchBytes - 16))

struct writer {
  u8* start;
  enum origin origin;
  struct event_layout layout;  // from native/tables/events.json
  u32 at;                      // offset of the next parameter, in events of fixed size
  u32 index;                   // index of the next parameter
  struct probe_ring* ring;     // ring of the event; null: a kernel ring buffer
  u64 head;                    // offset in the ring after the event
};

// The build fails if a program's parameters differ from the table: the compiler removes calls of
// this function only if they match.
__attribute__((
    error("the parameters are not those of the event in native/tables/events.json"))) void
parameters_do_not_fit(void);

// `size`: of the next parameter; 0 if it has a variable size or may be empty.
INLINE void check_parameter(struct writer* writer, u32 size) {
  const u64 sizes = writer->index < 16 ? writer->layout.first_sizes : writer->layout.other_sizes;
  const u32 place = sizes >> writer->index % 16 * 4 & 15;
  if (size != (place ? 1u << (place - 1) : 0)) parameters_do_not_fit();
}

INLINE void check_count(struct writer* writer) {
  if (writer->index != writer->layout.parameters) parameters_do_not_fit();
}

INLINE u32* missed_thread_slot(void) {
  const u32 zero = 0;
  return map_lookup(&missed, &zero);
}

INLINE enum origin origin_of_call(void) {
  if (!config.preemptible) return kFromCall;
  u32* thread = missed_thread_slot();
  return thread && NOW(*thread) == (u32)get_current_pid_tgid() ? kFromMissedCall : kFromCall;
}

// --- The ring of a CPU, for events of system calls. Cheaper than the kernel's ring buffers, which
// take the few events of other origins.

// Finds the ring of an event; false if it goes to a kernel ring buffer.
INLINE bool find_ring(struct writer* writer, u32* index) {
  writer->ring = 0;
  writer->head = 0;
  u32 cpu = get_smp_processor_id();
  if (writer->origin != kFromCall || config.ring_bytes == 0 || cpu >= kMaxRingCpus) return 0;
  *index = config.ring_of_cpu[cpu];
  if (*index == 0) return 0;
  *index -= 1;
  return 1;
}

// Reserves `size` bytes, which publish() makes visible; null if the ring is full.
INLINE u8* reserve_in_ring(struct writer* writer, u32 index, u32 size) {
  struct probe_ring* ring = map_lookup(&rings, &index);
  u8* data = map_lookup(&ring_data, &index);
  if (!ring || !data) return 0;
  u64 head = NOW(ring->head);
  if (head + size - NOW(ring->tail) > config.ring_bytes) return 0;
  writer->ring = ring;
  writer->head = head + ((size + 7) & ~7u);
  // The reader must wait for this event before it returns later ones of other CPUs.
  NOW(ring->unwritten) = 1;
  return data + (head & (config.ring_bytes - 1));
}

// x86-64 keeps the order of stores: the reader sees the event before the new head.
INLINE void publish(struct writer* writer) {
  asm volatile("" ::: "memory");
  NOW(writer->ring->head) = writer->head;
  NOW(writer->ring->unwritten) = 0;
}

INLINE void* kernel_ring(void) {
  u32 index = get_smp_processor_id() % config.spills;
  return map_lookup(&spills, &index);
}

INLINE u64 now(void) {
  return config.clock_base_ns + ktime_get_ns();
}

INLINE void stamp(struct writer* writer) {
  const u64 time = now();
  if (writer->ring) NOW(writer->ring->time) = time;
  *(u64*)writer->start = time;
}

INLINE void write_header(u8* start, u16 code, u32 parameters, u32 bytes) {
  *(s64*)(start + 8) = (s64)(u32)get_current_pid_tgid();
  *(u32*)(start + 16) = bytes;
  *(u16*)(start + 20) = code;
  *(u32*)(start + 22) = parameters;
}

// Whether the sampling ratio drops a call that changes no state. Keeps a part of each second.
INLINE bool is_sampled_out(void) {
  if (config.sampling_ratio <= 1) return 0;
  const u64 second = 1000000000;
  if (now() % second < second / config.sampling_ratio) return 0;
  count(kCountSampled);
  return 1;
}

// --- Events of fixed size.
INLINE bool begin_fixed_of(struct writer* writer, enum origin origin, u16 code) {
  writer->layout = layout_of(code);
  const u32 parameters = writer->layout.parameters;
  const u32 size = HEADER_BYTES + 2 * parameters + writer->layout.bytes;
  u32 index = 0;
  writer->origin = origin;
  const bool has_ring = find_ring(writer, &index);
  writer->start = has_ring ? reserve_in_ring(writer, index, size) : 0;
  if (!has_ring || (!writer->start && config.calls_spill)) {
    void* ring = kernel_ring();
    writer->start = ring ? ringbuf_reserve(ring, size, 0) : 0;
  }
  if (!writer->start) {
    count(kCountRingFull);
    return 0;
  }
  stamp(writer);
  write_header(writer->start, code, parameters, size);
  writer->at = HEADER_BYTES + 2 * parameters;
  writer->index = 0;
  return 1;
}

INLINE bool begin_fixed(struct writer* writer, u16 code) {
  return begin_fixed_of(writer, origin_of_call(), code);
}

INLINE void submit_fixed(struct writer* writer) {
  check_count(writer);
  if (writer->ring) {
    publish(writer);
  } else {
    ringbuf_submit(writer->start, NO_WAKEUP);
  }
}

#define PUT(type)                                                             \
  INLINE void put_##type(struct writer* writer, type value) {                 \
    check_parameter(writer, sizeof(type));                                    \
    *(u16*)(writer->start + HEADER_BYTES + 2 * writer->index) = sizeof(type); \
    *(type*)(writer->start + writer->at) = value;                             \
    writer->at += sizeof(type);                                               \
    writer->index += 1;                                                       \
  }
PUT(u8)
PUT(u16)
PUT(u32)
PUT(u64)
PUT(s32)
PUT(s64)

INLINE void put_fd(struct writer* writer, u64 fd) {
  put_s64(writer, (s32)fd);
}

// --- Events of variable size. The offset of the next parameter is in the buffer: the verifier does
// not track memory, so it need not follow every sum. place() bounds the offset.
INLINE bool begin_of(struct writer* writer, enum origin origin, u16 code) {
  const u32 index = origin;
  writer->layout = layout_of(code);
  const u32 parameters = writer->layout.parameters;
  writer->start = map_lookup(&scratch, &index);
  if (!writer->start) return 0;
  writer->origin = origin;
  write_header(writer->start, code, parameters, 0);
  *AT(writer) = HEADER_BYTES + 2 * parameters;
  writer->index = 0;
  return 1;
}

INLINE bool begin(struct writer* writer, u16 code) {
  return begin_of(writer, origin_of_call(), code);
}

INLINE u16 code_of(struct writer* writer) {
  return NOW(*(u16*)(writer->start + 20));
}

// Changes a new event to one with the same parameters, or the first of them.
INLINE void become(struct writer* writer, u16 code) {
  const struct event_layout layout = layout_of(code);
  if (layout.first_sizes != writer->layout.first_sizes ||
      layout.other_sizes != writer->layout.other_sizes)
    parameters_do_not_fit();
  write_header(writer->start, code, layout.parameters, 0);
  *AT(writer) = HEADER_BYTES + 2 * layout.parameters;
}

INLINE void put_length(struct writer* writer, u32 length) {
  *(u16*)(writer->start + HEADER_BYTES + 2 * writer->index) = (u16)length;
  writer->index += 1;
}

INLINE void put_empty(struct writer* writer) {
  check_parameter(writer, 0);
  put_length(writer, 0);
}

// Space for up to 4096 bytes.
INLINE u8* place(struct writer* writer) {
  u32 at = *AT(writer);
  if (at > SCRATCH_LIMIT) at = SCRATCH_LIMIT;
  return writer->start + at;
}

INLINE void put_bytes_of(struct writer* writer, long length) {
  if (length < 0) length = 0;
  if (length > 4096) length = 4096;
  put_length(writer, (u32)length);
  u32 at = *AT(writer);
  if (at > SCRATCH_LIMIT) at = SCRATCH_LIMIT;
  *AT(writer) = at + (u32)length;
}

INLINE void put_bytes_read(struct writer* writer, long length) {
  check_parameter(writer, 0);
  put_bytes_of(writer, length);
}

#define ADD(type)                                             \
  INLINE void add_##type(struct writer* writer, type value) { \
    check_parameter(writer, sizeof(type));                    \
    *(type*)place(writer) = value;                            \
    put_bytes_of(writer, sizeof(type));                       \
  }
ADD(u8)
ADD(u16)
ADD(u32)
ADD(u64)
ADD(s64)

INLINE void add_fd(struct writer* writer, u64 fd) {
  add_s64(writer, (s32)fd);
}

// Text of the process with its NUL; empty for a null pointer or unreadable memory.
INLINE void add_user_text(struct writer* writer, u64 from) {
  if (from == 0) {
    put_empty(writer);
    return;
  }
  long length = probe_read_user_str(place(writer), 4096, (const void*)from);
  if (length < 0) count(kCountUnread);
  put_bytes_read(writer, length);
}

// The first `max_bytes` (up to 4096) of `size` bytes of the process; empty if unreadable.
// `terminate`: a list of texts, so end the last one if it is cut.
INLINE void add_user_bytes(struct writer* writer, u64 from, u64 size, u32 max_bytes,
                           bool terminate) {
  u32 wanted = size < max_bytes ? (u32)size : max_bytes;
  u8* to = place(writer);
  FORGET(wanted);
  if (wanted > 4096) wanted = 4096;
  if (wanted > 0 && probe_read_user(to, wanted, (const void*)from) < 0) {
    count(kCountUnread);
    wanted = 0;
  } else if (terminate && wanted == 4096) {
    to[4095] = 0;
  }
  put_bytes_read(writer, wanted);
}

// Data that is read or written, up to the configured snaplen.
INLINE void add_user_data(struct writer* writer, u64 from, u64 size) {
  if (config.snaplen == 0 || size == 0) {
    put_empty(writer);
  } else {
    add_user_bytes(writer, from, size, config.snaplen, 0);
  }
}

INLINE void add_kernel_text(struct writer* writer, const char* from) {
  put_bytes_read(writer, probe_read_kernel_str(place(writer), 4096, from));
}

INLINE void submit(struct writer* writer) {
  check_count(writer);
  u32 size = *AT(writer);
  // Never true, but the verifier does not know it.
  if (size > kMaxEventBytes || size < HEADER_BYTES) return;
  *(u32*)(writer->start + 16) = size;
  u32 index = 0;
  const bool has_ring = find_ring(writer, &index);
  u8* to = has_ring ? reserve_in_ring(writer, index, size) : 0;
  if (!to) {
    stamp(writer);
    void* ring = has_ring && !config.calls_spill ? 0 : kernel_ring();
    if (!ring || ringbuf_output(ring, writer->start, size, NO_WAKEUP) < 0) count(kCountRingFull);
    return;
  }
  stamp(writer);
  probe_read_kernel(to, size, writer->start);
  publish(writer);
}
