// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls that open, read, write, rename and change files.
#pragma once

#include "convert.h"
#include "task.h"

#define CALL(name) SEC("call/" #name) int call_##name(u64* ctx)
// One program for several calls; `names` are separated by commas.
#define CALLS(name, names) SEC("call/" names) int calls_##name(u64* ctx)

#define FILE_CREATED 0x100000  // FMODE_CREATED
// Marks of sfkit, like FLAG_PATH_DOUBTFUL (docs/live.md): the path may not name the opened file.
// path_check.h checks them.
#define CREAT_DOUBTFUL (1u << 14)
#define CALL_TMPFILE 0x410000
#define AT_FDCWD (-100)
#define OVERLAYFS_MAGIC 0x794c7630

enum layer { kNoLayer, kUpperLayer, kLowerLayer };

// The overlay layer of a file. Overlayfs stores its data after the inode; the upper file comes
// first.
INLINE enum layer layer_of(struct inode* inode) {
  struct super_block* super = READ(inode, i_sb);
  if (READ(super, s_magic) != OVERLAYFS_MAGIC) return kNoLayer;
  void* upper = 0;
  probe_read_kernel(&upper, sizeof(upper),
                    (char*)inode + __builtin_preserve_type_info(*(struct inode*)0, TYPE_SIZE));
  return upper ? kUpperLayer : kLowerLayer;
}

struct opened {
  u32 flags;  // added to the flags of the call
  u32 device;
  u64 inode;
  struct file* file;
};

INLINE struct opened opened_by(s64 fd) {
  struct opened opened = {};
  struct task_struct* task = (void*)get_current_task();
  struct file* file = file_of(task, fd);
  if (!file) return opened;
  struct inode* inode = READ(file, f_inode);
  struct super_block* super = READ(inode, i_sb);
  opened.device = encoded_device(READ(super, s_dev));
  opened.inode = READ(inode, i_ino);
  opened.file = file;
  if (READ(file, f_mode) & FILE_CREATED) opened.flags |= FLAG_O_F_CREATED;
  enum layer layer = layer_of(inode);
  if (layer == kUpperLayer) opened.flags |= FLAG_FD_UPPER_LAYER;
  if (layer == kLowerLayer) opened.flags |= FLAG_FD_LOWER_LAYER;
  return opened;
}

// --- Paths of opens. The probe reads a path when the call returns. Another thread may have changed
// it after the kernel read it, so its last component is compared with the name of the file.
// Symbolic links differ too; the reader checks those.
#define COMPARED 64  // compared bytes at the end of a name

struct ends {
  u64 of_path[COMPARED / 8], of_name[COMPARED / 8];
};
#define ENDS(writer) ((struct ends*)NAME(writer))

// The directory entry that was opened; for an unnamed file (O_TMPFILE), its directory.
INLINE struct dentry* found_entry(struct file* file, bool is_unnamed) {
  struct dentry* dentry = READ(file, f_path.dentry);
  if (is_unnamed) return READ(dentry, d_parent);
  struct vfsmount* vfsmount = READ(file, f_path.mnt);
  if (dentry != READ(vfsmount, mnt_root)) return dentry;
  struct mount* mount = CONTAINER(vfsmount, struct mount, mnt);
  return READ(mount, mnt_parent) == mount ? dentry : READ(mount, mnt_mountpoint);
}

// The directory that "/" or "." stands for.
INLINE struct dentry* start_directory(struct task_struct* task, u8 of, s64 directory) {
  struct fs_struct* fs = READ(task, fs);
  if (of == '/') return READ(fs, root.dentry);
  if ((s32)directory == AT_FDCWD) return READ(fs, pwd.dentry);
  struct file* file = file_of(task, (s32)directory);
  return file ? READ(file, f_path.dentry) : 0;
}

// A position in the event that the verifier can bound.
INLINE const u8* byte_of(struct writer* writer, u32 at) {
  FORGET(at);
  if (at > kMaxEventBytes) at = 0;
  return writer->start + at;
}

