// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls on sockets, and their addresses (spec: scap-format, section 10).
#pragma once

#include "descriptors.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCKET_MODE 0xc000  // S_IFSOCK of the bits S_IFMT
#define FORMAT_MODE 0xf000
#define PROTOCOL_TCP 6
#define IN_PROGRESS -115

struct address {
  u16 family;
  u16 port;  // in network order; a unix socket's name starts here
  u8 rest[124];
  u8 end;
};

INLINE u16 swapped(u16 value) {
  return (u16)(value >> 8 | value << 8);
}

// Reads an address of the process into the scratch buffer. The family is 0 if it is unreadable.
INLINE void read_address(struct writer* writer, u64 from, u64 length) {
  struct address* address = ADDRESS(writer);
  u32 bytes = length < 128 ? (u32)length : 128;
  address->family = 0;
  address->rest[0] = 0;
  if (from == 0 || bytes < 2) return;
  FORGET(bytes);
  if (bytes > 128) bytes = 128;
  if (probe_read_user(address, bytes, (void*)from) < 0) {
    count(kCountUnread);
    address->family = 0;
    return;
  }
  // Short address: the buffer still has bytes of an earlier one.
  if (address->family == AF_INET && bytes < 8) address->family = 0;
  if (address->family == AF_INET6 && bytes < 24) address->family = 0;
  ((u8*)address)[bytes] = 0;
}

#define MAX_NAME 108  // of a unix socket

// Copies the name of a unix socket with a NUL at its end. An abstract name starts with a NUL, which
// is dropped. `name` needs space for `length` + 1 bytes.
INLINE u32 copy_name(u8* to, u8* name, u32 length) {
  FORGET(length);
  if (length > MAX_NAME) length = MAX_NAME;
  name[length] = 0;
  u32 first = length > 0 && name[0] == 0 ? 1 : 0;
  long copied = probe_read_kernel_str(to, MAX_NAME + 1, name + first);
  return copied > 0 ? (u32)copied : 1;
}

// Adds the address of read_address() as PT_SOCKADDR.
INLINE void add_address(struct writer* writer, u64 length) {
  struct address* address = ADDRESS(writer);
  u8* to = place(writer);
  to[0] = (u8)address->family;
  if (address->family == AF_INET && length >= 8) {
    *(u32*)(to + 1) = *(u32*)address->rest;
    *(u16*)(to + 5) = swapped(address->port);
    put_bytes_read(writer, 7);
  } else if (address->family == AF_INET6 && length >= 24) {
    *(u64*)(to + 1) = *(u64*)(address->rest + 4);
    *(u64*)(to + 9) = *(u64*)(address->rest + 12);
    *(u16*)(to + 17) = swapped(address->port);
    put_bytes_read(writer, 19);
  } else if (address->family == AF_UNIX && length > 2) {
    put_bytes_read(writer, 1 + copy_name(to + 1, (u8*)&address->port, (u32)length - 2));
  } else {
    put_bytes_read(writer, 0);
  }
}

INLINE struct sock* sock_of(s64 fd) {
  struct file* file = file_of((void*)get_current_task(), fd);
  if (!file) return 0;
  struct inode* inode = READ(file, f_inode);
  if ((READ(inode, i_mode) & FORMAT_MODE) != SOCKET_MODE) return 0;
  struct socket* socket = READ(file, private_data);
  return READ(socket, sk);
}

// An id of a unix socket that does not reveal its kernel address.
INLINE u64 identity(const void* pointer) {
  if (!pointer) return 0;
  u64 value = (u64)pointer ^ config.id_secret;
  value *= 0x9e3779b97f4a7c15ull;
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ull;
  return (value ^ value >> 29) >> 16;
}

// Copies the bound name of a unix socket; a NUL if it has none.
INLINE u32 unix_name(struct writer* writer, u8* at, struct unix_sock* sock) {
  at[0] = 0;
  if (!sock) return 1;
  struct unix_address* address = READ(sock, addr);
  if (!address) return 1;
  u8* name = NAME(writer);
  u32 length = (u32)READ(address, len);
  if ((s32)length <= 2) return 1;
  length -= 2;
  FORGET(length);
  if (length > MAX_NAME) length = MAX_NAME;
  probe_read_kernel(name, length, (char*)__builtin_preserve_access_index(&address->name) + 2);
  return copy_name(at, name, length);
}

INLINE bool is_unset(struct sock* sock) {
  u64 address[2] = {};
  probe_read_kernel(address, 16, __builtin_preserve_access_index(&sock->__sk_common.skc_v6_daddr));
  return address[0] == 0 && address[1] == 0;
}

