// The probe: what runs in the kernel when a system call returns, a program begins or a thread ends. A call
// that is of no interest costs a look into a bitmap; each other one has a program of its own, found by its
// number. Events leave in the shape that captures have, so nothing behind the probe knows where they are from.
#include "processes.h"

#ifdef PROBE_RAW
#define TRACE(name) SEC("raw_tp/" #name)
#else
#define TRACE(name) SEC("tp_btf/" #name)
#endif

#define USER_CODE_32 0x23  // code segment of 32-bit programs

INLINE bool is_own(void) {
  return (u32)(get_current_pid_tgid() >> 32) == config.own_tgid;
}

TRACE(sys_exit) int run_exit(u64 *ctx) {
  u64 number = REGISTER(ctx, orig_ax);
  if (number >= kMaxCalls) return 0;
  if (!(config.interesting[number / 64] & (1ull << (number % 64)))) return 0;
  if (REGISTER(ctx, cs) == USER_CODE_32) {
    count(kCountCompatCalls);
    return 0;
  }
  if (is_own()) return 0;
  tail_call(ctx, &calls, (u32)number);
  return 0;
}

// What has no program of its own.
SEC("call") int call_other(u64 *ctx) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  u64 number = REGISTER(ctx, orig_ax);
  if (number >= kMaxCalls) return 0;
  if (!begin_fixed(&writer, GENERIC_X, 2, 4)) return 0;
  put_u16(&writer, config.portable_code[number]);
  put_u16(&writer, (u16)number);
  submit_fixed(&writer);
  return 0;
}

TRACE(sched_process_exec) int run_exec(u64 *ctx) {
  if (is_own()) return 0;
  struct task_struct *task = (void *)ctx[0];
  struct linux_binprm *program = (void *)ctx[2];
  struct writer writer;
  if (!begin(&writer, SYSCALL_EXECVE_19_X, 31)) return 0;
  add_execution(&writer, task, 0);
  add_kernel_text(&writer, READ(program, filename));
  submit(&writer);
  return 0;
}

TRACE(sched_process_exit) int run_end(u64 *ctx) {
  if (is_own()) return 0;
  struct task_struct *task = (void *)ctx[0];
  u32 status = READ(task, exit_code);
  struct writer writer;
  s64 reaper = reaper_of(task);
  if (!begin_fixed(&writer, PROCEXIT_1_E, 5, 26)) return 0;
  put_s64(&writer, status);
  put_s64(&writer, status >> 8 & 0xff);
  put_u8(&writer, status & 0x7f);
  put_u8(&writer, status & 0x80 ? 1 : 0);
  put_s64(&writer, reaper);
  submit_fixed(&writer);
  return 0;
}

char probe_license[] SEC("license") = "GPL";