// Whether the path from `at` to `end`, without the NUL, ends with the name of the file.
INLINE bool ends_with_name(struct writer* writer, u32 at, u32 end, struct dentry* dentry) {
  struct ends* ends = ENDS(writer);
  u32 size = READ(dentry, d_name.len);
  const u8* name = READ(dentry, d_name.name);
  if (size > end - at) return 0;
  u8 before = '/';
  if (size < end - at) probe_read_kernel(&before, 1, byte_of(writer, end - size - 1));
  if (before != '/') return 0;
  u32 compared = size < COMPARED ? size : COMPARED;
  FORGET(compared);
  if (compared > COMPARED) return 0;
  __builtin_memset(ends, 0, sizeof(*ends));
  probe_read_kernel(ends->of_path, compared, byte_of(writer, end - compared));
  probe_read_kernel(ends->of_name, compared, name + (size - compared));
  u64 difference = 0;
  for (int i = 0; i < COMPARED / 8; i++) difference |= ends->of_path[i] ^ ends->of_name[i];
  return difference == 0;
}

// Adds the path. Returns FLAG_PATH_DOUBTFUL if it may belong to another file.
INLINE u32 add_opened_path(struct writer* writer, u64 from, struct file* file, s64 directory,
                           u64 flags) {
  u32 at = *AT(writer);
  add_user_text(writer, from);
  struct task_struct* task = (void*)get_current_task();
  struct mm_struct* mm = READ(task, mm);
  if (!file || !mm || READ(mm, mm_users) <= 1) return 0;
  const u32 end = *AT(writer) - 1;
  if (end <= at) return 0;
  const bool is_unnamed = (flags & CALL_TMPFILE) == CALL_TMPFILE;
  u8 first = 0;
  probe_read_kernel(&first, 1, byte_of(writer, at));
  if (end - at == 1 && (first == '.' || first == '/')) {
    struct dentry* dentry = READ(file, f_path.dentry);
    if (is_unnamed) dentry = READ(dentry, d_parent);
    return dentry == start_directory(task, first, directory) ? 0 : FLAG_PATH_DOUBTFUL;
  }
  return ends_with_name(writer, at, end, found_entry(file, is_unnamed)) ? 0 : FLAG_PATH_DOUBTFUL;
}

// The mode matters only if the call may create a file.
INLINE u32 open_mode(u64 flags, u64 mode) {
  return (flags & 0x40) || (flags & 0x410000) == 0x410000 ? mode & 07777 : 0;
}

CALL(open) {
  struct writer writer;
  struct opened opened = opened_by(RESULT(ctx));
  if (!begin(&writer, event_of_open)) return 0;
  add_s64(&writer, RESULT(ctx));
  const u32 doubt = add_opened_path(&writer, ARG1(ctx), opened.file, AT_FDCWD, ARG2(ctx));
  add_u32(&writer, open_flags(ARG2(ctx)) | opened.flags | doubt);
  add_u32(&writer, open_mode(ARG2(ctx), ARG3(ctx)));
  add_u32(&writer, opened.device);
  add_u64(&writer, opened.inode);
  submit(&writer);
  return 0;
}