enum direction { kOutgoing, kIncoming };

// Adds a PT_SOCKTUPLE. If the kernel has no peer address, uses that of read_address().
INLINE void add_tuple(struct writer* writer, struct sock* sock, enum direction direction) {
  struct address* other = ADDRESS(writer);
  if (!sock) {
    put_empty(writer);
    return;
  }
  u8* to = place(writer);
  u16 family = READ(sock, __sk_common.skc_family);
  u16 port = READ(sock, __sk_common.skc_num);
  u16 peer_port = swapped(READ(sock, __sk_common.skc_dport));
  bool from_other = peer_port == 0 && other->family == family;
  if (from_other) peer_port = swapped(other->port);
  // Unknown sender: the receiver did not ask for its address.
  if (peer_port == 0 && !from_other && family == AF_INET &&
      READ(sock, __sk_common.skc_daddr) == 0) {
    put_empty(writer);
    return;
  }
  if (peer_port == 0 && !from_other && family == AF_INET6 && is_unset(sock)) {
    put_empty(writer);
    return;
  }
  to[0] = (u8)family;
  if (family == AF_INET) {
    u32 local = READ(sock, __sk_common.skc_rcv_saddr);
    u32 peer = from_other ? *(u32*)other->rest : READ(sock, __sk_common.skc_daddr);
    *(u32*)(to + 1) = direction == kOutgoing ? local : peer;
    *(u16*)(to + 5) = direction == kOutgoing ? port : peer_port;
    *(u32*)(to + 7) = direction == kOutgoing ? peer : local;
    *(u16*)(to + 11) = direction == kOutgoing ? peer_port : port;
    put_bytes_read(writer, 13);
  } else if (family == AF_INET6) {
    u8* local = to + (direction == kOutgoing ? 1 : 19);
    u8* peer = to + (direction == kOutgoing ? 19 : 1);
    probe_read_kernel(local, 16,
                      __builtin_preserve_access_index(&sock->__sk_common.skc_v6_rcv_saddr));
    if (from_other) {
      *(u64*)peer = *(u64*)(other->rest + 4);
      *(u64*)(peer + 8) = *(u64*)(other->rest + 12);
    } else {
      probe_read_kernel(peer, 16, __builtin_preserve_access_index(&sock->__sk_common.skc_v6_daddr));
    }
    *(u16*)(local + 16) = port;
    *(u16*)(peer + 16) = peer_port;
    put_bytes_read(writer, 37);
  } else if (family == AF_UNIX) {
    struct unix_sock* own = (void*)sock;
    struct unix_sock* peer = (void*)READ(own, peer);
    *(u64*)(to + 1) = identity(direction == kOutgoing ? peer : own);
    *(u64*)(to + 9) = identity(direction == kOutgoing ? own : peer);
    u32 name;
    if (direction == kOutgoing && !peer && other->family == AF_UNIX) {
      name = copy_name(to + 17, (u8*)&other->port, MAX_NAME);
    } else {
      name = unix_name(writer, to + 17, direction == kOutgoing ? peer : own);
    }
    put_bytes_read(writer, 17 + name);
  } else {
    put_bytes_read(writer, 0);
  }
}

CALL(socket) {
  struct writer writer;
  if (!begin_fixed(&writer, event_of_socket)) return 0;
  put_s64(&writer, RESULT(ctx));
  PUT_U32(ARG1);
  PUT_U32(ARG2);
  PUT_U32(ARG3);
  put_u32(&writer, cloexec_nonblock(ARG2(ctx)));
  submit_fixed(&writer);
  return 0;
}

