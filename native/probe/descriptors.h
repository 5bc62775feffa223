// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls that create, copy or use other kinds of descriptors.
#pragma once

#include "files.h"

// Defines calls whose parameters all have a fixed size: the result, then those of `put`.
#define NUMBERS(name, put)                                \
  CALL(name) {                                            \
    struct writer writer;                                 \
    if (!begin_fixed(&writer, event_of_##name)) return 0; \
    put_s64(&writer, RESULT(ctx));                        \
    put;                                                  \
    submit_fixed(&writer);                                \
    return 0;                                             \
  }
#define PUT_FD(argument) put_fd(&writer, argument(ctx))
#define PUT_U8(argument) put_u8(&writer, argument(ctx))
#define PUT_U16(argument) put_u16(&writer, argument(ctx))
#define PUT_U32(argument) put_u32(&writer, argument(ctx))
#define PUT_U64(argument) put_u64(&writer, argument(ctx))

NUMBERS(dup, PUT_FD(ARG1))
NUMBERS(dup2, PUT_FD(ARG1); PUT_FD(ARG2))
NUMBERS(dup3, PUT_FD(ARG1); PUT_FD(ARG2); put_u32(&writer, cloexec_nonblock(ARG3(ctx))))
NUMBERS(eventfd, put_u64(&writer, (u32)ARG1(ctx)); put_u32(&writer, 0))
NUMBERS(eventfd2, put_u16(&writer, cloexec_nonblock(ARG2(ctx))); put_u64(&writer, (u32)ARG1(ctx)))
NUMBERS(signalfd, PUT_FD(ARG1); put_u32(&writer, 0); put_u8(&writer, 0))
NUMBERS(signalfd4, put_u16(&writer, cloexec_nonblock(ARG4(ctx))); PUT_FD(ARG1); put_u32(&writer, 0))
NUMBERS(timerfd_create, PUT_U8(ARG1); put_u8(&writer, 0))
NUMBERS(inotify_init, put_u8(&writer, 0))
NUMBERS(inotify_init1, put_u16(&writer, cloexec_nonblock(ARG1(ctx))))
NUMBERS(epoll_create, PUT_U32(ARG1))
NUMBERS(epoll_create1, put_u32(&writer, ARG1(ctx) & 0x80000 ? 1 : 0))
NUMBERS(userfaultfd, PUT_U32(ARG1))
NUMBERS(bpf, PUT_U32(ARG1))
NUMBERS(pidfd_open, put_s64(&writer, (s32)ARG1(ctx)); put_u32(&writer, ARG2(ctx) & 0x800 ? 1 : 0))
NUMBERS(pidfd_getfd, PUT_FD(ARG1); PUT_FD(ARG2); PUT_U32(ARG3))
NUMBERS(io_uring_enter, PUT_FD(ARG1); PUT_U32(ARG2); PUT_U32(ARG3);
        put_u32(&writer, ARG4(ctx) & 15); put_u32(&writer, 0))
NUMBERS(fcntl, PUT_FD(ARG1); put_u8(&writer, fcntl_command(ARG2(ctx))); PUT_U64(ARG3))

NAMED(memfd_create, TEXT(ARG1); add_u32(&writer, ARG2(ctx) & 7))

CALL(io_uring_setup) {
  // struct io_uring_params, as the kernel returned it.
  struct {
    u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features;
  } made = {};
  if (RESULT(ctx) >= 0 && probe_read_user(&made, sizeof(made), (void*)ARG2(ctx)) < 0)
    count(kCountUnread);
  struct writer writer;
  if (!begin_fixed(&writer, event_of_io_uring_setup)) return 0;
  put_s64(&writer, RESULT(ctx));
  PUT_U32(ARG1);
  put_u32(&writer, made.sq_entries);
  put_u32(&writer, made.cq_entries);
  put_u32(&writer, io_uring_flags(made.flags));
  put_u32(&writer, made.sq_thread_cpu);
  put_u32(&writer, made.sq_thread_idle);
  put_u32(&writer, made.features & 0x7ff);
  submit_fixed(&writer);
  return 0;
}

INLINE u64 inode_of(s64 fd) {
  struct file* file = file_of((void*)get_current_task(), fd);
  if (!file) return 0;
  struct inode* inode = READ(file, f_inode);
  return READ(inode, i_ino);
}

struct pair {
  s32 first, second;
};

INLINE struct pair made_pair(u64* ctx, u64 from) {
  struct pair pair = {-1, -1};
  if (RESULT(ctx) >= 0 && probe_read_user(&pair, sizeof(pair), (void*)from) < 0)
    count(kCountUnread);
  return pair;
}

INLINE int made_pipe(u64* ctx, u16 code, bool with_flags) {
  struct pair pair = made_pair(ctx, ARG1(ctx));
  struct writer writer;
  if (!begin_fixed(&writer, code)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_s64(&writer, pair.first);
  put_s64(&writer, pair.second);
  put_u64(&writer, inode_of(pair.first));
  if (with_flags) put_u32(&writer, open_flags(ARG2(ctx) & ~3ull) & ~1u);
  submit_fixed(&writer);
  return 0;
}

CALL(pipe) {
  return made_pipe(ctx, event_of_pipe, 0);
}
CALL(pipe2) {
  return made_pipe(ctx, event_of_pipe2, 1);
}
