// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Converts numbers of x86-64 Linux to those of the capture format (spec: scap-flags.json).
#pragma once

#include "event_codes.h"
#include "helpers.h"

#define MOVE_BIT(from, to) \
  if (value & (from)) result |= (to)

INLINE u32 open_flags(u64 value) {
  u32 result = 0;
  switch (value & 3) {
    case 1: result = FLAG_O_WRONLY; break;
    case 2: result = FLAG_O_RDWR; break;
    default: result = FLAG_O_RDONLY; break;
  }
  MOVE_BIT(0x40, FLAG_O_CREAT);
  if ((value & 0x410000) == 0x410000) result |= FLAG_O_TMPFILE;
  MOVE_BIT(0x400, FLAG_O_APPEND);
  MOVE_BIT(0x1000, FLAG_O_DSYNC);
  MOVE_BIT(0x80, FLAG_O_EXCL);
  MOVE_BIT(0x800, FLAG_O_NONBLOCK);
  if ((value & 0x101000) == 0x101000) result |= FLAG_O_SYNC;
  MOVE_BIT(0x200, FLAG_O_TRUNC);
  MOVE_BIT(0x4000, FLAG_O_DIRECT);
  MOVE_BIT(0x10000, FLAG_O_DIRECTORY);
  MOVE_BIT(0x8000, FLAG_O_LARGEFILE);
  MOVE_BIT(0x80000, FLAG_O_CLOEXEC);
  return result;
}

// For calls with only these two flags.
INLINE u32 cloexec_nonblock(u64 value) {
  u32 result = 0;
  MOVE_BIT(0x800, FLAG_O_NONBLOCK);
  MOVE_BIT(0x80000, FLAG_O_CLOEXEC);
  return result;
}

INLINE u32 clone_flags(u64 value) {
  u32 result = 0;
  MOVE_BIT(0x100, 32768);
  MOVE_BIT(0x200, 2);
  MOVE_BIT(0x400, 1);
  MOVE_BIT(0x800, 2048);
  MOVE_BIT(0x2000, 1024);
  MOVE_BIT(0x4000, 1u << 27);
  MOVE_BIT(0x8000, 256);
  MOVE_BIT(0x10000, 8192);
  MOVE_BIT(0x20000, 32);
  MOVE_BIT(0x40000, 4096);
  MOVE_BIT(0x80000, 1u << 25);
  MOVE_BIT(0x100000, 512);
  MOVE_BIT(0x200000, 1u << 23);
  MOVE_BIT(0x800000, 16384);
  MOVE_BIT(0x1000000, 1u << 24);
  MOVE_BIT(0x2000000, 1u << 28);
  MOVE_BIT(0x4000000, 128);
  MOVE_BIT(0x8000000, 8);
  MOVE_BIT(0x10000000, 1u << 20);
  MOVE_BIT(0x20000000, 64);
  MOVE_BIT(0x40000000, 16);
  MOVE_BIT(0x80000000, 4);
  return result;
}

#define CLONE_IN_PIDNS (1u << 29)

INLINE u32 mmap_flags(u64 value) {
  u32 result = value & 3;
  MOVE_BIT(0x10, 4);
  MOVE_BIT(0x20, 8);
  MOVE_BIT(0x40, 16);
  MOVE_BIT(0x100, 512);
  MOVE_BIT(0x800, 1024);
  MOVE_BIT(0x1000, 2048);
  MOVE_BIT(0x2000, 16384);
  MOVE_BIT(0x4000, 64);
  MOVE_BIT(0x8000, 128);
  MOVE_BIT(0x10000, 256);
  return result;
}

INLINE u32 mmap_protection(u64 value) {
  u32 result = value & 15;
  MOVE_BIT(0x01000000, 16);
  MOVE_BIT(0x02000000, 32);
  return result;
}

INLINE u32 resolve_flags(u64 value) {
  u32 result = 0;
  MOVE_BIT(1, 16);
  MOVE_BIT(2, 4);
  MOVE_BIT(4, 8);
  MOVE_BIT(8, 1);
  MOVE_BIT(16, 2);
  MOVE_BIT(32, 32);
  return result;
}

INLINE u32 fchownat_flags(u64 value) {
  u32 result = 0;
  MOVE_BIT(0x100, 1024);
  MOVE_BIT(0x1000, 4096);
  return result;
}

// A mode without a file type creates a regular file.
INLINE u32 node_mode(u64 value) {
  return (value & 07777) | ((value & 0xf000) == 0 ? 0x8000 : value & 0xf000);
}

// Old programs set a magic number in the upper half; it has no meaning today.
INLINE u32 mount_flags(u64 value) {
  return (value & 0xffff0000) == 0xc0ed0000 ? value & 0xffff : (u32)value;
}

INLINE u32 io_uring_flags(u64 value) {
  u32 result = value & 3;
  MOVE_BIT(4, 8);
  MOVE_BIT(8, 16);
  MOVE_BIT(16, 32);
  MOVE_BIT(32, 64);
  MOVE_BIT(64, 128);
  return result;
}

INLINE u32 delete_module_flags(u64 value) {
  u32 result = 0;
  MOVE_BIT(0x200, 1);
  MOVE_BIT(0x800, 2);
  return result;
}

INLINE u8 fcntl_command(u64 value) {
  switch (value) {
    case 0: return 1;
    case 1: return 2;
    case 2: return 3;
    case 3: return 4;
    case 4: return 5;
    case 5: return 6;
    case 6: return 8;
    case 7: return 9;
    case 8: return 10;
    case 9: return 12;
    case 10: return 13;
    case 11: return 15;
    case 15: return 21;
    case 16: return 22;
    case 36: return 30;
    case 37: return 31;
    case 38: return 32;
    case 1024: return 23;
    case 1025: return 24;
    case 1026: return 27;
    case 1029: return 25;
    case 1030: return 26;
    case 1031: return 28;
    case 1032: return 29;
    default: return 0;
  }
}

INLINE u16 ptrace_request(u64 value) {
  switch (value) {
    case 0 ... 9: return value + 1;
    case 12 ... 15: return value + 14;
    case 16: return 11;
    case 17: return 12;
    case 18: return 30;
    case 19: return 31;
    case 21: return 32;
    case 24: return 13;
    case 25: return 33;
    case 26: return 34;
    case 30: return 35;
    case 31: return 36;
    case 32: return 37;
    case 33: return 38;
    case 0x4200 ... 0x4205: return value - 0x4200 + 14;
    case 0x4206: return 20;
    case 0x4207: return 21;
    case 0x4208: return 22;
    case 0x4209: return 23;
    case 0x420a: return 24;
    case 0x420b: return 25;
    default: return 0;
  }
}
