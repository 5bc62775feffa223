// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls that make descriptors of other kinds, copy them, or work on them.
#pragma once

#include "files.h"

// Calls of which all parameters have a known size. Result, then what `put` puts; `bytes` with the result.
#define NUMBERS(name, code, parameters, bytes, put)               \
  CALL(name) {                                                    \
    struct writer writer;                                         \
    if (!begin_fixed(&writer, code, parameters, bytes)) return 0; \
    put_s64(&writer, RESULT(ctx));                                \
    put;                                                          \
    submit_fixed(&writer);                                        \
    return 0;                                                     \
  }
#define PUT_FD(argument) put_fd(&writer, argument(ctx))
#define PUT_U8(argument) put_u8(&writer, argument(ctx))
#define PUT_U16(argument) put_u16(&writer, argument(ctx))
#define PUT_U32(argument) put_u32(&writer, argument(ctx))
#define PUT_U64(argument) put_u64(&writer, argument(ctx))

NUMBERS(dup, SYSCALL_DUP_1_X, 2, 16, PUT_FD(ARG1))
NUMBERS(dup2, SYSCALL_DUP2_X, 3, 24, PUT_FD(ARG1); PUT_FD(ARG2))
NUMBERS(dup3, SYSCALL_DUP3_X, 4, 28, PUT_FD(ARG1); PUT_FD(ARG2);
        put_u32(&writer, cloexec_nonblock(ARG3(ctx))))
NUMBERS(eventfd, SYSCALL_EVENTFD_X, 3, 20, put_u64(&writer, (u32)ARG1(ctx)); put_u32(&writer, 0))
NUMBERS(eventfd2, SYSCALL_EVENTFD2_X, 3, 18, put_u16(&writer, cloexec_nonblock(ARG2(ctx)));
        put_u64(&writer, (u32)ARG1(ctx)))
NUMBERS(signalfd, SYSCALL_SIGNALFD_X, 4, 21, PUT_FD(ARG1); put_u32(&writer, 0); put_u8(&writer, 0))
NUMBERS(signalfd4, SYSCALL_SIGNALFD4_X, 4, 22, put_u16(&writer, cloexec_nonblock(ARG4(ctx))); PUT_FD(ARG1);
        put_u32(&writer, 0))
NUMBERS(timerfd_create, SYSCALL_TIMERFD_CREATE_X, 3, 10, PUT_U8(ARG1); put_u8(&writer, 0))
NUMBERS(inotify_init, SYSCALL_INOTIFY_INIT_X, 2, 9, put_u8(&writer, 0))
NUMBERS(inotify_init1, SYSCALL_INOTIFY_INIT1_X, 2, 10, put_u16(&writer, cloexec_nonblock(ARG1(ctx))))
NUMBERS(epoll_create, SYSCALL_EPOLL_CREATE_X, 2, 12, PUT_U32(ARG1))
NUMBERS(epoll_create1, SYSCALL_EPOLL_CREATE1_X, 2, 12, put_u32(&writer, ARG1(ctx) & 0x80000 ? 1 : 0))
NUMBERS(userfaultfd, SYSCALL_USERFAULTFD_X, 2, 12, PUT_U32(ARG1))
NUMBERS(bpf, SYSCALL_BPF_2_X, 2, 12, PUT_U32(ARG1))
NUMBERS(pidfd_open, SYSCALL_PIDFD_OPEN_X, 3, 20, put_s64(&writer, (s32)ARG1(ctx));
        put_u32(&writer, ARG2(ctx) & 0x800 ? 1 : 0))
NUMBERS(pidfd_getfd, SYSCALL_PIDFD_GETFD_X, 4, 28, PUT_FD(ARG1); PUT_FD(ARG2); PUT_U32(ARG3))
NUMBERS(io_uring_enter, SYSCALL_IO_URING_ENTER_X, 6, 32, PUT_FD(ARG1); PUT_U32(ARG2); PUT_U32(ARG3);
        put_u32(&writer, ARG4(ctx) & 15); put_u32(&writer, 0))
NUMBERS(fcntl, SYSCALL_FCNTL_X, 4, 25, PUT_FD(ARG1); put_u8(&writer, fcntl_command(ARG2(ctx))); PUT_U64(ARG3))

NAMED(memfd_create, SYSCALL_MEMFD_CREATE_X, 3, TEXT(ARG1); add_u32(&writer, ARG2(ctx) & 7))

CALL(io_uring_setup) {
  // struct io_uring_params, as the kernel left it.
  struct {
    u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features;
  } made = {};
  if (RESULT(ctx) >= 0 && probe_read_user(&made, sizeof(made), (void*)ARG2(ctx)) < 0) count(kCountUnread);
  struct writer writer;
  if (!begin_fixed(&writer, SYSCALL_IO_URING_SETUP_X, 8, 36)) return 0;
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
  if (RESULT(ctx) >= 0 && probe_read_user(&pair, sizeof(pair), (void*)from) < 0) count(kCountUnread);
  return pair;
}

INLINE int made_pipe(u64* ctx, u16 code, bool with_flags) {
  struct pair pair = made_pair(ctx, ARG1(ctx));
  struct writer writer;
  if (!begin_fixed(&writer, code, with_flags ? 5 : 4, with_flags ? 36 : 32)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_s64(&writer, pair.first);
  put_s64(&writer, pair.second);
  put_u64(&writer, inode_of(pair.first));
  if (with_flags) put_u32(&writer, open_flags(ARG2(ctx) & ~3ull) & ~1u);
  submit_fixed(&writer);
  return 0;
}

CALL(pipe) {
  return made_pipe(ctx, SYSCALL_PIPE_X, 0);
}
CALL(pipe2) {
  return made_pipe(ctx, SYSCALL_PIPE2_X, 1);
}
