// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Reads a thread, its files and its paths.
#pragma once

#include "event.h"

#define PAGE_KB 4
#define TYPE_SIZE 1   // for __builtin_preserve_type_info
#define MAX_DEPTH 48  // of directories
#define MAX_CGROUP_DEPTH 16
#define MAX_SUBSYSTEMS 16

enum pid_type { kPidOfThread, kPidOfProcess, kPidOfGroup, kPidOfSession };

// The id in the innermost namespace of a process id.
INLINE s64 inner_number(struct pid* pid) {
  u32 level = READ(pid, level);
  if (level > 31) return 0;
  struct upid upid;
  probe_read_kernel(&upid.nr, sizeof(upid.nr),
                    (char*)__builtin_preserve_access_index(&pid->numbers[0].nr) +
                        level * __builtin_preserve_field_info(pid->numbers[0], 1));
  return upid.nr;
}

INLINE s64 inner_pid(struct task_struct* task, enum pid_type type) {
  struct signal_struct* signal = READ(task, signal);
  struct pid* pid = READ(signal, pids[type]);
  return inner_number(pid);
}

INLINE s64 outer_pid(struct task_struct* task, enum pid_type type) {
  struct signal_struct* signal = READ(task, signal);
  struct pid* pid = READ(signal, pids[type]);
  return READ(pid, numbers[0].nr);
}

INLINE s64 inner_tid(struct task_struct* task) {
  return inner_number(READ(task, thread_pid));
}

INLINE u32 pid_level(struct task_struct* task) {
  struct pid* pid = READ(task, thread_pid);
  return READ(pid, level);
}

INLINE s64 parent_pid(struct task_struct* task) {
  struct task_struct* parent = READ(task, real_parent);
  return READ(parent, pid);
}

// When the first process of the innermost pid namespace started, in ns since boot.
INLINE u64 namespace_start(struct task_struct* task) {
  struct nsproxy* proxy = READ(task, nsproxy);
  struct pid_namespace* space = READ(proxy, pid_ns_for_children);
  struct task_struct* init = READ(space, child_reaper);
  return READ(init, start_boottime);
}

INLINE s64 open_file_limit(struct task_struct* task) {
  struct signal_struct* signal = READ(task, signal);
  return READ(signal, rlim[7].rlim_cur);
}

