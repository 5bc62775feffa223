// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls that change no state in the engine. Recorded with all_calls only, with their arguments.
#pragma once

#include "processes.h"

#undef CALL
#define CALL(name) SEC("other/" #name) int call_##name(u64* ctx)

NUMBERS(fstat, PUT_FD(ARG1))
NUMBERS(lseek, PUT_FD(ARG1); PUT_U64(ARG2); put_u8(&writer, ARG3(ctx) <= 2 ? ARG3(ctx) : 0))
NUMBERS(ioctl, PUT_FD(ARG1); PUT_U64(ARG2); PUT_U64(ARG3))
NUMBERS(getdents, PUT_FD(ARG1))
NUMBERS(getdents64, PUT_FD(ARG1))
NUMBERS(flock, PUT_FD(ARG1); put_u32(&writer, ARG2(ctx) & 15))
NUMBERS(kill, PUT_FD(ARG1); PUT_U8(ARG2))
NUMBERS(tkill, PUT_FD(ARG1); PUT_U8(ARG2))
NUMBERS(tgkill, PUT_FD(ARG1); PUT_FD(ARG2); PUT_U8(ARG3))
NUMBERS(mprotect, PUT_U64(ARG1); PUT_U64(ARG2); put_u32(&writer, mmap_protection(ARG3(ctx))))
NUMBERS(mlock, PUT_U64(ARG1); PUT_U64(ARG2))
NUMBERS(munlock, PUT_U64(ARG1); PUT_U64(ARG2))
NUMBERS(epoll_wait, put_s64(&writer, (s32)ARG3(ctx)))
// The highest bit of the operation marks a registered ring.
NUMBERS(io_uring_register, PUT_FD(ARG1); PUT_U16(ARG2); PUT_U64(ARG3); PUT_U32(ARG4))
NUMBERS(select, )

NAMED(stat, TEXT(ARG1))
NAMED(lstat, TEXT(ARG1))
NAMED(newfstatat, FD(ARG1); TEXT(ARG2); MASKED(ARG3, 0x1900))
NAMED(access, TEXT(ARG1); MASKED(ARG2, 7))

INLINE int memory_call(u64* ctx, u16 code, bool has_length) {
  struct writer writer;
  if (!begin(&writer, code)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_memory(&writer, (void*)get_current_task());
  add_u64(&writer, ARG1(ctx));
  if (has_length) add_u64(&writer, ARG2(ctx));
  submit(&writer);
  return 0;
}

CALL(brk) {
  return memory_call(ctx, event_of_brk, 0);
}
CALL(munmap) {
  return memory_call(ctx, event_of_munmap, 1);
}

// Ids of the process.
#define OWN_ID(name)                                      \
  CALL(name) {                                            \
    struct writer writer;                                 \
    if (!begin_fixed(&writer, event_of_##name)) return 0; \
    put_u32(&writer, RESULT(ctx));                        \
    submit_fixed(&writer);                                \
    return 0;                                             \
  }
OWN_ID(getuid)
OWN_ID(geteuid)
OWN_ID(getgid)
OWN_ID(getegid)

CALL(getrlimit) {
  return limit_call(ctx, event_of_getrlimit, user_limits(RESULT(ctx) >= 0 ? ARG2(ctx) : 0));
}
