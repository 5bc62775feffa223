// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls that start, change and end processes.
#pragma once

#include "sockets.h"

#define EXE_WRITABLE 1
#define EXE_UPPER_LAYER 2
#define EXE_FROM_MEMFD 4
#define EXE_LOWER_LAYER 8
#define TASK_EXITING 4  // PF_EXITING

INLINE void add_comm(struct writer* writer, struct task_struct* task) {
  add_kernel_text(writer, (const char*)__builtin_preserve_access_index(&task->comm));
}

// The parameters that clone and exec events share, from the result to the control groups.
INLINE void add_process(struct writer* writer, struct task_struct* task, s64 result) {
  add_s64(writer, result);
  add_arguments(writer, task);
  add_s64(writer, READ(task, pid));
  add_s64(writer, READ(task, tgid));
  add_s64(writer, parent_pid(task));
  put_empty(writer);  // the engine knows the working directory
  add_s64(writer, open_file_limit(task));
  add_u64(writer, READ(task, maj_flt));
  add_u64(writer, READ(task, min_flt));
  add_memory(writer, task);
  add_comm(writer, task);
  add_cgroups(writer, task);
}

// What a new task shares with its creator, as clone flags. Used for clone3 in the child: the
// creator may have reused the memory with the flags.
INLINE u32 shared_with_parent(struct task_struct* task) {
  bool is_thread = READ(task, pid) != READ(task, tgid);
  struct task_struct* creator = is_thread ? READ(task, group_leader) : READ(task, real_parent);
  u32 flags = is_thread ? 8192 : 0;
  if (READ(task, mm) == READ(creator, mm)) flags |= 32768;
  if (READ(task, files) == READ(creator, files)) flags |= 1;
  if (READ(task, fs) == READ(creator, fs)) flags |= 2;
  return flags;
}

INLINE u32 flags_of_new_task(u64* ctx, u64 number, struct task_struct* task) {
  if (number == number_of_clone) return clone_flags(ARG1(ctx));
  if (number != number_of_clone3) return 0;
  return RESULT(ctx) == 0 ? shared_with_parent(task) : clone_flags(user_u64(ARG1(ctx)));
}

// The caller and the child both record the call. A caller does not know the child's id outside its
// own namespace. One program for all these calls, since its check by the kernel takes long.
CALLS(clone, "clone,fork,vfork,clone3") {
  struct writer writer;
  struct task_struct* task = (void*)get_current_task();
  struct cred* cred = READ(task, cred);
  const u64 number = REGISTER(ctx, orig_ax);
  u32 flags = flags_of_new_task(ctx, number, task);
  if (pid_level(task) != 0) flags |= CLONE_IN_PIDNS;
  if (!begin(&writer, event_of_clone)) return 0;
  if (number == number_of_fork) become(&writer, event_of_fork);
  if (number == number_of_vfork) become(&writer, event_of_vfork);
  if (number == number_of_clone3) become(&writer, event_of_clone3);
  add_process(&writer, task, RESULT(ctx));
  add_u32(&writer, flags);
  add_u32(&writer, READ(cred, euid).val);
  add_u32(&writer, READ(cred, egid).val);
  add_s64(&writer, inner_tid(task));
  add_s64(&writer, inner_pid(task, kPidOfProcess));
  add_u64(&writer, RESULT(ctx) == 0 ? namespace_start(task) : 0);
  submit(&writer);
  return 0;
}

INLINE bool is_writable_by(struct inode* inode, struct cred* cred) {
  u16 mode = READ(inode, i_mode);
  u32 uid = READ(cred, euid).val;
  if (uid == 0 || READ(cred, cap_effective).val & 2) return 1;  // CAP_DAC_OVERRIDE
  if (READ(inode, i_uid).val == uid) return mode & 0200;
  if (READ(inode, i_gid).val == READ(cred, egid).val) return mode & 0020;
  return mode & 0002;
}

