// Lists at the start of a section or between events.

#include "state/engine.h"

#include "state/paths.h"
#include "state/values.h"

namespace sfkit::state {

void Engine::reset() {
  has_pending_ = false;
  ended_thread_ = nullptr;
  closed_table_ = nullptr;
  closed_.clear();
  new_directories_.clear();
  saw_old_enters_ = false;
  borrowers_.clear();
  threads_.clear();
  containers_.clear();
  pods_.clear();
  last_cgroups_ = std::make_shared<const std::string>();
  last_container_ = 0;
  users_.clear();
  groups_.clear();
  accounts_.clear();
  host_name_.clear();
  boot_time_ = 0;
  interfaces_.clear();
  server_ports_.clear();
  recent_removals_.clear();
  listed_.clear();
}

void Engine::add_machine(const scap::MachineInfo& machine) {
  host_name_ = machine.hostname;
  boot_time_ = machine.boot_time;
}

void Engine::add_user(const scap::UserEntry& entry) {
  add_user(0, entry.uid, entry.name, entry.home, entry.shell);
}

// Writers put a mark in place of a missing name. It does not replace a known name. (libs 0.18.1
// uses the mark as the name.)
void Engine::add_user(uint32_t container, uint32_t uid, std::string_view name,
                      std::string_view home, std::string_view shell) {
  const auto is_known = [this](std::string_view text) {
    return compat_ || (!text.empty() && text != kNotAvailable);
  };
  if (is_known(name)) users_.add(container, uid, name);
  if (is_known(home) || is_known(shell))
    accounts_.add(container, uid, {std::string(home), std::string(shell)});
}

void Engine::add_group(uint32_t container, uint32_t gid, std::string_view name) {
  if (compat_ || (!name.empty() && name != kNotAvailable)) groups_.add(container, gid, name);
}

void Engine::add_thread(const scap::ThreadEntry& entry) {
  // Remove what the last event ended, since this may reuse its tid or group.
  if (has_pending_) finish_last_event();
  Thread& thread = *threads_.create(entry.tid);
  listed_.emplace_back(entry.tid, Thread::kNoFd);
  thread.pid = entry.pid;
  thread.ptid = entry.ptid;
  thread.sid = entry.sid;
  thread.vpgid = entry.vpgid;
  thread.pgid = entry.pgid;
  thread.vtid = entry.vtid;
  thread.vpid = entry.vpid;
  thread.flags = entry.flags;
  thread.uid = entry.uid;
  thread.gid = entry.gid;
  thread.loginuid = entry.loginuid;
  thread.tty = entry.tty;
  thread.fdlimit = entry.fdlimit;
  thread.comm = entry.comm;
  thread.exe = entry.exe;
  thread.exepath.set(executable_path(entry.exepath));
  thread.args = list_text(Bytes(entry.args));
  thread.count_texts();
  thread.root.set(entry.root);
  thread.pidns_start_ts = entry.pidns_init_start_ts;
  thread.memory = {entry.vmsize_kb, entry.vmrss_kb, entry.vmswap_kb, entry.pfmajor, entry.pfminor};
  thread.capabilities = {entry.cap_inheritable, entry.cap_permitted, entry.cap_effective};
  thread.executable = {entry.exe_ino, entry.exe_ino_ctime, entry.exe_ino_mtime, 0};
  const auto mark = [&thread](bool is_so, uint32_t flag) {
    if (is_so) thread.executable.flags |= flag;
  };
  mark(entry.exe_writable, kExeWritable);
  mark(entry.exe_upper_layer, kExeUpperLayer);
  mark(entry.exe_from_memfd, kExeFromMemfd);
  mark(entry.exe_lower_layer, kExeLowerLayer);
  if (thread.is_leader()) {
    if (compat_) {
      join_directory("", entry.cwd, scratch_);
      thread.cwd->set(scratch_);
    } else if (is_absolute(entry.cwd)) {
      fold_path(entry.cwd, scratch_);
    } else {
      scratch_ = kUnknownDirectory;
    }
    thread.env.set(list_text(Bytes(entry.env)));
  } else {
    thread.flags |= kCloneFiles;
    thread.cwd.reset();
    thread.descriptors.reset();
  }
  set_cgroups(thread, Bytes(entry.cgroups));
  if (!compat_ && thread.is_leader()) set_cwd(thread, nullptr);
}

void Engine::add_descriptor(int64_t tid, const scap::FdEntry& entry) {
  if (has_pending_) finish_last_event();
  Thread* thread = threads_.find(tid);
  if (thread == nullptr || thread->descriptors == nullptr) return;
  DescriptorRef reference = pool_.make(entry.type);
  Descriptor& descriptor = *reference.get();
  descriptor.inode = entry.inode;
  descriptor.device = entry.device;
  descriptor.open_flags = entry.open_flags;
  descriptor.l4 = entry.l4;
  descriptor.sip = entry.source;
  descriptor.dip = entry.destination;
  descriptor.sport = entry.source_port;
  descriptor.dport = entry.destination_port;
  descriptor.unix_source = entry.unix_source;
  descriptor.unix_destination = entry.unix_destination;
  descriptor.set_name(entry.name);
  descriptor.is_listed = true;
  const bool has_peer = compat_ || destination_of(descriptor) != Endpoint();
  if (descriptor.l4 == L4::kTcp && descriptor.is_ip_socket() && has_peer)
    descriptor.connection = Connection::kConnected;
  if (descriptor.type == FdType::kUnix) {
    descriptor.role = entry.name.empty() ? Role::kClient : Role::kServer;
  } else if (descriptor.is_ip_server()) {
    server_ports_.put(descriptor.sport, 1);
    if (descriptor.type == FdType::kIpv6Server && unmap_ipv4(descriptor.sip))
      descriptor.type = FdType::kIpv4Server;
    save_bound_address(descriptor);
  } else if (descriptor.type == FdType::kIpv6) {
    IpBytes source = descriptor.sip;
    IpBytes destination = descriptor.dip;
    if (unmap_ipv4(source) && unmap_ipv4(destination)) {
      descriptor.type = FdType::kIpv4;
      descriptor.sip = source;
      descriptor.dip = destination;
    }
  }
  if (!compat_ && (descriptor.is_file() || descriptor.type == FdType::kDirectory))
    descriptor.follow_renames(space_of(*thread));
  thread->descriptors->put(entry.fd, std::move(reference), (entry.open_flags & kOpenCloexec) != 0);
  listed_.emplace_back(tid, entry.fd);
}

// Lists give the local endpoint first; events give the client first.
void Engine::orient_listed_socket(DescriptorTable& table, int64_t fd) {
  const FdSlot* const slot = table.find(fd);
  if (slot == nullptr || slot->descriptor->role != Role::kNone) return;
  const bool ipv6 = slot->descriptor->type == FdType::kIpv6;
  // libs 0.18.1 leaves IPv6 sockets as listed.
  if (slot->descriptor->type != FdType::kIpv4 && (!ipv6 || compat_)) return;
  // Without a peer, the socket is neither client nor server yet.
  if (!compat_ && destination_of(*slot->descriptor) == Endpoint()) return;
  Descriptor& descriptor = *table.own(fd);
  // Port 0 (raw sockets) is never a server port. (libs 0.18.1 treats it like others.)
  const bool serves =
      server_ports_.find(descriptor.sport) != nullptr && (compat_ || descriptor.sport != 0);
  if (serves) {
    swap_endpoints(descriptor);
    descriptor.role = Role::kServer;
  } else {
    descriptor.role = Role::kClient;
  }
  Endpoint source{descriptor.sip, descriptor.sport};
  Endpoint destination{descriptor.dip, descriptor.dport};
  fill_missing_addresses(source, destination, ipv6);
  set_endpoints(descriptor, source, destination);
}

void Engine::lists_complete() {
  for (const auto& [tid, fd] : listed_) {
    Thread* thread = threads_.find(tid);
    if (thread == nullptr) continue;
    if (thread->group == nullptr) threads_.link(thread);
    if (!compat_ && thread->descriptors == nullptr) {
      if (Thread* const leader = threads_.find(thread->pid)) {
        thread->share_table(*leader);
        thread->share_directory(*leader);
      }
    }
    if (fd != Thread::kNoFd && thread->descriptors != nullptr)
      orient_listed_socket(*thread->descriptors, fd);
  }
  listed_.clear();
}

}  // namespace sfkit::state