INLINE u32 encoded_device(u32 device) {
  // Converts the kernel's 12:20 bits of major:minor to the encoding of system calls.
  u32 major = device >> 20;
  u32 minor = device & 0xfffff;
  return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

INLINE u32 terminal(struct task_struct* task) {
  struct signal_struct* signal = READ(task, signal);
  struct tty_struct* tty = READ(signal, tty);
  if (!tty) return 0;
  struct tty_driver* driver = READ(tty, driver);
  u32 major = READ(driver, major);
  u32 minor = READ(driver, minor_start) + READ(tty, index);
  return encoded_device((major << 20) | minor);
}

INLINE u32 login_uid(struct task_struct* task) {
  return HAS(struct task_struct, loginuid) ? READ(task, loginuid).val : (u32)-1;
}

INLINE u64 resident_pages(struct mm_struct* mm, u32 which) {
  s64 pages = 0;
  if (HAS(struct mm_rss_stat, count)) {
    struct mm_struct___before_6_2* old = (void*)mm;
    pages = READ(old, rss_stat.count[which]);
  } else {
    // The kernel's counters are larger than their declaration here.
    char* counter = (char*)__builtin_preserve_access_index(&mm->rss_stat) +
                    which * __builtin_preserve_type_info(*(struct percpu_counter*)0, TYPE_SIZE);
    pages = READ((struct percpu_counter*)counter, count);
  }
  return pages < 0 ? 0 : pages;
}

// Size, resident and swapped memory, in kB.
INLINE void add_memory(struct writer* writer, struct task_struct* task) {
  struct mm_struct* mm = READ(task, mm);
  if (!mm) {
    add_u32(writer, 0);
    add_u32(writer, 0);
    add_u32(writer, 0);
    return;
  }
  add_u32(writer, READ(mm, total_vm) * PAGE_KB);
  add_u32(writer,
          (resident_pages(mm, 0) + resident_pages(mm, 1) + resident_pages(mm, 3)) * PAGE_KB);
  add_u32(writer, resident_pages(mm, 2) * PAGE_KB);
}

// argv[0], then the other arguments, each with a NUL.
INLINE void add_arguments(struct writer* writer, struct task_struct* task) {
  struct mm_struct* mm = READ(task, mm);
  u64 start = mm ? READ(mm, arg_start) : 0;
  u64 end = mm ? READ(mm, arg_end) : 0;
  if (start >= end) {
    *place(writer) = 0;
    put_bytes_read(writer, 1);
    put_empty(writer);
    return;
  }
  long length = probe_read_user_str(place(writer), 4096, (void*)start);
  if (length < 0) {
    count(kCountUnread);
    length = 0;
  }
  put_bytes_read(writer, length);
  u64 left = end - start - length;
  if (length == 0 || start + length >= end) {
    put_empty(writer);
    return;
  }
  add_user_bytes(writer, start + length, left, 4096, 1);
}

INLINE void add_environment(struct writer* writer, struct task_struct* task) {
  struct mm_struct* mm = READ(task, mm);
  u64 start = mm ? READ(mm, env_start) : 0;
  u64 end = mm ? READ(mm, env_end) : 0;
  add_user_bytes(writer, start, start < end ? end - start : 0, 4096, 1);
}

// --- Paths. They are built backwards, from the last component, in the scratch buffer after the
// event.
struct walk {
  u32 at;    // start of the path in the buffer
  u32 used;  // bytes of the parameter so far
  struct dentry *dentry, *root;
  struct vfsmount *vfsmount, *root_mount;
  struct mount* mount;
  struct kernfs_node* node;
  struct cgroup* group;
};

#define MAX_COMPONENT 255
#define ROOM_FOR_NAMES 512  // start of the buffer, used for names

// False if there is no space: a path that is too long loses its start. The masks change nothing,
// but show the verifier the bounds: it follows both ways of each comparison.
INLINE bool prepend(struct writer* writer, const void* name, u32 length) {
  u8* buffer = writer->start + PATH_AT;
  u32 at = WALK(writer)->at;
  if (at < length + 1 + ROOM_FOR_NAMES) return 0;
  at -= length + 1;
  FORGET(at);
  at &= PATH_BYTES - 1;
  buffer[at] = '/';
  FORGET(length);
  length &= MAX_COMPONENT;
  probe_read_kernel(buffer + at + 1, length, name);
  WALK(writer)->at = at;
  return 1;
}

INLINE void begin_path(struct writer* writer) {
  WALK(writer)->at = PATH_BYTES;
  writer->start[PATH_AT + PATH_BYTES] = 0;
}

// Start of the path; a path without components is "/".
INLINE u32 end_path(struct writer* writer) {
  u32 at = WALK(writer)->at;
  if (at >= PATH_BYTES) {
    at = PATH_BYTES - 1;
    writer->start[PATH_AT + at] = '/';
  }
  return at;
}

// Path of a file, seen from the root directory of `task`.
INLINE void add_file_path(struct writer* writer, struct task_struct* task, struct file* file) {
  volatile struct walk* walk = WALK(writer);
  struct fs_struct* fs = READ(task, fs);
  walk->root = READ(fs, root.dentry);
  walk->root_mount = READ(fs, root.mnt);
  walk->dentry = READ(file, f_path.dentry);
  walk->vfsmount = READ(file, f_path.mnt);
  walk->mount = CONTAINER(walk->vfsmount, struct mount, mnt);
  begin_path(writer);
#pragma clang loop unroll(disable)
  for (int i = 0; i < MAX_DEPTH; i++) {
    struct dentry* dentry = walk->dentry;
    struct vfsmount* vfsmount = walk->vfsmount;
    if (dentry == walk->root && vfsmount == walk->root_mount) break;
    struct dentry* parent = READ(dentry, d_parent);
    if (dentry == READ(vfsmount, mnt_root)) {
      struct mount* mount = walk->mount;
      struct mount* above = READ(mount, mnt_parent);
      if (above == mount) break;
      walk->dentry = READ(mount, mnt_mountpoint);
      walk->mount = above;
      walk->vfsmount = (struct vfsmount*)__builtin_preserve_access_index(&above->mnt);
      continue;
    }
    u32 length = READ(dentry, d_name.len);
    if (length > MAX_COMPONENT) length = MAX_COMPONENT;
    if (!prepend(writer, READ(dentry, d_name.name), length)) break;
    // A file outside the tree, such as a memfd, is its own parent.
    if (dentry == parent) break;
    walk->dentry = parent;
  }
  u32 at = end_path(writer);
  FORGET(at);
  if (at > PATH_BYTES) at = PATH_BYTES;
  put_bytes_read(writer, probe_read_kernel_str(place(writer), 4096, writer->start + PATH_AT + at));
}

INLINE struct kernfs_node* kernfs_parent(struct kernfs_node* node) {
  if (HAS(struct kernfs_node, __parent)) return READ(node, __parent);
  struct kernfs_node___before_6_15* old = (void*)node;
  return READ(old, parent);
}

INLINE void build_cgroup_path(struct writer* writer, struct cgroup* group) {
  begin_path(writer);
  WALK(writer)->node = READ(group, kn);
#pragma clang loop unroll(disable)
  for (int depth = 0; depth < MAX_CGROUP_DEPTH; depth++) {
    struct kernfs_node* node = WALK(writer)->node;
    struct kernfs_node* parent = kernfs_parent(node);
    if (!parent) break;
    // The length of a name is unknown, so copy it to the start of the buffer first.
    u8* name = writer->start + PATH_AT;
    long length = probe_read_kernel_str(name, 256, READ(node, name));
    if (length <= 0) break;
    if (!prepend(writer, name, (u32)length - 1)) break;
    WALK(writer)->node = parent;
  }
  WALK(writer)->at = end_path(writer);
}

// Appends text to the parameter at `start`; false if it is full.
INLINE bool append(struct writer* writer, u8* start, const void* text) {
  u32 used = WALK(writer)->used;
  if (used > 4096 - 512) return 0;
  long length = probe_read_kernel_str(start + used, 512, text);
  if (length <= 0) return 0;
  WALK(writer)->used = used + (u32)length;
  return 1;
}

// subsystem=path of each control group, each with a NUL. Subsystems in the same group share its
// path.
INLINE void add_cgroups(struct writer* writer, struct task_struct* task) {
  struct css_set* set = READ(task, cgroups);
  struct cgroup* unified = READ(set, dfl_cgrp);
  struct cgroup_root* unified_root = READ(unified, root);
  u8* start = place(writer);
  WALK(writer)->group = 0;
  WALK(writer)->used = 0;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < MAX_SUBSYSTEMS; i++) {
    if (i >= __builtin_preserve_field_info(set->subsys, 1) / sizeof(void*)) break;
    struct cgroup_subsys_state* state = READ(set, subsys[i]);
    if (!state) break;
    struct cgroup_subsys* subsystem = READ(state, ss);
    struct cgroup* group = READ(state, cgroup);
    if (READ(group, root) == unified_root) group = unified;
    if (group != WALK(writer)->group) {
      WALK(writer)->group = group;
      build_cgroup_path(writer, group);
    }
    if (!append(writer, start, READ(subsystem, name))) break;
    u32 used = WALK(writer)->used - 1;
    FORGET(used);
    start[used & 4095] = '=';
    u32 at = WALK(writer)->at;
    FORGET(at);
    at &= 2 * PATH_BYTES - 1;
    if (!append(writer, start, writer->start + PATH_AT + at)) break;
  }
  put_bytes_read(writer, WALK(writer)->used);
}

