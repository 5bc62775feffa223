// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Helper functions of the kernel, with their numbers in linux/bpf.h, and the maps created by the
// loader.
#pragma once

#include "kernel.h"
#include "shared.h"

#define SEC(name) __attribute__((section(name), used))
#define INLINE static __attribute__((always_inline)) inline

static void* (*map_lookup)(void* map, const void* key) = (void*)1;
static u64 (*ktime_get_ns)(void) = (void*)5;
static u64 (*get_current_pid_tgid)(void) = (void*)14;
static u64 (*get_current_task)(void) = (void*)35;
static struct task_struct* (*get_current_task_btf)(void) = (void*)158;
static u32 (*get_smp_processor_id)(void) = (void*)8;
static long (*tail_call)(void* ctx, void* programs, u32 index) = (void*)12;
static long (*probe_read_user)(void* to, u32 size, const void* from) = (void*)112;
static long (*probe_read_kernel)(void* to, u32 size, const void* from) = (void*)113;
static long (*probe_read_user_str)(void* to, u32 size, const void* from) = (void*)114;
static long (*probe_read_kernel_str)(void* to, u32 size, const void* from) = (void*)115;
static long (*ringbuf_output)(void* ring, void* data, u64 size, u64 flags) = (void*)130;
static void* (*ringbuf_reserve)(void* ring, u64 size, u64 flags) = (void*)131;
static void (*ringbuf_submit)(void* data, u64 flags) = (void*)132;

#define NO_WAKEUP 1

// With a constant index, the kernel turns the tail call into a direct jump.
#define DIRECT_TAIL_CALL(ctx, index)                                                    \
  asm volatile("r1 = %0; r2 = %1; r3 = %2; call 12" ::"r"(ctx), "r"(&calls), "i"(index) \
               : "r0", "r1", "r2", "r3", "r4", "r5", "memory")

// make_maps() in probe.cpp sets types and sizes.
struct map {
  u32 unused;
};
struct map rings SEC(".maps");      // struct probe_ring, by ring
struct map ring_data SEC(".maps");  // data of each ring, and kRingSlack
struct map spills SEC(".maps");     // kernel ring buffers
struct map calls SEC(".maps");      // programs by system call number
struct map scratch SEC(".maps");    // kScratchBytes for each CPU and origin
// Only if programs can be preempted:
struct map seen SEC(".maps");  // threads whose call has been recorded, u32
struct map missed
    SEC(".maps");  // for each CPU, the thread whose missed call is being recorded, u32
struct map counters SEC(".maps");  // for each CPU, kCounterStride: probe_counter -> u64

const volatile struct probe_config config SEC(".rodata") = {};

// Reads a member of a kernel object; zero if it is unreadable.
#define READ(object, member)                                               \
  ({                                                                       \
    typeof((object)->member) read_value;                                   \
    __builtin_memset(&read_value, 0, sizeof(read_value));                  \
    probe_read_kernel(&read_value, sizeof(read_value),                     \
                      __builtin_preserve_access_index(&(object)->member)); \
    read_value;                                                            \
  })

#define FIELD_EXISTS 2
#define HAS(type, member) __builtin_preserve_field_info(((type*)0)->member, FIELD_EXISTS)

// The kernel object whose `member` is at `pointer`.
#define CONTAINER(pointer, type, member) \
  ((type*)((char*)(pointer) - (unsigned long)__builtin_preserve_access_index(&((type*)0)->member)))

// Hides the value from the optimizer, so that the following check stays in the program.
#define FORGET(value) asm volatile("" : "+r"(value))

#define NOW(value) \
  (*(volatile typeof(value)*)&(value))  // current value in memory, not the compiler's copy

INLINE void count(u32 what) {
  u32 place = get_smp_processor_id() * kCounterStride + what;
  u64* counter = map_lookup(&counters, &place);
  if (counter) *counter += 1;
}

// Registers and result of a traced system call. Without BTF tracing, they are read like other
// memory.
#ifdef PROBE_RAW
#define REGISTER(ctx, name) READ((struct pt_regs*)(ctx)[0], name)
#else
#define REGISTER(ctx, name) (((struct pt_regs*)(ctx)[0])->name)
#endif
#define RESULT(ctx) ((s64)(ctx)[1])
#define ARG1(ctx) REGISTER(ctx, di)
#define ARG2(ctx) REGISTER(ctx, si)
#define ARG3(ctx) REGISTER(ctx, dx)
#define ARG4(ctx) REGISTER(ctx, r10)
#define ARG5(ctx) REGISTER(ctx, r8)
#define ARG6(ctx) REGISTER(ctx, r9)
