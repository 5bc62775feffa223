// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Kernel types that the probe reads, with the kernel's names. Only the members in use are declared:
// the loader takes the offsets from the running kernel's BTF. A suffix after ___ marks another
// kernel version.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef _Bool bool;

// Always read as a whole.
typedef struct {
  u32 val;
} kuid_t;
typedef struct {
  u32 val;
} kgid_t;
typedef struct {
  u64 val;
} kernel_cap_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
  unsigned long r10, r9, r8, dx, si, di, orig_ax;
};

struct qstr {
  u32 len;
  const unsigned char* name;
};

struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
  struct super_block* d_sb;
};

struct vfsmount {
  struct dentry* mnt_root;
};

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};

struct super_block {
  u32 s_dev;
  unsigned long s_magic;
};

struct timespec64 {
  s64 tv_sec;
  long tv_nsec;
};

struct inode {
  u16 i_mode;
  kuid_t i_uid;
  kgid_t i_gid;
  struct super_block* i_sb;
  unsigned long i_ino;
  // Linux 6.11 and later.
  s64 i_ctime_sec;
  u32 i_ctime_nsec;
  s64 i_mtime_sec;
  u32 i_mtime_nsec;
};

struct inode___before_6_11 {
  struct timespec64 __i_ctime, __i_mtime;
};

struct inode___before_6_6 {
  struct timespec64 i_ctime, i_mtime;
};

struct file {
  struct inode* f_inode;
  struct path f_path;
  void* private_data;
  u32 f_mode;
};

struct fdtable {
  u32 max_fds;
  struct file** fd;
};

struct files_struct {
  struct fdtable* fdt;
};

struct fs_struct {
  struct path root, pwd;
};

struct percpu_counter {
  s64 count;
};

struct mm_struct {
  int mm_users;  // the only member of an atomic_t
  unsigned long total_vm;
  unsigned long arg_start, arg_end, env_start, env_end;
  struct file* exe_file;
  struct percpu_counter rss_stat[4];
};

// Type of mm_struct.rss_stat before Linux 6.2.
struct mm_rss_stat {
  s64 count[4];
};

struct mm_struct___before_6_2 {
  struct mm_rss_stat rss_stat;
};

struct cred {
  kuid_t uid, euid, suid;
  kgid_t gid, egid, sgid;
  kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
};

struct upid {
  int nr;
  struct pid_namespace* ns;
};

struct pid {
  u32 level;
  struct upid numbers[1];
};

struct rlimit {
  unsigned long rlim_cur, rlim_max;
};

struct tty_driver {
  int major, minor_start;
};

struct tty_struct {
  struct tty_driver* driver;
  int index;
};

struct list_head {
  struct list_head *next, *prev;
};

struct signal_struct {
  struct pid* pids[4];
  struct rlimit rlim[16];
  struct tty_struct* tty;
  struct list_head thread_head;
  u32 is_child_subreaper : 1;
};

struct pid_namespace {
  struct task_struct* child_reaper;
};

struct nsproxy {
  struct pid_namespace* pid_ns_for_children;
};

struct kernfs_node {
  struct kernfs_node* __parent;
  const char* name;
};

struct kernfs_node___before_6_15 {
  struct kernfs_node* parent;
};

struct cgroup_root;

struct cgroup {
  struct kernfs_node* kn;
  struct cgroup_root* root;
};

struct cgroup_subsys {
  const char* name;
};

struct cgroup_subsys_state {
  struct cgroup* cgroup;
  struct cgroup_subsys* ss;
};

struct css_set {
  struct cgroup_subsys_state* subsys[16];
  struct cgroup* dfl_cgrp;
};

struct thread_info {
  u32 status;
};

struct task_struct {
  struct thread_info thread_info;
  u32 flags;
  int pid, tgid;
  int exit_code, exit_signal;
  struct task_struct *real_parent, *group_leader;
  struct list_head children, thread_node;
  struct pid* thread_pid;
  u64 start_boottime;
  unsigned long min_flt, maj_flt;
  struct cred* cred;
  char comm[16];
  struct fs_struct* fs;
  struct files_struct* files;
  struct nsproxy* nsproxy;
  struct signal_struct* signal;
  kuid_t loginuid;
  struct mm_struct* mm;
  struct css_set* cgroups;
};

struct linux_binprm {
  const char* filename;
};

// Read as 16 bytes.
struct in6_addr {
  u8 unused;
};

struct sock_common {
  u32 skc_daddr, skc_rcv_saddr;
  u16 skc_dport, skc_num, skc_family;
  struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
  struct sock_common __sk_common;
  u32 sk_ack_backlog, sk_max_ack_backlog;
  u16 sk_type, sk_protocol;
};

struct socket {
  short type;
  struct sock* sk;
};

// A struct sockaddr_un of `len` bytes; the probe reads its path.
struct unix_address {
  int len;
  char name[1];
};

struct unix_sock {
  struct unix_address* addr;
  struct sock* peer;
};

#pragma clang attribute pop