CALL(socketpair) {
  struct pair pair = made_pair(ctx, ARG4(ctx));
  struct unix_sock* first = (void*)sock_of(pair.first);
  struct sock* second = first ? READ(first, peer) : 0;
  struct writer writer;
  if (!begin_fixed(&writer, event_of_socketpair)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_s64(&writer, pair.first);
  put_s64(&writer, pair.second);
  put_u64(&writer, identity(first));
  put_u64(&writer, identity(second));
  PUT_U32(ARG1);
  PUT_U32(ARG2);
  PUT_U32(ARG3);
  submit_fixed(&writer);
  return 0;
}

CALL(bind) {
  struct writer writer;
  if (!begin(&writer, event_of_bind)) return 0;
  read_address(&writer, ARG2(ctx), (u32)ARG3(ctx));
  add_s64(&writer, RESULT(ctx));
  add_address(&writer, (u32)ARG3(ctx));
  add_fd(&writer, ARG1(ctx));
  submit(&writer);
  return 0;
}

CALL(connect) {
  struct writer writer;
  bool started = RESULT(ctx) == 0 || RESULT(ctx) == IN_PROGRESS;
  if (!begin(&writer, event_of_connect)) return 0;
  read_address(&writer, ARG2(ctx), (u32)ARG3(ctx));
  add_s64(&writer, RESULT(ctx));
  add_tuple(&writer, started ? sock_of((s32)ARG1(ctx)) : 0, kOutgoing);
  add_fd(&writer, ARG1(ctx));
  add_address(&writer, (u32)ARG3(ctx));
  submit(&writer);
  return 0;
}

NUMBERS(listen, PUT_FD(ARG1); put_s32(&writer, ARG2(ctx)))
NUMBERS(shutdown, PUT_FD(ARG1); PUT_U8(ARG2))

INLINE int accepted(u64* ctx, u16 code, bool with_flags) {
  struct writer writer;
  s64 fd = RESULT(ctx);
  u32 backlog = 0, max_backlog = 0;
  if (fd >= 0) {
    struct sock* listener = sock_of((s32)ARG1(ctx));
    backlog = READ(listener, sk_ack_backlog);
    max_backlog = READ(listener, sk_max_ack_backlog);
  }
  if (!begin(&writer, code)) return 0;
  ADDRESS(&writer)->family = 0;
  add_s64(&writer, fd);
  add_tuple(&writer, sock_of(fd), kIncoming);
  add_u8(&writer, max_backlog ? (u8)((u64)backlog * 100 / max_backlog) : 0);
  add_u32(&writer, backlog);
  add_u32(&writer, max_backlog);
  if (with_flags) add_u32(&writer, cloexec_nonblock(ARG4(ctx)));
  submit(&writer);
  return 0;
}

CALL(accept) {
  return accepted(ctx, event_of_accept, 0);
}
CALL(accept4) {
  return accepted(ctx, event_of_accept4, 1);
}

// The socket of a message whose tuple is needed. TCP endpoints are known since the connection was
// made.
INLINE struct sock* sock_for_tuple(s64 fd) {
  struct sock* sock = sock_of(fd);
  if (!sock) return 0;
  u16 family = READ(sock, __sk_common.skc_family);
  if (family != AF_UNIX && READ(sock, sk_protocol) == PROTOCOL_TCP) return 0;
  return sock;
}

CALL(sendto) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  struct sock* sock = RESULT(ctx) >= 0 ? sock_for_tuple((s32)ARG1(ctx)) : 0;
  if (!begin(&writer, event_of_sendto)) return 0;
  if (sock) read_address(&writer, ARG5(ctx), (u32)ARG6(ctx));
  add_s64(&writer, RESULT(ctx));
  add_user_data(&writer, ARG2(ctx), bytes_written(ctx, ARG3(ctx)));
  add_fd(&writer, ARG1(ctx));
  add_u32(&writer, ARG3(ctx));
  add_tuple(&writer, sock, kOutgoing);
  submit(&writer);
  return 0;
}

CALL(recvfrom) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  struct sock* sock = RESULT(ctx) >= 0 ? sock_for_tuple((s32)ARG1(ctx)) : 0;
  if (!begin(&writer, event_of_recvfrom)) return 0;
  if (sock) read_address(&writer, ARG5(ctx), ARG6(ctx) ? (u32)user_u64(ARG6(ctx)) : 0);
  add_s64(&writer, RESULT(ctx));
  add_user_data(&writer, ARG2(ctx), bytes_read(ctx));
  add_tuple(&writer, sock, kIncoming);
  add_fd(&writer, ARG1(ctx));
  add_u32(&writer, ARG3(ctx));
  submit(&writer);
  return 0;
}

// struct user_msghdr. In an array (struct mmsghdr), the length of the message follows.
struct message {
  u64 name;
  u32 name_length, padding;
  u64 iovecs, iovec_count;
  u64 control, control_length;
  u32 flags, padding2;
  u32 length, padding3;
};
#define ONE_MESSAGE 56

INLINE void add_control(struct writer* writer, struct message* message) {
  add_user_bytes(writer, message->control, message->control ? message->control_length : 0, 1024, 0);
}

