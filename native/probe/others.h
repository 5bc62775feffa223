// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls that change nothing the engine follows. They are told when all calls are, with what they were called
// with.
#pragma once

#include "processes.h"

#undef CALL
#define CALL(name) SEC("other/" #name) int call_##name(u64* ctx)

NUMBERS(fstat, SYSCALL_FSTAT_X, 2, 16, PUT_FD(ARG1))
NUMBERS(lseek, SYSCALL_LSEEK_X, 4, 25, PUT_FD(ARG1); PUT_U64(ARG2);
        put_u8(&writer, ARG3(ctx) <= 2 ? ARG3(ctx) : 0))
NUMBERS(ioctl, SYSCALL_IOCTL_3_X, 4, 32, PUT_FD(ARG1); PUT_U64(ARG2); PUT_U64(ARG3))
NUMBERS(getdents, SYSCALL_GETDENTS_X, 2, 16, PUT_FD(ARG1))
NUMBERS(getdents64, SYSCALL_GETDENTS64_X, 2, 16, PUT_FD(ARG1))
NUMBERS(flock, SYSCALL_FLOCK_X, 3, 20, PUT_FD(ARG1); put_u32(&writer, ARG2(ctx) & 15))
NUMBERS(kill, SYSCALL_KILL_X, 3, 17, PUT_FD(ARG1); PUT_U8(ARG2))
NUMBERS(tkill, SYSCALL_TKILL_X, 3, 17, PUT_FD(ARG1); PUT_U8(ARG2))
NUMBERS(tgkill, SYSCALL_TGKILL_X, 4, 25, PUT_FD(ARG1); PUT_FD(ARG2); PUT_U8(ARG3))
NUMBERS(mprotect, SYSCALL_MPROTECT_X, 4, 28, PUT_U64(ARG1); PUT_U64(ARG2);
        put_u32(&writer, mmap_protection(ARG3(ctx))))
NUMBERS(mlock, SYSCALL_MLOCK_X, 3, 24, PUT_U64(ARG1); PUT_U64(ARG2))
NUMBERS(munlock, SYSCALL_MUNLOCK_X, 3, 24, PUT_U64(ARG1); PUT_U64(ARG2))
NUMBERS(epoll_wait, SYSCALL_EPOLLWAIT_X, 2, 16, put_s64(&writer, (s32)ARG3(ctx)))
NUMBERS(select, SYSCALL_SELECT_X, 1, 8, )

NAMED(stat, SYSCALL_STAT_X, 2, TEXT(ARG1))
NAMED(lstat, SYSCALL_LSTAT_X, 2, TEXT(ARG1))
NAMED(newfstatat, SYSCALL_NEWFSTATAT_X, 4, FD(ARG1); TEXT(ARG2); MASKED(ARG3, 0x1900))
NAMED(access, SYSCALL_ACCESS_X, 3, TEXT(ARG1); MASKED(ARG2, 7))

INLINE int memory_call(u64* ctx, u16 code, bool has_length) {
  struct writer writer;
  if (!begin(&writer, code, has_length ? 6 : 5)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_memory(&writer, (void*)get_current_task());
  add_u64(&writer, ARG1(ctx));
  if (has_length) add_u64(&writer, ARG2(ctx));
  submit(&writer);
  return 0;
}

CALL(brk) {
  return memory_call(ctx, SYSCALL_BRK_4_X, 0);
}
CALL(munmap) {
  return memory_call(ctx, SYSCALL_MUNMAP_X, 1);
}

// Who a process is.
#define OWN_ID(name, code)                           \
  CALL(name) {                                       \
    struct writer writer;                            \
    if (!begin_fixed(&writer, code, 1, 4)) return 0; \
    put_u32(&writer, RESULT(ctx));                   \
    submit_fixed(&writer);                           \
    return 0;                                        \
  }
OWN_ID(getuid, SYSCALL_GETUID_X)
OWN_ID(geteuid, SYSCALL_GETEUID_X)
OWN_ID(getgid, SYSCALL_GETGID_X)
OWN_ID(getegid, SYSCALL_GETEGID_X)

CALL(getrlimit) {
  return told_limits(ctx, SYSCALL_GETRLIMIT_X, user_limits(RESULT(ctx) >= 0 ? ARG2(ctx) : 0));
}
