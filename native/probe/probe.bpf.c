// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The probe. It runs in the kernel when a system call returns, a program starts or a thread ends.
// Calls of no interest cost one lookup in a bitmap; the others have a program each, found by the
// call's number. Events have the format of captures, so the rest of sfkit needs no special cases.
#include "others.h"

#ifdef PROBE_RAW
#define TRACE(name) SEC("raw_tp/" #name)
#else
#define TRACE(name) SEC("tp_btf/" #name)
#endif

#define COMPAT_CALL 2  // TS_COMPAT of thread_info.status

INLINE bool is_own(void) {
  return (u32)(get_current_pid_tgid() >> 32) == config.own_tgid;
}

// Calls through the compat entry have other numbers.
enum caller { kOther, kOwn, kCompat };

// Runs on each call of interest, so it uses as few helper functions as possible.
INLINE enum caller caller_of_call(void) {
#ifdef PROBE_RAW
  struct task_struct* task = (void*)get_current_task();
  if (READ(task, thread_info.status) & COMPAT_CALL) return kCompat;
  return is_own() ? kOwn : kOther;
#else
  struct task_struct* task = get_current_task_btf();
  if (task->thread_info.status & COMPAT_CALL) return kCompat;
  return task->tgid == (int)config.own_tgid ? kOwn : kOther;
#endif
}

#define DIRECT(name) \
  case number_of_##name: DIRECT_TAIL_CALL(ctx, number_of_##name); break;

// The most frequent calls of busy programs.
INLINE void run_frequent(u64* ctx, u64 number) {
  switch (number) {
    DIRECT(read)
    DIRECT(write)
    DIRECT(close)
    DIRECT(mmap)
    DIRECT(pread64)
    DIRECT(pwrite64)
    DIRECT(writev)
    DIRECT(sendto)
    DIRECT(recvfrom)
    DIRECT(sendmsg)
    DIRECT(recvmsg)
    DIRECT(openat)
  }
}

INLINE bool is_interesting(u64 number) {
  if (number < kMaxCalls) return config.interesting[number / 64] & (1ull << (number % 64));
  // x32 calls have their own numbers.
  if (number & 0x40000000 && number < 0x80000000) count(kCountCompatCalls);
  return 0;
}

INLINE bool is_recorded_caller(void) {
  enum caller caller = caller_of_call();
  if (caller == kCompat) count(kCountCompatCalls);
  return caller == kOther;
}

// Where a thread is marked as seen by run_exit. By thread, because it may change its CPU between
// the two programs.
INLINE u32* seen_slot(u32 thread) {
  u32 place = thread % kSeenThreads;
  return map_lookup(&seen, &place);
}

TRACE(sys_exit) int run_exit(u64* ctx) {
  u32 thread = 0;
  if (config.preemptible) {
    thread = (u32)get_current_pid_tgid();
    u32* place = seen_slot(thread);
    if (place) NOW(*place) = thread;
  }
  u64 number = REGISTER(ctx, orig_ax);
  if (!is_interesting(number) || !is_recorded_caller()) return 0;
  if (config.preemptible) {
    u32* missed_thread = missed_thread_slot();
    if (missed_thread && NOW(*missed_thread) == thread) NOW(*missed_thread) = 0;
  }
  run_frequent(ctx, number);
  tail_call(ctx, &calls, (u32)number);
  return 0;
}

// Runs after run_exit if programs can be preempted. While a run of run_exit is preempted, the
// kernel skips run_exit for all other calls on that CPU; this program records them.
SEC("missed/sys_exit") int run_missed(u64* ctx) {
  u32 thread = (u32)get_current_pid_tgid();
  u32* place = seen_slot(thread);
  if (!place) return 0;
  if (NOW(*place) == thread) {
    NOW(*place) = 0;
    return 0;
  }
  count(kCountRecovered);
  u64 number = REGISTER(ctx, orig_ax);
  if (!is_interesting(number) || !is_recorded_caller()) return 0;
  u32* missed_thread = missed_thread_slot();
  if (!missed_thread) return 0;
  NOW(*missed_thread) = thread;
  tail_call(ctx, &calls, (u32)number);
  return 0;
}

// Records a call that has no specific program: only its number.
SEC("call") int call_other(u64* ctx) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  u64 number = REGISTER(ctx, orig_ax);
  if (number >= kMaxCalls) return 0;
  if (!begin_fixed(&writer, GENERIC_X)) return 0;
  put_u16(&writer, config.portable_code[number]);
  put_u16(&writer, (u16)number);
  submit_fixed(&writer);
  return 0;
}

TRACE(sched_process_exec) int run_exec(u64* ctx) {
  if (is_own()) return 0;
  struct task_struct* task = (void*)ctx[0];
  struct linux_binprm* program = (void*)ctx[2];
  struct writer writer;
  if (!begin_of(&writer, kFromExec, event_of_execve)) return 0;
  add_execution(&writer, task, 0);
  add_kernel_text(&writer, READ(program, filename));
  submit(&writer);
  return 0;
}

TRACE(sched_process_exit) int run_thread_exit(u64* ctx) {
  if (is_own()) return 0;
  struct task_struct* task = (void*)ctx[0];
  u32 status = READ(task, exit_code);
  struct writer writer;
  s64 reaper = reaper_of(task);
  if (!begin_fixed_of(&writer, kFromThreadExit, PROCEXIT_1_E)) return 0;
  put_s64(&writer, status);
  put_s64(&writer, status >> 8 & 0xff);
  put_u8(&writer, status & 0x7f);
  put_u8(&writer, status & 0x80 ? 1 : 0);
  put_s64(&writer, reaper);
  submit_fixed(&writer);
  return 0;
}

// The loader runs this once to get its process id in the root namespace.
SEC("identify") int own_process(u64* ctx) {
  (void)ctx;
  return (int)(get_current_pid_tgid() >> 32);
}

char probe_license[] SEC("license") = "GPL";