CALL(sendmsg) {
  if (is_sampled_out()) return 0;
  struct message message = {};
  struct writer writer;
  struct sock* sock = RESULT(ctx) >= 0 ? sock_for_tuple((s32)ARG1(ctx)) : 0;
  if (probe_read_user(&message, ONE_MESSAGE, (void*)ARG2(ctx)) < 0) count(kCountUnread);
  if (!begin(&writer, event_of_sendmsg)) return 0;
  u64 size = size_of_iovecs(&writer, message.iovecs, message.iovec_count);
  if (sock) read_address(&writer, message.name, message.name_length);
  add_s64(&writer, RESULT(ctx));
  add_iovecs(&writer, bytes_written(ctx, size));
  add_fd(&writer, ARG1(ctx));
  add_u32(&writer, size);
  add_tuple(&writer, sock, kOutgoing);
  submit(&writer);
  return 0;
}

CALL(recvmsg) {
  if (is_sampled_out()) return 0;
  struct message message = {};
  struct writer writer;
  bool has = RESULT(ctx) >= 0;
  struct sock* sock = has ? sock_for_tuple((s32)ARG1(ctx)) : 0;
  if (has && probe_read_user(&message, ONE_MESSAGE, (void*)ARG2(ctx)) < 0) count(kCountUnread);
  if (!begin(&writer, event_of_recvmsg)) return 0;
  if (config.snaplen) size_of_iovecs(&writer, message.iovecs, message.iovec_count);
  if (sock) read_address(&writer, message.name, message.name_length);
  add_s64(&writer, RESULT(ctx));
  add_u32(&writer, bytes_read(ctx));
  add_iovecs(&writer, bytes_read(ctx));
  add_tuple(&writer, sock, kIncoming);
  add_control(&writer, &message);
  add_fd(&writer, ARG1(ctx));
  submit(&writer);
  return 0;
}

// One event for each message; a failed call has one event without a message. The program handles
// one message, then calls itself for the next: in a loop, the verifier would check every round.
#define MAX_MESSAGES 16

// The call in progress, in a part of the scratch buffer that other programs leave alone. The
// verifier does not track memory, so it checks the code that follows only once.
struct series {
  struct sock* sock;
  u64 at;    // address of the message in the process; 0 for a call without one
  u32 left;  // messages to record; 0 between calls
};
#define SERIES(writer) ((volatile struct series*)((writer)->start + kScratchBytes - 512))

INLINE void begin_series(volatile struct series* series, u64* ctx) {
  const s64 messages = RESULT(ctx);
  series->sock = 0;
  series->at = 0;
  if (messages <= 0) return;
  series->sock = sock_for_tuple((s32)ARG1(ctx));
  series->at = ARG2(ctx);
  series->left = messages < MAX_MESSAGES ? messages : MAX_MESSAGES;
}

INLINE void add_message(struct writer* writer, u64* ctx, bool sends) {
  const u64 at = SERIES(writer)->at;
  struct sock* sock = SERIES(writer)->sock;
  struct message* message = MESSAGE(writer);
  message->length = 0;
  message->control = 0;
  if (at && probe_read_user(message, sizeof(*message), (void*)at) < 0) count(kCountUnread);
  if (sock) read_address(writer, message->name, message->name_length);
  struct iovec first = {};
  if (config.snaplen && at) probe_read_user(&first, sizeof(first), (void*)message->iovecs);
  u32 length = message->length;
  add_s64(writer, at ? (s64)length : RESULT(ctx));
  add_fd(writer, ARG1(ctx));
  add_u32(writer, length);
  add_user_data(writer, first.start, first.length < length ? first.length : length);
  add_tuple(writer, sock, sends ? kOutgoing : kIncoming);
  if (!sends) add_control(writer, message);
}

#define MANY_MESSAGES(name, sends)                                          \
  CALL(name) {                                                              \
    struct writer writer;                                                   \
    if (!begin(&writer, event_of_##name)) return 0;                         \
    volatile struct series* series = SERIES(&writer);                       \
    if (series->left == 0) {                                                \
      if (is_sampled_out()) return 0;                                       \
      begin_series(series, ctx);                                            \
    }                                                                       \
    add_message(&writer, ctx, sends);                                       \
    submit(&writer);                                                        \
    if (series->left > 1) {                                                 \
      series->left -= 1;                                                    \
      series->at += sizeof(struct message);                                 \
      DIRECT_TAIL_CALL(ctx, number_of_##name);                              \
      count(kCountMessages); /* the kernel did not run the program again */ \
    } else if (RESULT(ctx) > MAX_MESSAGES) {                                \
      count(kCountMessages);                                                \
    }                                                                       \
    series->left = 0;                                                       \
    return 0;                                                               \
  }

MANY_MESSAGES(sendmmsg, 1)
MANY_MESSAGES(recvmmsg, 0)