// --- Files.
INLINE struct file* file_of(struct task_struct* task, s64 fd) {
  if (fd < 0) return 0;
  struct files_struct* files = READ(task, files);
  if (!files) return 0;
  struct fdtable* table = READ(files, fdt);
  if ((u64)fd >= READ(table, max_fds)) return 0;
  struct file** entries = READ(table, fd);
  struct file* file = 0;
  probe_read_kernel(&file, sizeof(file), entries + fd);
  return file;
}

INLINE u64 nanoseconds(s64 seconds, s64 fraction) {
  return (u64)seconds * 1000000000 + fraction;
}

INLINE u64 change_time(struct inode* inode) {
  if (HAS(struct inode, i_ctime_sec))
    return nanoseconds(READ(inode, i_ctime_sec), READ(inode, i_ctime_nsec));
  if (HAS(struct inode___before_6_11, __i_ctime)) {
    struct inode___before_6_11* older = (void*)inode;
    return nanoseconds(READ(older, __i_ctime.tv_sec), READ(older, __i_ctime.tv_nsec));
  }
  struct inode___before_6_6* old = (void*)inode;
  return nanoseconds(READ(old, i_ctime.tv_sec), READ(old, i_ctime.tv_nsec));
}

INLINE u64 modification_time(struct inode* inode) {
  if (HAS(struct inode, i_mtime_sec))
    return nanoseconds(READ(inode, i_mtime_sec), READ(inode, i_mtime_nsec));
  if (HAS(struct inode___before_6_11, __i_mtime)) {
    struct inode___before_6_11* older = (void*)inode;
    return nanoseconds(READ(older, __i_mtime.tv_sec), READ(older, __i_mtime.tv_nsec));
  }
  struct inode___before_6_6* old = (void*)inode;
  return nanoseconds(READ(old, i_mtime.tv_sec), READ(old, i_mtime.tv_nsec));
}