INLINE u32 executable_flags(struct file* file, struct inode* inode, struct cred* cred) {
  u32 flags = is_writable_by(inode, cred) ? EXE_WRITABLE : 0;
  struct dentry* dentry = READ(file, f_path.dentry);
  if (READ(dentry, d_parent) == dentry) {
    char name[8] = {};
    probe_read_kernel_str(name, sizeof(name), READ(dentry, d_name.name));
    if (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd') {
      flags |= EXE_FROM_MEMFD;
    }
  }
  enum layer layer = layer_of(inode);
  if (layer == kUpperLayer) flags |= EXE_UPPER_LAYER;
  if (layer == kLowerLayer) flags |= EXE_LOWER_LAYER;
  return flags;
}

INLINE void add_execution(struct writer* writer, struct task_struct* task, s64 result) {
  struct cred* cred = READ(task, cred);
  struct mm_struct* mm = READ(task, mm);
  struct file* file = READ(mm, exe_file);
  struct inode* inode = READ(file, f_inode);
  add_process(writer, task, result);
  add_environment(writer, task);
  add_u32(writer, terminal(task));
  add_s64(writer, inner_pid(task, kPidOfGroup));
  add_u32(writer, login_uid(task));
  add_u32(writer, executable_flags(file, inode, cred));
  add_u64(writer, READ(cred, cap_inheritable).val);
  add_u64(writer, READ(cred, cap_permitted).val);
  add_u64(writer, READ(cred, cap_effective).val);
  add_u64(writer, READ(inode, i_ino));
  add_u64(writer, change_time(inode));
  add_u64(writer, modification_time(inode));
  add_u32(writer, READ(cred, euid).val);
  add_file_path(writer, task, file);
  add_s64(writer, outer_pid(task, kPidOfGroup));
  add_u32(writer, READ(cred, egid).val);
}

// Only failed calls. run_exec in probe.bpf.c records the others, once the new program is in place.
CALLS(execve, "execve,execveat") {
  if (RESULT(ctx) >= 0) return 0;
  struct writer writer;
  struct task_struct* task = (void*)get_current_task();
  if (!begin(&writer, event_of_execve)) return 0;
  if (REGISTER(ctx, orig_ax) == number_of_execveat) become(&writer, event_of_execveat);
  add_execution(&writer, task, RESULT(ctx));
  // Read from the event, so that the verifier need not check the above for each call.
  if (code_of(&writer) == event_of_execveat) {
    writer.index += 1;  // the event has no path
  } else {
    add_user_text(&writer, ARG1(ctx));
  }
  submit(&writer);
  return 0;
}

// Reads a bit field of the kernel. Relocation 0 is its byte offset, 1 its size.
INLINE bool is_subreaper(struct signal_struct* signal) {
  u32 offset = __builtin_preserve_field_info(signal->is_child_subreaper, 0);
  u64 value = 0;
  switch (__builtin_preserve_field_info(signal->is_child_subreaper, 1)) {
    case 1: probe_read_kernel(&value, 1, (char*)signal + offset); break;
    case 2: probe_read_kernel(&value, 2, (char*)signal + offset); break;
    case 4: probe_read_kernel(&value, 4, (char*)signal + offset); break;
    case 8: probe_read_kernel(&value, 8, (char*)signal + offset); break;
  }
  value <<= __builtin_preserve_field_info(signal->is_child_subreaper, 4);
  return value >> __builtin_preserve_field_info(signal->is_child_subreaper, 5);
}

#define MAX_THREADS 32
#define MAX_ANCESTORS 16

INLINE bool is_exiting(struct task_struct* task) {
  return READ(task, flags) & TASK_EXITING;
}

// A living thread of the process of `task`; 0 if there is none, -1 if there are too many to check.
INLINE s64 living_thread(struct task_struct* task, struct task_struct* except) {
  struct signal_struct* signal = READ(task, signal);
  struct list_head* head = (void*)__builtin_preserve_access_index(&signal->thread_head);
  struct list_head* entry = READ(head, next);
  for (int i = 0; i < MAX_THREADS; i++) {
    if (entry == head) return 0;
    struct task_struct* thread = CONTAINER(entry, struct task_struct, thread_node);
    if (thread != except && !is_exiting(thread)) return READ(thread, pid);
    entry = READ(entry, next);
  }
  return -1;
}

