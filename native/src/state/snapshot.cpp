#include "state/snapshot.h"

#include <algorithm>

namespace sfkit::state {
namespace {

scap::ThreadEntry entry_of(const Thread& thread, const ContainerTable& containers) {
  scap::ThreadEntry entry;
  const Thread& process = thread.process_thread();
  entry.tid = thread.tid;
  entry.pid = thread.pid;
  // Lists name the parent process, not the thread that made the child.
  const Thread* const parent = thread.parent();
  entry.ptid = parent != nullptr ? parent->pid : thread.parent_tid();
  entry.sid = process.sid;
  entry.vpgid = process.vpgid;
  entry.comm = thread.comm;
  entry.exe = thread.exe;
  entry.exepath = thread.exepath;
  entry.args = thread.args;
  if (thread.cwd != nullptr) entry.cwd = thread.cwd->text();
  entry.fdlimit = thread.fdlimit;
  entry.flags = thread.flags;
  entry.uid = thread.uid;
  entry.gid = thread.gid;
  entry.env = thread.env;
  entry.vtid = thread.vtid;
  entry.vpid = thread.vpid;
  entry.cgroups = containers.at(thread.container).cgroups;
  entry.root = thread.root;
  entry.tty = process.tty;
  entry.loginuid = thread.loginuid;
  entry.pgid = process.pgid;
  entry.vmsize_kb = static_cast<uint32_t>(process.memory.size_kb);
  entry.vmrss_kb = static_cast<uint32_t>(process.memory.resident_kb);
  entry.vmswap_kb = static_cast<uint32_t>(process.memory.swap_kb);
  entry.pfmajor = thread.memory.major_faults;
  entry.pfminor = thread.memory.minor_faults;
  entry.pidns_init_start_ts = thread.pidns_start_ts;
  entry.cap_inheritable = thread.capabilities.inheritable;
  entry.cap_permitted = thread.capabilities.permitted;
  entry.cap_effective = thread.capabilities.effective;
  entry.exe_ino = thread.executable.inode;
  entry.exe_ino_ctime = thread.executable.ctime;
  entry.exe_ino_mtime = thread.executable.mtime;
  entry.exe_writable = (thread.executable.flags & kExeWritable) != 0;
  entry.exe_upper_layer = (thread.executable.flags & kExeUpperLayer) != 0;
  entry.exe_lower_layer = (thread.executable.flags & kExeLowerLayer) != 0;
  entry.exe_from_memfd = (thread.executable.flags & kExeFromMemfd) != 0;
  return entry;
}

scap::FdEntry entry_of(int64_t fd, const Descriptor& descriptor, bool closes_on_exec) {
  scap::FdEntry entry;
  entry.fd = fd;
  entry.inode = descriptor.inode;
  entry.type = descriptor.type;
  entry.name = descriptor.name;
  entry.open_flags = (descriptor.open_flags & ~kOpenCloexec) | (closes_on_exec ? kOpenCloexec : 0);
  entry.device = descriptor.device;
  // Lists give the local endpoint first.
  const bool served = descriptor.is_ip_socket() && descriptor.role == Role::kServer;
  entry.source = served ? descriptor.dip : descriptor.sip;
  entry.destination = served ? descriptor.sip : descriptor.dip;
  entry.source_port = served ? descriptor.dport : descriptor.sport;
  entry.destination_port = served ? descriptor.sport : descriptor.dport;
  entry.l4 = descriptor.l4;
  entry.unix_source = descriptor.unix_source;
  entry.unix_destination = descriptor.unix_destination;
  return entry;
}

}  // namespace

std::vector<scap::ThreadEntry> list_threads(const Engine& engine) {
  std::vector<scap::ThreadEntry> entries;
  for (const Thread* thread : engine.threads().sorted()) {
    if (thread->pid >= 0 && !thread->dead)
      entries.push_back(entry_of(*thread, engine.containers()));
  }
  return entries;
}

std::vector<scap::FdEntry> list_descriptors(const Thread& thread) {
  std::vector<scap::FdEntry> entries;
  // Lists give the descriptors of a process once, for its leader.
  if (thread.descriptors == nullptr || !thread.is_leader()) return entries;
  thread.descriptors->for_each(
      [&entries](int64_t fd, const Descriptor& descriptor, bool closes_on_exec) {
        if (descriptor.type != FdType::kUnknown)
          entries.push_back(entry_of(fd, descriptor, closes_on_exec));
      });
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.fd < b.fd; });
  return entries;
}

}  // namespace sfkit::state