CALL(openat) {
  struct writer writer;
  struct opened opened = opened_by(RESULT(ctx));
  if (!begin(&writer, event_of_openat)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_fd(&writer, ARG1(ctx));
  const u32 doubt = add_opened_path(&writer, ARG2(ctx), opened.file, ARG1(ctx), ARG3(ctx));
  add_u32(&writer, open_flags(ARG3(ctx)) | opened.flags | doubt);
  add_u32(&writer, open_mode(ARG3(ctx), ARG4(ctx)));
  add_u32(&writer, opened.device);
  add_u64(&writer, opened.inode);
  submit(&writer);
  return 0;
}

CALL(openat2) {
  struct {
    u64 flags, mode, resolve;
  } how = {};
  struct writer writer;
  struct opened opened = opened_by(RESULT(ctx));
  if (probe_read_user(&how, sizeof(how), (void*)ARG3(ctx)) < 0) count(kCountUnread);
  if (!begin(&writer, event_of_openat2)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_fd(&writer, ARG1(ctx));
  const u32 doubt = add_opened_path(&writer, ARG2(ctx), opened.file, ARG1(ctx), how.flags);
  add_u32(&writer, open_flags(how.flags) | opened.flags | doubt);
  add_u32(&writer, open_mode(how.flags, how.mode));
  add_u32(&writer, resolve_flags(how.resolve));
  add_u32(&writer, opened.device);
  add_u64(&writer, opened.inode);
  submit(&writer);
  return 0;
}

CALL(creat) {
  struct writer writer;
  struct opened opened = opened_by(RESULT(ctx));
  if (!begin(&writer, event_of_creat)) return 0;
  add_s64(&writer, RESULT(ctx));
  const u32 doubt = add_opened_path(&writer, ARG1(ctx), opened.file, AT_FDCWD, 0);
  add_u32(&writer, ARG2(ctx) & 07777);
  add_u32(&writer, opened.device);
  add_u64(&writer, opened.inode);
  const u16 layer = opened.flags & FLAG_FD_UPPER_LAYER   ? 1
                    : opened.flags & FLAG_FD_LOWER_LAYER ? 2
                                                         : 0;
  add_u16(&writer, layer | (doubt ? CREAT_DOUBTFUL : 0));
  submit(&writer);
  return 0;
}

// The call has a handle instead of a path, so use the kernel's path.
CALL(open_by_handle_at) {
  struct writer writer;
  struct opened opened = opened_by(RESULT(ctx));
  struct task_struct* task = (void*)get_current_task();
  struct file* file = file_of(task, RESULT(ctx));
  if (!begin(&writer, event_of_open_by_handle_at)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_fd(&writer, ARG1(ctx));
  add_u32(&writer, open_flags(ARG3(ctx)) | opened.flags);
  if (file) {
    add_file_path(&writer, task, file);
  } else {
    put_empty(&writer);
  }
  add_u32(&writer, opened.device);
  add_u64(&writer, opened.inode);
  submit(&writer);
  return 0;
}

CALL(close) {
  struct writer writer;
  if (!begin_fixed(&writer, event_of_close)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_fd(&writer, ARG1(ctx));
  submit_fixed(&writer);
  return 0;
}

CALL(close_range) {
  struct writer writer;
  if (!begin_fixed(&writer, event_of_close_range)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_u32(&writer, ARG1(ctx));
  put_u32(&writer, ARG2(ctx));
  put_u32(&writer, ARG3(ctx));
  submit_fixed(&writer);
  return 0;
}

// --- Reading and writing.
INLINE int transfer(u64* ctx, u16 code, u64 moved, bool positioned) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  if (config.snaplen == 0) {
    if (!begin_fixed(&writer, code)) return 0;
    put_s64(&writer, RESULT(ctx));
    put_empty(&writer);
    put_fd(&writer, ARG1(ctx));
    put_u32(&writer, ARG3(ctx));
    if (positioned) put_u64(&writer, ARG4(ctx));
    submit_fixed(&writer);
    return 0;
  }
  if (!begin(&writer, code)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_user_data(&writer, ARG2(ctx), moved);
  add_fd(&writer, ARG1(ctx));
  add_u32(&writer, ARG3(ctx));
  if (positioned) add_u64(&writer, ARG4(ctx));
  submit(&writer);
  return 0;
}

INLINE u64 bytes_read(u64* ctx) {
  return RESULT(ctx) > 0 ? RESULT(ctx) : 0;
}

// Bytes written; those requested if the call failed.
INLINE u64 bytes_written(u64* ctx, u64 wanted) {
  return RESULT(ctx) >= 0 ? (u64)RESULT(ctx) : wanted;
}

CALL(read) {
  return transfer(ctx, event_of_read, bytes_read(ctx), 0);
}
CALL(write) {
  return transfer(ctx, event_of_write, bytes_written(ctx, ARG3(ctx)), 0);
}
CALL(pread64) {
  return transfer(ctx, event_of_pread64, bytes_read(ctx), 1);
}
CALL(pwrite64) {
  return transfer(ctx, event_of_pwrite64, bytes_written(ctx, ARG3(ctx)), 1);
}

struct iovec {
  u64 start, length;
};

#define MAX_IOVECS 16

struct iovecs {
  struct iovec iovec[MAX_IOVECS];
};

// Total size of the first MAX_IOVECS buffers. Keeps them for add_iovecs().
INLINE u64 size_of_iovecs(struct writer* writer, u64 from, u64 amount) {
  struct iovecs* iovecs = IOVECS(writer);
  u64 size = 0;
  if (amount > MAX_IOVECS) amount = MAX_IOVECS;
  u32 bytes = amount * sizeof(struct iovec);
  iovecs->iovec[0].length = 0;
  FORGET(bytes);
  if (bytes > sizeof(*iovecs)) bytes = sizeof(*iovecs);
  if (bytes == 0) return 0;
  if (probe_read_user(iovecs, bytes, (void*)from) < 0) {
    count(kCountUnread);
    return 0;
  }
  for (u64 i = 0; i < MAX_IOVECS; i++) {
    if (i < amount) size += iovecs->iovec[i].length;
  }
  return size;
}

// Data of the first buffer. Call size_of_iovecs() first.
INLINE void add_iovecs(struct writer* writer, u64 moved) {
  if (config.snaplen == 0) {
    put_empty(writer);
    return;
  }
  struct iovec first = IOVECS(writer)->iovec[0];
  add_user_data(writer, first.start, moved < first.length ? moved : first.length);
}

// Events of reads have the size before the data, events of writes after the descriptor.
INLINE int transfer_iovecs(u64* ctx, u16 code, bool reads, bool positioned) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  if (!begin(&writer, code)) return 0;
  u64 size = size_of_iovecs(&writer, ARG2(ctx), ARG3(ctx));
  add_s64(&writer, RESULT(ctx));
  if (reads) add_u32(&writer, bytes_read(ctx));
  add_iovecs(&writer, reads ? bytes_read(ctx) : bytes_written(ctx, size));
  add_fd(&writer, ARG1(ctx));
  if (!reads) add_u32(&writer, size);
  if (positioned) add_u64(&writer, ARG4(ctx));
  submit(&writer);
  return 0;
}

CALL(readv) {
  return transfer_iovecs(ctx, event_of_readv, 1, 0);
}
CALL(writev) {
  return transfer_iovecs(ctx, event_of_writev, 0, 0);
}
CALL(preadv) {
  return transfer_iovecs(ctx, event_of_preadv, 1, 1);
}
CALL(pwritev) {
  return transfer_iovecs(ctx, event_of_pwritev, 0, 1);
}
CALL(preadv2) {
  return transfer_iovecs(ctx, event_of_preadv2, 1, 1);
}
CALL(pwritev2) {
  return transfer_iovecs(ctx, event_of_pwritev2, 0, 1);
}

INLINE u64 user_u64(u64 from) {
  u64 value = 0;
  if (from) probe_read_user(&value, sizeof(value), (void*)from);
  return value;
}

CALL(sendfile) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  if (!begin_fixed(&writer, event_of_sendfile)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_u64(&writer, user_u64(ARG3(ctx)));
  put_fd(&writer, ARG1(ctx));
  put_fd(&writer, ARG2(ctx));
  put_u64(&writer, ARG4(ctx));
  submit_fixed(&writer);
  return 0;
}

CALL(splice) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  if (!begin_fixed(&writer, event_of_splice)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_fd(&writer, ARG1(ctx));
  put_fd(&writer, ARG3(ctx));
  put_u64(&writer, ARG5(ctx));
  put_u32(&writer, ARG6(ctx));
  submit_fixed(&writer);
  return 0;
}

CALL(copy_file_range) {
  if (is_sampled_out()) return 0;
  struct writer writer;
  if (!begin_fixed(&writer, event_of_copy_file_range)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_fd(&writer, ARG3(ctx));
  put_u64(&writer, user_u64(ARG4(ctx)));
  put_fd(&writer, ARG1(ctx));
  put_u64(&writer, user_u64(ARG2(ctx)));
  put_u64(&writer, ARG5(ctx));
  submit_fixed(&writer);
  return 0;
}

// Anonymous mappings are recorded with all_calls only.
CALL(mmap) {
  if ((s32)ARG5(ctx) < 0 && !config.all_calls) return 0;
  struct writer writer;
  struct task_struct* task = (void*)get_current_task();
  if (!begin(&writer, event_of_mmap)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_memory(&writer, task);
  add_u64(&writer, ARG1(ctx));
  add_u64(&writer, ARG2(ctx));
  add_u32(&writer, mmap_protection(ARG3(ctx)));
  add_u32(&writer, mmap_flags(ARG4(ctx)));
  add_fd(&writer, ARG5(ctx));
  add_u64(&writer, ARG6(ctx));
  submit(&writer);
  return 0;
}

// --- Calls with paths. The result, then the parameters of `add`.
#define NAMED(name, add)                            \
  CALL(name) {                                      \
    struct writer writer;                           \
    if (!begin(&writer, event_of_##name)) return 0; \
    add_s64(&writer, RESULT(ctx));                  \
    add;                                            \
    submit(&writer);                                \
    return 0;                                       \
  }
#define TEXT(argument) add_user_text(&writer, argument(ctx))
#define FD(argument) add_fd(&writer, argument(ctx))
#define U32(argument) add_u32(&writer, argument(ctx))
#define U64(argument) add_u64(&writer, argument(ctx))
#define VALUE32(value) add_u32(&writer, value)
#define MASKED(argument, mask) add_u32(&writer, argument(ctx) & (mask))

NAMED(rename, TEXT(ARG1); TEXT(ARG2))
NAMED(renameat, FD(ARG1); TEXT(ARG2); FD(ARG3); TEXT(ARG4))
NAMED(renameat2, FD(ARG1); TEXT(ARG2); FD(ARG3); TEXT(ARG4); U32(ARG5))
NAMED(link, TEXT(ARG1); TEXT(ARG2))
NAMED(linkat, FD(ARG1); TEXT(ARG2); FD(ARG3); TEXT(ARG4); MASKED(ARG5, 0x1400))
NAMED(symlink, TEXT(ARG1); TEXT(ARG2))
NAMED(symlinkat, TEXT(ARG1); FD(ARG2); TEXT(ARG3))
NAMED(unlink, TEXT(ARG1))
NAMED(unlinkat, FD(ARG1); TEXT(ARG2); MASKED(ARG3, 0x200))
NAMED(mkdir, TEXT(ARG1); U32(ARG2))
NAMED(mkdirat, FD(ARG1); TEXT(ARG2); U32(ARG3))
NAMED(rmdir, TEXT(ARG1))
NAMED(chmod, TEXT(ARG1); MASKED(ARG2, 07777))
NAMED(fchmod, FD(ARG1); MASKED(ARG2, 07777))
NAMED(fchmodat, FD(ARG1); TEXT(ARG2); MASKED(ARG3, 07777))
// Recorded as fchmodat.
NAMED(fchmodat2, FD(ARG1); TEXT(ARG2); MASKED(ARG3, 07777))
NAMED(chown, TEXT(ARG1); U32(ARG2); U32(ARG3))
NAMED(lchown, TEXT(ARG1); U32(ARG2); U32(ARG3))
NAMED(fchown, FD(ARG1); U32(ARG2); U32(ARG3))
NAMED(fchownat, FD(ARG1); TEXT(ARG2); U32(ARG3); U32(ARG4); VALUE32(fchownat_flags(ARG5(ctx))))
NAMED(mknod, TEXT(ARG1); VALUE32(node_mode(ARG2(ctx))); U32(ARG3))
NAMED(mknodat, FD(ARG1); TEXT(ARG2); VALUE32(node_mode(ARG3(ctx))); U32(ARG4))
NAMED(chdir, TEXT(ARG1))
NAMED(fchdir, FD(ARG1))
NAMED(chroot, TEXT(ARG1))
NAMED(mount, TEXT(ARG1); TEXT(ARG2); TEXT(ARG3); VALUE32(mount_flags(ARG4(ctx))))
NAMED(umount2, TEXT(ARG1); MASKED(ARG2, 15))

// If the call failed, the buffer has no path.
CALL(getcwd) {
  struct writer writer;
  if (!begin(&writer, event_of_getcwd)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_user_text(&writer, RESULT(ctx) > 0 ? ARG1(ctx) : 0);
  submit(&writer);
  return 0;
}