// The process that adopts the children of an ending thread; 0 if it has none, -1 if unknown.
INLINE s64 reaper_of(struct task_struct* task) {
  struct list_head* children = (void*)__builtin_preserve_access_index(&task->children);
  if (READ(children, next) == children) return 0;
  // All processes of a namespace end with its first process.
  if (inner_pid(task, kPidOfProcess) == 1) return 0;
  s64 thread = living_thread(task, task);
  if (thread != 0) return thread;
  u32 level = pid_level(task);
  struct task_struct* ancestor = READ(task, real_parent);
  for (int i = 0; i < MAX_ANCESTORS; i++) {
    if (pid_level(ancestor) != level || READ(ancestor, pid) == 0) break;
    struct signal_struct* signal = READ(ancestor, signal);
    if (is_subreaper(signal)) {
      s64 reaper = living_thread(ancestor, task);
      if (reaper != 0) return reaper;
    }
    ancestor = READ(ancestor, real_parent);
  }
  struct pid* pid = READ(task, thread_pid);
  struct upid upid = {};
  if (level > 31) return -1;
  probe_read_kernel(
      &upid, sizeof(upid),
      (char*)__builtin_preserve_access_index(&pid->numbers[0]) + level * sizeof(upid));
  struct task_struct* init = READ(upid.ns, child_reaper);
  return READ(init, pid);
}

// --- Ids.
NUMBERS(setuid, PUT_U32(ARG1))
NUMBERS(setgid, PUT_U32(ARG1))
NUMBERS(setreuid, PUT_U32(ARG1); PUT_U32(ARG2))
NUMBERS(setregid, PUT_U32(ARG1); PUT_U32(ARG2))
NUMBERS(setresuid, PUT_U32(ARG1); PUT_U32(ARG2); PUT_U32(ARG3))
NUMBERS(setresgid, PUT_U32(ARG1); PUT_U32(ARG2); PUT_U32(ARG3))
NUMBERS(setsid, )
NUMBERS(setpgid, PUT_FD(ARG1); PUT_FD(ARG2))
NUMBERS(setns, PUT_FD(ARG1); put_u32(&writer, clone_flags(ARG2(ctx))))
NUMBERS(unshare, put_u32(&writer, clone_flags(ARG1(ctx))))
NUMBERS(seccomp, PUT_U64(ARG1); PUT_U64(ARG2))

CALL(capset) {
  struct task_struct* task = (void*)get_current_task();
  struct cred* cred = READ(task, cred);
  struct writer writer;
  if (!begin_fixed(&writer, event_of_capset)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_u64(&writer, READ(cred, cap_inheritable).val);
  put_u64(&writer, READ(cred, cap_permitted).val);
  put_u64(&writer, READ(cred, cap_effective).val);
  submit_fixed(&writer);
  return 0;
}

#define SET_NAME 15
#define GET_NAME 16
#define GET_CHILD_SUBREAPER 37

CALL(prctl) {
  struct writer writer;
  u64 option = (u32)ARG1(ctx);
  if (!begin(&writer, event_of_prctl)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_u32(&writer, option);
  if (option == SET_NAME || option == GET_NAME) {
    add_user_text(&writer, ARG2(ctx));
    add_s64(&writer, 0);
  } else {
    put_empty(&writer);
    add_s64(&writer,
            option == GET_CHILD_SUBREAPER ? (s64)(s32)user_u64(ARG2(ctx)) : (s64)ARG2(ctx));
  }
  submit(&writer);
  return 0;
}

struct limits {
  s64 soft, hard;
};

INLINE struct limits user_limits(u64 from) {
  struct limits limits = {};
  if (from) probe_read_user(&limits, sizeof(limits), (void*)from);
  return limits;
}

INLINE u8 limit_kind(u64 value) {
  return (u32)value < 16 ? (u8)value : 255;
}

INLINE int limit_call(u64* ctx, u16 code, struct limits limits) {
  struct writer writer;
  if (!begin_fixed(&writer, code)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_s64(&writer, limits.soft);
  put_s64(&writer, limits.hard);
  put_u8(&writer, limit_kind(ARG1(ctx)));
  submit_fixed(&writer);
  return 0;
}

CALL(setrlimit) {
  return limit_call(ctx, event_of_setrlimit, user_limits(ARG2(ctx)));
}

CALL(prlimit64) {
  struct limits next = user_limits(ARG3(ctx));
  struct limits previous = user_limits(RESULT(ctx) >= 0 ? ARG4(ctx) : 0);
  // A call without new limits changes nothing.
  if (ARG3(ctx) == 0 && !config.all_calls) return 0;
  struct writer writer;
  if (!begin_fixed(&writer, event_of_prlimit64)) return 0;
  put_s64(&writer, RESULT(ctx));
  put_s64(&writer, next.soft);
  put_s64(&writer, next.hard);
  put_s64(&writer, previous.soft);
  put_s64(&writer, previous.hard);
  put_s64(&writer, (s32)ARG1(ctx));
  put_u8(&writer, limit_kind(ARG2(ctx)));
  submit_fixed(&writer);
  return 0;
}

// --- Access to other processes, and kernel modules. The first byte is the type of the value.
INLINE void add_choice_u64(struct writer* writer, u64 value) {
  u8* to = place(writer);
  to[0] = 0;
  *(u64*)(to + 1) = value;
  put_bytes_read(writer, 9);
}

INLINE void add_choice_signal(struct writer* writer, u8 value) {
  u8* to = place(writer);
  to[0] = 1;
  to[1] = value;
  put_bytes_read(writer, 2);
}

CALL(ptrace) {
  struct writer writer;
  u16 request = ptrace_request(ARG1(ctx));
  bool failed = RESULT(ctx) < 0;
  if (!begin(&writer, event_of_ptrace)) return 0;
  add_s64(&writer, RESULT(ctx));
  add_choice_u64(&writer, failed ? 0 : ARG3(ctx));
  if (failed) {
    add_choice_u64(&writer, 0);
  } else if (request >= 2 && request <= 4) {  // PEEK requests
    add_choice_u64(&writer, user_u64(ARG4(ctx)));
  } else if (request == 8 || request == 10 || request == 12 || request == 13) {  // with a signal
    add_choice_signal(&writer, ARG4(ctx));
  } else {
    add_choice_u64(&writer, ARG4(ctx));
  }
  add_u16(&writer, request);
  add_s64(&writer, (s32)ARG2(ctx));
  submit(&writer);
  return 0;
}

INLINE int other_memory(u64* ctx, u16 code) {
  struct writer writer;
  if (!begin(&writer, code)) return 0;
  if (config.snaplen) size_of_iovecs(&writer, ARG2(ctx), ARG3(ctx));
  add_s64(&writer, RESULT(ctx));
  add_s64(&writer, (s32)ARG1(ctx));
  add_iovecs(&writer, bytes_read(ctx));
  submit(&writer);
  return 0;
}

CALL(process_vm_readv) {
  return other_memory(ctx, event_of_process_vm_readv);
}
CALL(process_vm_writev) {
  return other_memory(ctx, event_of_process_vm_writev);
}

NAMED(init_module, add_user_data(&writer, ARG1(ctx), ARG2(ctx)); U64(ARG2); TEXT(ARG3))
NAMED(finit_module, FD(ARG1); TEXT(ARG2); add_u32(&writer, ARG3(ctx) & 7))
NAMED(delete_module, TEXT(ARG1); add_u32(&writer, delete_module_flags(ARG2(ctx))))
