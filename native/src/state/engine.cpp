#include "state/engine.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "state/paths.h"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
namespace ev = scap::ev;

constexpr int64_t kInProgress = -115;  // -EINPROGRESS: a non-blocking connect under way
constexpr uint64_t kTwoSeconds = 2'000'000'000;
constexpr uint32_t kAtEmptyPath = 0x1000;
constexpr uint32_t kCloseRangeCloexec = 4;
constexpr uint32_t kFcntlDupfd = 1;
constexpr uint32_t kFcntlSetfd = 3;
constexpr uint32_t kFcntlDupfdCloexec = 26;
constexpr uint32_t kSetChildSubreaper = 36;  // PR_SET_CHILD_SUBREAPER
constexpr uint32_t kSocketCloexec = 0x80000;
constexpr size_t kRemembered = 65536;
constexpr size_t kLongestList = 4096;
constexpr std::string_view kUnknownDirectory = "<UNKNOWN>";
constexpr std::string_view kNotAvailable = "<NA>";

enum class Handler : uint8_t {
  kNone,  // changes no state here
  kSeen,  // changes no state, but the layer above may count it: the descriptor is looked up
  kOpen,
  kCreat,
  kOpenByHandle,
  kClose,
  kCloseRange,
  kDup,
  kFcntl,
  kPipe,
  kEventfd,
  kSignalfd,
  kTimerfd,
  kInotify,
  kEpoll,
  kUserfaultfd,
  kIoUring,
  kBpf,
  kMemfd,
  kPidfdOpen,
  kPidfdGetfd,
  kSocket,
  kSocketpair,
  kBind,
  kConnect,
  kAccept,
  kSend,
  kReceive,
  kSendMany,
  kReceiveMany,
  kClone,
  kExec,
  kChdir,
  kFchdir,
  kGetcwd,
  kChroot,
  kSetuid,
  kSetresuid,
  kSetgid,
  kSetresgid,
  kSetsid,
  kPrctl,
};

struct Handled {
  Handler handler;
  uint16_t code;
};

constexpr Handled kHandled[] = {
    {Handler::kOpen, ev::SYSCALL_OPEN_X},
    {Handler::kOpen, ev::SYSCALL_OPENAT_X},
    {Handler::kOpen, ev::SYSCALL_OPENAT_2_X},
    {Handler::kOpen, ev::SYSCALL_OPENAT2_X},
    {Handler::kCreat, ev::SYSCALL_CREAT_X},
    {Handler::kOpenByHandle, ev::SYSCALL_OPEN_BY_HANDLE_AT_X},
    {Handler::kClose, ev::SYSCALL_CLOSE_X},
    {Handler::kCloseRange, ev::SYSCALL_CLOSE_RANGE_X},
    {Handler::kDup, ev::SYSCALL_DUP_X},
    {Handler::kDup, ev::SYSCALL_DUP_1_X},
    {Handler::kDup, ev::SYSCALL_DUP2_X},
    {Handler::kDup, ev::SYSCALL_DUP3_X},
    {Handler::kFcntl, ev::SYSCALL_FCNTL_X},
    {Handler::kPipe, ev::SYSCALL_PIPE_X},
    {Handler::kPipe, ev::SYSCALL_PIPE2_X},
    {Handler::kEventfd, ev::SYSCALL_EVENTFD_X},
    {Handler::kEventfd, ev::SYSCALL_EVENTFD2_X},
    {Handler::kSignalfd, ev::SYSCALL_SIGNALFD_X},
    {Handler::kSignalfd, ev::SYSCALL_SIGNALFD4_X},
    {Handler::kTimerfd, ev::SYSCALL_TIMERFD_CREATE_X},
    {Handler::kInotify, ev::SYSCALL_INOTIFY_INIT_X},
    {Handler::kInotify, ev::SYSCALL_INOTIFY_INIT1_X},
    {Handler::kEpoll, ev::SYSCALL_EPOLL_CREATE_X},
    {Handler::kEpoll, ev::SYSCALL_EPOLL_CREATE1_X},
    {Handler::kUserfaultfd, ev::SYSCALL_USERFAULTFD_X},
    {Handler::kIoUring, ev::SYSCALL_IO_URING_SETUP_X},
    {Handler::kBpf, ev::SYSCALL_BPF_2_X},
    {Handler::kMemfd, ev::SYSCALL_MEMFD_CREATE_X},
    {Handler::kPidfdOpen, ev::SYSCALL_PIDFD_OPEN_X},
    {Handler::kPidfdGetfd, ev::SYSCALL_PIDFD_GETFD_X},
    {Handler::kSocket, ev::SOCKET_SOCKET_X},
    {Handler::kSocketpair, ev::SOCKET_SOCKETPAIR_X},
    {Handler::kBind, ev::SOCKET_BIND_X},
    {Handler::kConnect, ev::SOCKET_CONNECT_X},
    {Handler::kAccept, ev::SOCKET_ACCEPT_X},
    {Handler::kAccept, ev::SOCKET_ACCEPT4_X},
    {Handler::kAccept, ev::SOCKET_ACCEPT_5_X},
    {Handler::kAccept, ev::SOCKET_ACCEPT4_5_X},
    {Handler::kAccept, ev::SOCKET_ACCEPT4_6_X},
    {Handler::kSend, ev::SOCKET_SEND_X},
    {Handler::kSend, ev::SOCKET_SENDTO_X},
    {Handler::kSend, ev::SOCKET_SENDMSG_X},
    {Handler::kSendMany, ev::SOCKET_SENDMMSG_X},
    {Handler::kReceive, ev::SOCKET_RECV_X},
    {Handler::kReceive, ev::SOCKET_RECVFROM_X},
    {Handler::kReceive, ev::SOCKET_RECVMSG_X},
    {Handler::kReceiveMany, ev::SOCKET_RECVMMSG_X},
    {Handler::kClone, ev::SYSCALL_CLONE_11_X},
    {Handler::kClone, ev::SYSCALL_CLONE_16_X},
    {Handler::kClone, ev::SYSCALL_CLONE_17_X},
    {Handler::kClone, ev::SYSCALL_CLONE_20_X},
    {Handler::kClone, ev::SYSCALL_CLONE3_X},
    {Handler::kClone, ev::SYSCALL_FORK_X},
    {Handler::kClone, ev::SYSCALL_FORK_17_X},
    {Handler::kClone, ev::SYSCALL_FORK_20_X},
    {Handler::kClone, ev::SYSCALL_VFORK_X},
    {Handler::kClone, ev::SYSCALL_VFORK_17_X},
    {Handler::kClone, ev::SYSCALL_VFORK_20_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_8_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_13_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_14_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_15_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_16_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_17_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_18_X},
    {Handler::kExec, ev::SYSCALL_EXECVE_19_X},
    {Handler::kExec, ev::SYSCALL_EXECVEAT_X},
    {Handler::kChdir, ev::SYSCALL_CHDIR_X},
    {Handler::kFchdir, ev::SYSCALL_FCHDIR_X},
    {Handler::kGetcwd, ev::SYSCALL_GETCWD_X},
    {Handler::kChroot, ev::SYSCALL_CHROOT_X},
    {Handler::kSetuid, ev::SYSCALL_SETUID_X},
    {Handler::kSetresuid, ev::SYSCALL_SETRESUID_X},
    {Handler::kSetresuid, ev::SYSCALL_SETREUID_X},
    {Handler::kSetgid, ev::SYSCALL_SETGID_X},
    {Handler::kSetresgid, ev::SYSCALL_SETRESGID_X},
    {Handler::kSetresgid, ev::SYSCALL_SETREGID_X},
    {Handler::kSetsid, ev::SYSCALL_SETSID_X},
    {Handler::kPrctl, ev::SYSCALL_PRCTL_X},
    {Handler::kSeen, ev::SYSCALL_READ_X},
    {Handler::kSeen, ev::SYSCALL_READV_X},
    {Handler::kSeen, ev::SYSCALL_PREAD_X},
    {Handler::kSeen, ev::SYSCALL_PREADV_X},
    {Handler::kSeen, ev::SYSCALL_WRITE_X},
    {Handler::kSeen, ev::SYSCALL_WRITEV_X},
    {Handler::kSeen, ev::SYSCALL_PWRITE_X},
    {Handler::kSeen, ev::SYSCALL_PWRITEV_X},
    {Handler::kSeen, ev::SOCKET_SHUTDOWN_X},
    {Handler::kSeen, ev::SYSCALL_SETNS_X},
    {Handler::kSeen, ev::SYSCALL_MMAP_X},
    {Handler::kSeen, ev::SYSCALL_MMAP2_X},
    {Handler::kSeen, ev::SYSCALL_MKDIR_X},
    {Handler::kSeen, ev::SYSCALL_MKDIR_2_X},
    {Handler::kSeen, ev::SYSCALL_MKDIRAT_X},
    {Handler::kSeen, ev::SYSCALL_RMDIR_X},
    {Handler::kSeen, ev::SYSCALL_RMDIR_2_X},
    {Handler::kSeen, ev::SYSCALL_LINK_X},
    {Handler::kSeen, ev::SYSCALL_LINK_2_X},
    {Handler::kSeen, ev::SYSCALL_LINKAT_X},
    {Handler::kSeen, ev::SYSCALL_LINKAT_2_X},
    {Handler::kSeen, ev::SYSCALL_UNLINK_X},
    {Handler::kSeen, ev::SYSCALL_UNLINK_2_X},
    {Handler::kSeen, ev::SYSCALL_UNLINKAT_X},
    {Handler::kSeen, ev::SYSCALL_UNLINKAT_2_X},
    {Handler::kSeen, ev::SYSCALL_SYMLINK_X},
    {Handler::kSeen, ev::SYSCALL_SYMLINKAT_X},
    {Handler::kSeen, ev::SYSCALL_RENAME_X},
    {Handler::kSeen, ev::SYSCALL_RENAMEAT_X},
    {Handler::kSeen, ev::SYSCALL_RENAMEAT2_X},
};

constexpr auto kHandlers = [] {
  std::array<Handler, scap::kEventCount> table{};
  for (const Handled& entry : kHandled) table[entry.code] = entry.handler;
  return table;
}();

constexpr bool is_other(uint16_t code) {
  switch (code) {
    case ev::PROCEXIT_E:
    case ev::PROCEXIT_1_E:
    case ev::CONTAINER_E:
    case ev::CONTAINER_JSON_E:
    case ev::CONTAINER_JSON_2_E:
    case ev::ASYNCEVENT_E:
    case ev::USER_ADDED_E:
    case ev::USER_DELETED_E:
    case ev::GROUP_ADDED_E:
    case ev::GROUP_DELETED_E: return true;
    default: return false;
  }
}

constexpr auto kRoutes = [] {
  std::array<uint8_t, scap::kEventCount> table{};
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    const scap::EventInfo& info = scap::kEvents[code];
    if (is_other(code)) {
      table[code] = Engine::kRouteOther;
    } else if (info.kind != scap::EventKind::kSyscall || (info.flags & scap::kSkipParserReset) != 0) {
      table[code] = Engine::kRouteNone;
    } else if ((code & 1) == 0) {
      table[code] = Engine::kRouteEnter;
    } else {
      table[code] = kHandlers[code] == Handler::kNone ? Engine::kRouteIgnoredExit : Engine::kRouteExit;
    }
  }
  return table;
}();

// A text parameter that is there and not the mark for a missing one.
bool has_text(Bytes value) {
  return !value.empty() && value.text() != std::string_view("(NULL)\0", 7);
}

std::string_view list_text(Bytes value) {
  return value.text();
}

bool has_address(const Descriptor& descriptor) {
  return !is_zero(descriptor.sip) || !is_zero(descriptor.dip) || descriptor.sport != 0 ||
         descriptor.dport != 0;
}

void set_ends(Descriptor& descriptor, const Endpoint& source, const Endpoint& destination) {
  descriptor.sip = source.ip;
  descriptor.sport = source.port;
  descriptor.dip = destination.ip;
  descriptor.dport = destination.port;
}

void swap_ends(Descriptor& descriptor) {
  std::swap(descriptor.sip, descriptor.dip);
  std::swap(descriptor.sport, descriptor.dport);
}

// Events of two processors may come a little out of order.
uint64_t time_between(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

// Another number for what `source` stands for, with a close-on-exec mark of its own.
void put_copy(DescriptorTable& table, int64_t fd, DescriptorRef source, bool cloexec) {
  if (((source->open_flags & kOpenCloexec) != 0) != cloexec) source.writable().open_flags ^= kOpenCloexec;
  table.put(fd, std::move(source));
}

L4 protocol_of(uint32_t type, uint32_t protocol) {
  constexpr uint32_t kStream = 1;
  constexpr uint32_t kDatagram = 2;
  constexpr uint32_t kRawSocket = 3;
  const uint32_t kind = type & 0xff;
  switch (protocol) {
    case 0: return kind == kStream ? L4::kTcp : kind == kDatagram ? L4::kUdp : L4::kUnknown;
    case 1: return kind == kRawSocket ? L4::kRaw : L4::kIcmp;
    case 6: return L4::kTcp;
    case 17: return L4::kUdp;
    case 255: return L4::kRaw;
    default: return L4::kUnknown;
  }
}

}  // namespace

uint8_t Engine::route_of(uint16_t code) {
  return kRoutes[code];
}

// ---- the lists of a section

void Engine::reset() {
  has_pending_ = false;
  ended_thread_ = nullptr;
  closed_table_ = nullptr;
  saw_old_enters_ = false;
  threads_.clear();
  containers_.clear();
  last_cgroups_.clear();
  last_container_ = 0;
  users_.clear();
  groups_.clear();
  interfaces_.clear();
  server_ports_.clear();
  recent_removals_.clear();
  listed_.clear();
}

void Engine::add_thread(const scap::ThreadEntry& entry) {
  // What the last event ended must be gone before its number or its group is used again.
  if (has_pending_) settle();
  Thread& thread = *threads_.create(entry.tid);
  listed_.push_back(entry.tid);
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
  thread.listed_uid = thread.listed_gid = true;
  thread.comm = entry.comm;
  thread.exe = entry.exe;
  thread.exepath = executable_path(entry.exepath);
  thread.args = list_text(Bytes(entry.args));
  thread.root = entry.root;
  if (thread.is_leader()) {
    join_directory("", entry.cwd, thread.cwd);
    thread.env = list_text(Bytes(entry.env));
  } else {
    thread.flags |= kCloneFiles;
  }
  set_cgroups(thread, Bytes(entry.cgroups));
}

void Engine::add_descriptor(int64_t tid, const scap::FdEntry& entry) {
  if (has_pending_) settle();
  Thread* thread = threads_.find(tid);
  if (thread == nullptr) return;
  if (listed_.empty() || listed_.back() != tid) listed_.push_back(tid);
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
  if (descriptor.type == FdType::kUnix) {
    descriptor.role = entry.name.empty() ? Role::kClient : Role::kServer;
  } else if (descriptor.is_ip_server()) {
    server_ports_.put(descriptor.sport, 1);
    if (descriptor.type == FdType::kIpv6Server && unmap_ipv4(descriptor.sip))
      descriptor.type = FdType::kIpv4Server;
  } else if (descriptor.type == FdType::kIpv6) {
    IpBytes source = descriptor.sip;
    IpBytes destination = descriptor.dip;
    if (unmap_ipv4(source) && unmap_ipv4(destination)) {
      descriptor.type = FdType::kIpv4;
      descriptor.sip = source;
      descriptor.dip = destination;
    }
  }
  thread->descriptors.put(entry.fd, std::move(reference));
}

void Engine::lists_complete() {
  for (const int64_t tid : listed_) {
    Thread* thread = threads_.find(tid);
    if (thread == nullptr) continue;
    if (thread->group == nullptr) threads_.link(thread);
    thread->descriptors.filter([this](int64_t, FdSlot& slot) {
      if (slot.descriptor->type != FdType::kIpv4 || slot.descriptor->role != Role::kNone) return true;
      Descriptor& descriptor = slot.descriptor.writable();
      // The list gives the local end first; events give the one that connected first.
      if (server_ports_.find(descriptor.sport) != nullptr) {
        swap_ends(descriptor);
        descriptor.role = Role::kServer;
      } else {
        descriptor.role = Role::kClient;
      }
      Endpoint source{descriptor.sip, descriptor.sport};
      Endpoint destination{descriptor.dip, descriptor.dport};
      complete_ends(source, destination, false);
      set_ends(descriptor, source, destination);
      return true;
    });
  }
  listed_.clear();
}

// ---- an event's surroundings

Thread* Engine::find_owner(const scap::EventView& event) {
  Thread* thread = threads_.find(event.tid);
  if (thread != nullptr || event.tid < 0) return thread;
  const uint16_t exit_code = event.code | 1;
  if (kHandlers[exit_code] == Handler::kClone) return nullptr;
  thread = threads_.create(event.tid);
  thread->comm = thread->exe = kNotAvailable;
  return thread;
}

const scap::StoredEnter* Engine::paired_enter(Thread& thread, uint16_t exit_code) const {
  if (!thread.has_last_enter || !thread.enter.valid) return nullptr;
  const bool pairs = thread.last_enter + 1 == exit_code ||
                     (exit_code == ev::SYSCALL_EXECVE_19_X && thread.last_enter == ev::SYSCALL_EXECVEAT_E);
  return pairs ? &thread.enter : nullptr;
}

void Engine::find_fd(Context& context) {
  const scap::CallView& call = *context.call;
  Bytes fd = call.exit().param(P::fd);
  // libs 0.18.1 knows descriptors from enter events only, but for connect.
  const bool own_counts = !compat_ || !saw_old_enters_ || call.exit().code == ev::SOCKET_CONNECT_X;
  if (call.paired()) {
    if (const Bytes entered = call.enter().param(P::fd); !entered.empty()) fd = entered;
  } else if (!own_counts) {
    return;
  }
  if (fd.empty() || context.thread == nullptr) return;
  context.fd = to_int(fd, -1);
  DescriptorTable* table = context.thread->table();
  context.slot = table == nullptr ? nullptr : table->find(context.fd);
}

void Engine::settle() {
  has_pending_ = false;
  if (closed_table_ != nullptr) {
    closed_table_->erase(closed_fd_);
    closed_table_ = nullptr;
  }
  if (ended_thread_ != nullptr) {
    if (ended_thread_->dead) threads_.remove_ended(ended_thread_);
    ended_thread_ = nullptr;
  }
}

const std::string& Engine::cwd_of(Thread& thread) {
  const Thread* leader = thread.leader();
  if (leader != nullptr) return leader->cwd;
  return compat_ ? unknown_leader_cwd_ : no_text_;
}

const std::string* Engine::directory_of(Thread& thread, int64_t dirfd) {
  if (dirfd == kAtFdcwd) {
    const std::string& cwd = cwd_of(thread);
    return cwd.empty() ? nullptr : &cwd;
  }
  DescriptorTable* table = thread.table();
  const FdSlot* slot = table == nullptr ? nullptr : table->find(dirfd);
  return slot == nullptr ? nullptr : &slot->descriptor->name;
}

Descriptor* Engine::add_fd(Context& context, int64_t fd, FdType type) {
  if (fd < 0 || context.thread == nullptr) return nullptr;
  DescriptorTable* table = context.thread->table();
  if (table == nullptr) return nullptr;
  DescriptorRef reference = pool_.make(type);
  Descriptor* descriptor = reference.get();
  table->put(fd, std::move(reference));
  context.fd = fd;
  context.slot = table->find(fd);
  return descriptor;
}

std::string_view Engine::executable_path(std::string_view path) const {
  return compat_ ? path : strip_deleted(path);
}

// ---- enter events

void Engine::enter(const scap::EventView& event, Context& context) {
  Thread* thread = context.thread;
  if (thread == nullptr) return;
  if ((event.info().flags & scap::kOldVersion) != 0) saw_old_enters_ = true;
  thread->last_enter = event.code;
  thread->has_last_enter = true;
  thread->enter.valid = false;
  if (kHandlers[event.code + 1] != Handler::kNone) thread->enter.store(event);

  switch (event.code) {
    case ev::SYSCALL_MMAP_E:
    case ev::SYSCALL_MMAP2_E: {
      context.fd = to_int(event.param(P::fd), -1);
      DescriptorTable* table = thread->table();
      context.slot = table == nullptr ? nullptr : table->find(context.fd);
      break;
    }
    case ev::SYSCALL_SETUID_E:
      if (compat_) rendered_ = std::to_string(to_uint(event.param(0), kNoId));
      break;
    case ev::SOCKET_CONNECT_E: {
      DescriptorTable* table = thread->table();
      FdSlot* slot = table == nullptr ? nullptr : table->find(to_int(event.param(P::fd), -1));
      if (slot == nullptr) break;
      if (event.size() < 2) {
        // libs 0.18.1 puts whatever text it rendered last into the name.
        if (compat_ && slot->descriptor->type == FdType::kUnix)
          slot->descriptor.writable().set_name(rendered_);
        break;
      }
      const SocketAddress address = parse_address(event.param(1));
      if (address.family == Family::kInet || address.family == Family::kInet6) {
        Descriptor& descriptor = slot->descriptor.writable();
        descriptor.type = address.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
        descriptor.dip = address.endpoint.ip;
        descriptor.dport = address.endpoint.port;
      } else if (address.family == Family::kUnix) {
        slot->descriptor.writable().set_name(address.path);
      }
      break;
    }
    default: break;
  }
}

// ---- exit events

void Engine::exit(Context& context) {
  const Handler handler = kHandlers[context.event->code];
  if (context.thread == nullptr && handler != Handler::kClone) return;
  switch (handler) {
    case Handler::kNone:
    case Handler::kSeen: return;
    case Handler::kOpen: return on_open(context);
    case Handler::kCreat: return on_creat(context);
    case Handler::kOpenByHandle: return on_open_by_handle(context);
    case Handler::kClose: return on_close(context);
    case Handler::kCloseRange: return on_close_range(context);
    case Handler::kDup: return on_dup(context);
    case Handler::kFcntl: return on_fcntl(context);
    case Handler::kPipe: return on_pipe(context);
    case Handler::kEventfd: return on_new_fd(context, FdType::kEvent);
    case Handler::kSignalfd: return on_new_fd(context, FdType::kSignal);
    case Handler::kTimerfd: return on_new_fd(context, FdType::kTimer);
    case Handler::kInotify: return on_new_fd(context, FdType::kInotify);
    case Handler::kEpoll: return on_new_fd(context, FdType::kEventPoll);
    case Handler::kUserfaultfd: return on_new_fd(context, FdType::kUserfault);
    case Handler::kIoUring: return on_new_fd(context, FdType::kIoUring);
    case Handler::kBpf: return on_new_fd(context, FdType::kBpf);
    case Handler::kMemfd: return on_memfd(context);
    case Handler::kPidfdOpen: return on_pidfd_open(context);
    case Handler::kPidfdGetfd: return on_pidfd_getfd(context);
    case Handler::kSocket: return on_socket(context);
    case Handler::kSocketpair: return on_socketpair(context);
    case Handler::kBind: return on_bind(context);
    case Handler::kConnect: return on_connect(context);
    case Handler::kAccept: return on_accept(context);
    case Handler::kSend: return on_send_receive(context, false);
    case Handler::kReceive: return on_send_receive(context, true);
    case Handler::kSendMany:
      // libs 0.18.1 does not look into these.
      if (!compat_) on_send_receive(context, false);
      return;
    case Handler::kReceiveMany:
      if (!compat_) on_send_receive(context, true);
      return;
    case Handler::kClone: return on_clone(context);
    case Handler::kExec: return on_exec(context);
    case Handler::kChdir:
    case Handler::kFchdir:
    case Handler::kGetcwd: return on_chdir(context);
    case Handler::kChroot:
      if (context.call->result() >= 0) {
        join_path(cwd_of(*context.thread), to_text(context.call->get(P::path)), context.thread->root);
      }
      return;
    case Handler::kSetuid: return on_set_id(context, P::uid, true);
    case Handler::kSetresuid: return on_set_id(context, P::euid, true);
    case Handler::kSetgid: return on_set_id(context, P::gid, false);
    case Handler::kSetresgid: return on_set_id(context, P::egid, false);
    case Handler::kSetsid:
      if (context.call->result() >= 0) context.thread->sid = context.call->result();
      return;
    case Handler::kPrctl: return on_prctl(context);
  }
}

void Engine::add_file(Context& context, int64_t fd, uint32_t flags) {
  const scap::CallView& call = *context.call;
  Descriptor* descriptor =
      add_fd(context, fd, (flags & kOpenDirectory) != 0 ? FdType::kDirectory : FdType::kFileV2);
  if (descriptor == nullptr) return;
  descriptor->open_flags = flags;
  descriptor->device = static_cast<uint32_t>(to_uint(call.from_exit(P::dev), 0));
  descriptor->inode = to_uint(call.from_exit(P::ino), 0);
  descriptor->set_name(scratch_);
}

void Engine::on_open(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  Bytes name = call.from_exit(P::name);
  Bytes dirfd = call.from_exit(P::dirfd);
  auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  // The kernel may have read other text than the exit event shows: what was there at enter counts.
  if (const Bytes entered = call.from_enter(P::name); has_text(entered)) {
    name = entered;
    dirfd = call.from_enter(P::dirfd);
    const auto entered_flags = static_cast<uint32_t>(to_uint(call.from_enter(P::flags), 0));
    flags = (entered_flags & (kOpenFCreated - 1)) | (flags & ~(kOpenFCreated - 1));
  }
  const std::string_view path = to_text(name);
  if (path.empty() && !compat_) {
    scratch_.clear();  // the capture does not say which
  } else if (path.starts_with('/') || call.exit().code == ev::SYSCALL_OPEN_X) {
    join_path(cwd_of(*context.thread), path, scratch_);
  } else if (const int64_t directory = to_int(dirfd, kAtFdcwd); directory == kAtFdcwd) {
    join_path(cwd_of(*context.thread), path, scratch_);
  } else if (const std::string* base = directory_of(*context.thread, directory)) {
    join_path(*base, path, scratch_);
  } else {
    scratch_.assign(kUnknownDirectory).append(path);
  }
  add_file(context, fd, flags);
}

void Engine::on_creat(Context& context) {
  constexpr uint32_t kCreatFlags = 2 | 4 | 256;  // write-only, create, truncate
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const Bytes entered = call.from_enter(P::name);
  const Bytes name = has_text(entered) ? entered : call.from_exit(P::name);
  join_path(cwd_of(*context.thread), to_text(name), scratch_);
  add_file(context, fd, kCreatFlags);
}

void Engine::on_open_by_handle(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  join_path("", to_text(call.from_exit(P::path)), scratch_);
  add_file(context, fd, flags);
}

void Engine::on_close(Context& context) {
  if (context.slot == nullptr || context.call->result() < 0) return;
  has_pending_ = true;
  closed_table_ = context.thread->table();
  closed_fd_ = context.fd;
}

void Engine::on_close_range(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const auto first = static_cast<int64_t>(to_uint(call.get(P::first), 0));
  const auto last = static_cast<int64_t>(to_uint(call.get(P::last), 0));
  const bool mark = (to_uint(call.get(P::flags), 0) & kCloseRangeCloexec) != 0;
  DescriptorTable* table = context.thread->table();
  if (table == nullptr) return;
  table->filter([&](int64_t fd, FdSlot& slot) {
    if (fd < first || fd > last) return true;
    if (mark) slot.descriptor.writable().open_flags |= kOpenCloexec;
    return mark;
  });
}

void Engine::on_dup(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t fd = call.result();
  if (fd < 0) return;
  Bytes old = call.from_exit(P::oldfd);
  if (old.empty()) old = call.from_enter(P::fd);
  DescriptorTable* table = context.thread->table();
  FdSlot* source = table == nullptr ? nullptr : table->find(to_int(old, -1));
  if (source == nullptr || to_int(old, -1) == fd) return;
  put_copy(*table, fd, source->descriptor, (to_uint(call.from_exit(P::flags), 0) & kOpenCloexec) != 0);
  constexpr int64_t kStdin = 0;
  constexpr int64_t kStdout = 1;
  if (fd == kStdin) context.thread->flags |= kPipeDestination;
  if (fd == kStdout) context.thread->flags |= kPipeSource;
}

void Engine::on_fcntl(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t result = call.result();
  if (result < 0 || context.slot == nullptr) return;
  const auto command = to_uint(call.get(P::cmd), 0);
  if (command == kFcntlDupfd || command == kFcntlDupfdCloexec) {
    put_copy(*context.thread->table(), result, context.slot->descriptor, command == kFcntlDupfdCloexec);
    context.slot = context.thread->table()->find(context.fd);
  } else if (command == kFcntlSetfd) {
    // Recorded since 2026 only; nothing is known of the flag before.
    const Bytes argument = call.from_exit(P::arg);
    if (argument.empty()) return;
    Descriptor& descriptor = context.slot->descriptor.writable();
    descriptor.open_flags &= ~kOpenCloexec;
    if ((to_uint(argument, 0) & 1) != 0) descriptor.open_flags |= kOpenCloexec;
  }
}

void Engine::on_pipe(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const uint64_t inode = to_uint(call.from_exit(P::ino), 0);
  // Without a name of its own every pipe of a container would be one file.
  if (compat_) {
    scratch_.clear();
  } else {
    scratch_ = "pipe:[" + std::to_string(inode) + "]";
  }
  for (const P end : {P::fd1, P::fd2}) {
    Descriptor* descriptor = add_fd(context, to_int(call.from_exit(end), -1), FdType::kFifo);
    if (descriptor == nullptr) continue;
    descriptor->inode = inode;
    descriptor->open_flags = flags & kOpenCloexec;
    descriptor->set_name(scratch_);
  }
  context.slot = nullptr;
}

void Engine::on_new_fd(Context& context, FdType type) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  Descriptor* descriptor = add_fd(context, call.result(), type);
  if (descriptor != nullptr)
    descriptor->open_flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
}

void Engine::on_memfd(Context& context) {
  const scap::CallView& call = *context.call;
  Descriptor* descriptor = add_fd(context, call.result(), FdType::kMemfd);
  if (descriptor == nullptr) return;
  descriptor->open_flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  descriptor->set_name(to_text(call.from_exit(P::name)));
}

void Engine::on_pidfd_open(Context& context) {
  const scap::CallView& call = *context.call;
  Descriptor* descriptor = add_fd(context, call.result(), FdType::kPidfd);
  if (descriptor == nullptr) return;
  descriptor->pid = to_int(call.from_exit(P::pid), -1);
  descriptor->set_name("/proc/" + std::to_string(descriptor->pid));
}

void Engine::on_pidfd_getfd(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t fd = call.result();
  DescriptorTable* table = context.thread->table();
  if (fd < 0 || table == nullptr) return;
  const FdSlot* process = table->find(to_int(call.from_exit(P::pid_fd), -1));
  if (process == nullptr || process->descriptor->type != FdType::kPidfd) return;
  Thread* target = threads_.find(process->descriptor->pid);
  DescriptorTable* from = target == nullptr ? nullptr : target->table();
  FdSlot* source = from == nullptr ? nullptr : from->find(to_int(call.from_exit(P::target_fd), -1));
  if (source == nullptr) return;
  put_copy(*table, fd, source->descriptor, true);
}

// ---- sockets

void Engine::on_socket(Context& context) {
  const scap::CallView& call = *context.call;
  const auto domain = to_uint(call.get(P::domain), 0);
  constexpr uint64_t kUnixDomain = 1;
  constexpr uint64_t kInetDomain = 2;
  constexpr uint64_t kInet6Domain = 10;
  constexpr uint64_t kNetlinkDomain = 16;
  FdType type = FdType::kUnknown;
  if (domain == kUnixDomain) type = FdType::kUnix;
  if (domain == kInetDomain) type = FdType::kIpv4;
  if (domain == kInet6Domain) type = FdType::kIpv6;
  if (domain == kNetlinkDomain) type = FdType::kNetlink;
  Descriptor* descriptor = add_fd(context, call.result(), type);
  if (descriptor == nullptr) return;
  const auto kind = static_cast<uint32_t>(to_uint(call.get(P::type), 0));
  if (descriptor->is_ip_socket()) {
    descriptor->l4 = protocol_of(kind, static_cast<uint32_t>(to_uint(call.get(P::proto), 0)));
  }
  const Bytes flags = call.from_exit(P::flags);
  if (!flags.empty()) {
    descriptor->open_flags = static_cast<uint32_t>(to_uint(flags, 0));
  } else if ((kind & kSocketCloexec) != 0) {
    descriptor->open_flags = kOpenCloexec;
  }
}

void Engine::on_socketpair(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const int64_t fd1 = to_int(call.from_exit(P::fd1), -1);
  const int64_t fd2 = to_int(call.from_exit(P::fd2), -1);
  if (fd1 == fd2) return;
  const uint64_t source = to_uint(call.from_exit(P::source), 0);
  const uint64_t peer = to_uint(call.from_exit(P::peer), 0);
  for (const int64_t fd : {fd1, fd2}) {
    Descriptor* descriptor = add_fd(context, fd, FdType::kUnix);
    if (descriptor == nullptr) continue;
    descriptor->unix_source = source;
    descriptor->unix_destination = peer;
    if (compat_) continue;
    // Without a name all socket pairs of a container would be one file.
    unix_name(source, peer, "", scratch_);
    descriptor->set_name(scratch_);
  }
  context.slot = nullptr;
}

void Engine::on_bind(Context& context) {
  const scap::CallView& call = *context.call;
  if (context.slot == nullptr || call.result() < 0) return;
  const SocketAddress address = parse_address(call.get(P::addr));
  if (address.family == Family::kUnix) {
    context.slot->descriptor.writable().set_name(address.path);
    return;
  }
  if ((address.family != Family::kInet && address.family != Family::kInet6) || address.endpoint.port == 0)
    return;
  Descriptor& descriptor = context.slot->descriptor.writable();
  descriptor.type = address.family == Family::kInet ? FdType::kIpv4Server : FdType::kIpv6Server;
  descriptor.sip = address.endpoint.ip;
  descriptor.sport = address.endpoint.port;
  descriptor.dip = {};
  descriptor.dport = 0;
  descriptor.role = Role::kServer;
}

void Engine::on_connect(Context& context) {
  const scap::CallView& call = *context.call;
  if (context.slot == nullptr) return;
  const int64_t result = call.result();
  // A refused connect has a destination too; libs 0.18.1 forgets it.
  if (result < 0 && result != kInProgress && compat_) return;
  const SocketTuple tuple = parse_tuple(call.from_exit(P::tuple));
  const SocketAddress entered = parse_address(call.from_enter(P::addr));
  if (tuple.family == Family::kUnix) {
    Descriptor& descriptor = context.slot->descriptor.writable();
    descriptor.type = FdType::kUnix;
    descriptor.unix_source = tuple.unix_source;
    descriptor.unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination, tuple.path, scratch_);
    if (compat_) rendered_ = scratch_;
    descriptor.set_name(scratch_);
    if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
    return;
  }
  SocketAddress address = parse_address(call.from_exit(P::addr));
  const bool has_tuple = tuple.family != Family::kNone;
  Family family = tuple.family;
  Endpoint destination = tuple.destination;
  if (entered.family != Family::kNone &&
      (!has_tuple || (address.family == tuple.family && address.endpoint == tuple.destination))) {
    destination = entered.endpoint;
    family = entered.family;
  } else if (!has_tuple && address.family != Family::kNone) {
    destination = address.endpoint;
    family = address.family;
  }
  if (family != Family::kInet && family != Family::kInet6) return;
  Descriptor& descriptor = context.slot->descriptor.writable();
  const bool was_server = descriptor.role == Role::kServer && descriptor.l4 == L4::kUdp;
  descriptor.type = family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
  if (has_tuple) {
    set_ends(descriptor, tuple.source, destination);
  } else {
    descriptor.dip = destination.ip;
    descriptor.dport = destination.port;
  }
  if (was_server) swap_ends(descriptor);
  if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
}

void Engine::on_accept(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const SocketTuple tuple = parse_tuple(call.from_exit(P::tuple));
  if (tuple.family == Family::kNone) return;
  const FdType type = tuple.family == Family::kUnix   ? FdType::kUnix
                      : tuple.family == Family::kInet ? FdType::kIpv4
                                                      : FdType::kIpv6;
  Descriptor* descriptor = add_fd(context, fd, type);
  if (descriptor == nullptr) return;
  descriptor->role = Role::kServer;
  if ((to_uint(call.get(P::flags), 0) & kSocketCloexec) != 0) descriptor->open_flags = kOpenCloexec;
  if (type == FdType::kUnix) {
    descriptor->unix_source = tuple.unix_source;
    descriptor->unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination, tuple.path, scratch_);
    if (compat_) rendered_ = scratch_;
    descriptor->set_name(scratch_);
    return;
  }
  descriptor->l4 = L4::kTcp;
  set_ends(*descriptor, tuple.source, tuple.destination);
}

void Engine::complete_ends(Endpoint& source, Endpoint& destination, bool ipv6) const {
  const auto complete = [this, ipv6](Endpoint& open, const Endpoint& other) {
    if (!is_zero(open.ip) || is_zero(other.ip)) return;
    const IpBytes guess = interfaces_.guess(other.ip, ipv6);
    if (guess != other.ip || open.port != other.port) open.ip = guess;
  };
  complete(source, destination);
  complete(destination, source);
}

// Who called whom, when the capture does not show it: the end on a port that a descriptor of the process
// serves or talks to is the server's (spec: scap-state, section 11).
Role Engine::guess_role(Thread& thread, const Endpoint& source, const Endpoint& destination, bool receive) {
  bool serves_destination = false;
  bool calls_from_source = false;
  if (DescriptorTable* table = thread.table()) {
    table->filter([&](int64_t, FdSlot& slot) {
      const Descriptor& other = *slot.descriptor;
      if (other.is_ip_server() && other.sport == destination.port) serves_destination = true;
      if (!other.is_ip_socket()) return true;
      if (other.dport == destination.port) serves_destination = true;
      if (other.sport == source.port) calls_from_source = true;
      return true;
    });
  }
  if (!serves_destination) return Role::kClient;
  if (!calls_from_source) return Role::kServer;
  return receive ? Role::kServer : Role::kClient;
}

void Engine::apply_tuple(Descriptor& descriptor, SocketTuple tuple, bool receive, Thread& thread) {
  const Role role = descriptor.role != Role::kNone
                        ? descriptor.role
                        : guess_role(thread, tuple.source, tuple.destination, receive);
  descriptor.role = role;
  if (descriptor.is_ip_server()) {
    descriptor.sip = {};
    descriptor.sport = 0;
  }
  descriptor.type = tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
  if (descriptor.l4 == L4::kUnknown) descriptor.l4 = L4::kUdp;
  complete_ends(tuple.source, tuple.destination, tuple.family == Family::kInet6);
  const Endpoint source{descriptor.sip, descriptor.sport};
  const Endpoint destination{descriptor.dip, descriptor.dport};
  if (source == tuple.source && destination == tuple.destination) return;
  if (source == tuple.destination && destination == tuple.source) return;
  // A message goes from source to destination; the flow goes from client to server.
  const bool against_the_flow = (role == Role::kClient) == receive;
  if (compat_) {
    // libs 0.18.1 keeps the first destination.
    descriptor.sip = tuple.source.ip;
    descriptor.sport = tuple.source.port;
    if (is_zero(descriptor.dip)) descriptor.dip = tuple.destination.ip;
    if (descriptor.dport == 0) descriptor.dport = tuple.destination.port;
    if (against_the_flow) swap_ends(descriptor);
  } else if (against_the_flow) {
    set_ends(descriptor, tuple.destination, tuple.source);
  } else {
    set_ends(descriptor, tuple.source, tuple.destination);
  }
}

void Engine::on_send_receive(Context& context, bool receive) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0 || context.thread == nullptr) return;
  const Bytes value = call.get(P::tuple);
  if (context.slot == nullptr) {
    if (receive || context.fd < 0) return;
    const SocketTuple tuple = parse_tuple(value);
    if (tuple.family != Family::kInet && tuple.family != Family::kInet6) return;
    Descriptor* made =
        add_fd(context, context.fd, tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6);
    if (made == nullptr) return;
    made->l4 = L4::kUdp;
  }
  const Descriptor& current = *context.slot->descriptor;
  if ((current.is_ip_socket() || current.is_ip_server()) && current.l4 == L4::kTcp && has_address(current))
    return;
  const SocketTuple tuple = parse_tuple(value);
  if (tuple.family == Family::kNone) return;
  if (tuple.family == Family::kUnix) {
    if (current.type != FdType::kUnix || !current.name.empty()) return;
    Descriptor& descriptor = context.slot->descriptor.writable();
    descriptor.unix_source = tuple.unix_source;
    descriptor.unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination, tuple.path, scratch_);
    descriptor.set_name(scratch_);
    return;
  }
  if (!current.is_ip_socket() && !current.is_ip_server()) return;
  apply_tuple(context.slot->descriptor.writable(), tuple, receive, *context.thread);
}

// ---- processes

void Engine::set_cgroups(Thread& thread, Bytes cgroups) {
  // Most processes have the cgroups of the one before.
  if (list_text(cgroups) != last_cgroups_) {
    last_cgroups_ = list_text(cgroups);
    last_container_ = containers_.intern(container_id_of(last_cgroups_));
  }
  thread.container = last_container_;
}

void Engine::set_uid(Thread& thread, uint32_t uid) {
  thread.uid = uid;
  thread.listed_uid = false;
}

void Engine::set_gid(Thread& thread, uint32_t gid) {
  thread.gid = gid;
  thread.listed_gid = false;
}

// What both variants of a clone say about the thread that reports it.
void Engine::fill_from_clone(Thread& thread, const scap::CallView& call) {
  thread.exe = to_text(call.from_exit(P::exe));
  thread.args = list_text(call.from_exit(P::args));
  const Bytes comm = call.from_exit(P::comm);
  thread.comm = comm.empty() ? thread.exe : to_text(comm);
  thread.fdlimit = to_int(call.from_exit(P::fdlimit), -1);
  set_uid(thread, static_cast<uint32_t>(to_uint(call.from_exit(P::uid), kNoId)));
  set_gid(thread, static_cast<uint32_t>(to_uint(call.from_exit(P::gid), kNoId)));
  set_cgroups(thread, call.from_exit(P::cgroups));
}

void Engine::inherit(Thread& thread, Thread& from, bool new_process) {
  if (from.is_invalid()) return;
  thread.exepath = from.exepath;
  thread.root = from.root;
  thread.sid = from.sid;
  thread.vpgid = from.vpgid;
  thread.pgid = from.pgid;
  thread.tty = from.tty;
  thread.loginuid = from.loginuid;
  if (!new_process) return;
  if (DescriptorTable* table = from.table()) thread.descriptors.copy_from(*table);
  thread.cwd = cwd_of(from);
  if (const Thread* leader = from.leader()) thread.env = leader->env;
}

void Engine::on_clone(Context& context) {
  const int64_t result = context.call->result();
  if (result > 0) on_clone_caller(context, result);
  if (result == 0) on_clone_child(context);
}

void Engine::on_clone_caller(Context& context, int64_t child_tid) {
  const scap::CallView& call = *context.call;
  const scap::EventView& event = *context.event;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const int64_t vtid = to_int(call.from_exit(P::vtid), event.tid);
  Thread* caller = context.thread;
  if (caller == nullptr || caller->is_invalid()) {
    if (caller == nullptr) {
      caller = threads_.create(event.tid);
      fill_from_clone(*caller, call);
    }
    caller->pid = to_int(call.from_exit(P::pid), -1);
    caller->ptid = to_int(call.from_exit(P::ptid), -1);
    caller->vtid = vtid;
    caller->vpid = to_int(call.from_exit(P::vpid), -1);
    threads_.relink(caller);
    context.thread = caller;
  }
  // In a pid namespace the result is no host id; after vfork the child has already spoken.
  if ((flags & (kChildInPidns | kCloneNewPid | kCloneParent | kCloneVfork)) != 0 || vtid != caller->tid)
    return;
  const uint16_t code = event.code;
  if (code == ev::SYSCALL_VFORK_X || code == ev::SYSCALL_VFORK_17_X || code == ev::SYSCALL_VFORK_20_X) return;
  if (const Removal* removal = recent_removals_.find(child_tid);
      removal != nullptr && removal->ptid == caller->tid &&
      time_between(event.ts, removal->ts) < kTwoSeconds) {
    return;
  }
  if (Thread* old = threads_.find(child_tid)) {
    if ((old->flags & kCloneInverted) != 0) return;
    threads_.remove(old);
  }
  const bool is_thread = (flags & kCloneThread) != 0;
  Thread& child = *threads_.create(child_tid);
  child.flags = flags;
  child.pid = is_thread ? caller->pid : child_tid;
  child.ptid = is_thread ? caller->ptid : caller->tid;
  if (is_thread) child.flags |= kCloneFiles;
  child.vtid = child.tid;
  child.vpid = child.pid;
  fill_from_clone(child, call);
  child.clone_ts = event.ts;
  inherit(child, *caller, !is_thread);
  threads_.link(&child);
}

void Engine::on_clone_child(Context& context) {
  const scap::CallView& call = *context.call;
  const scap::EventView& event = *context.event;
  if (event.tid < 0) return;
  if (Thread* existing = context.thread) {
    if (existing->clone_ts != 0 && time_between(event.ts, existing->clone_ts) < kTwoSeconds) return;
  }
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const bool is_thread = (flags & kCloneThread) != 0;
  Thread& child = *threads_.create(event.tid);
  context.thread = &child;
  context.slot = nullptr;
  child.flags = flags | kCloneInverted;
  if (is_thread) child.flags |= kCloneFiles;
  child.pid = to_int(call.from_exit(P::pid), -1);
  child.ptid = to_int(call.from_exit(P::ptid), -1);
  child.vtid = to_int(call.from_exit(P::vtid), event.tid);
  child.vpid = to_int(call.from_exit(P::vpid), -1);
  fill_from_clone(child, call);
  child.clone_ts = event.ts;
  Thread* from = threads_.find(is_thread ? child.pid : child.ptid);
  if (from == nullptr && is_thread && child.pid >= 0) from = threads_.create(child.pid);
  if (from != nullptr && from != &child) {
    if (is_thread && from->is_invalid()) {
      from->pid = child.pid;
      from->ptid = child.ptid;
      from->vpid = child.vpid;
      from->exe = child.exe;
      from->comm = child.comm;
      from->args = child.args;
      if (!compat_) {
        set_uid(*from, child.uid);
        set_gid(*from, child.gid);
        from->container = child.container;
      }
      threads_.relink(from);
    }
    inherit(child, *from, !is_thread);
  }
  threads_.link(&child);
}

void Engine::on_exec(Context& context) {
  const scap::CallView& call = *context.call;
  Thread* thread = context.thread;
  if (thread == nullptr || call.result() < 0) return;
  threads_.revive(thread);
  if (const Bytes exe = call.from_exit(P::exe); !exe.empty()) {
    thread->exe = to_text(exe);
    thread->args = list_text(call.from_exit(P::args));
    thread->comm = thread->exe;
  }
  if (const Bytes comm = call.from_exit(P::comm); !comm.empty()) thread->comm = to_text(comm);
  const int64_t pid = to_int(call.from_exit(P::pid), thread->pid);
  if (thread->is_invalid()) {
    thread->pid = pid;
    thread->ptid = to_int(call.from_exit(P::ptid), -1);
    thread->vtid = thread->tid;
    thread->vpid = thread->pid;
    threads_.relink(thread);
  } else if (pid != thread->pid) {
    thread->pid = pid;
    threads_.relink(thread);
  }
  thread->fdlimit = to_int(call.from_exit(P::fdlimit), thread->fdlimit);
  if (const Bytes env = call.from_exit(P::env); !env.empty()) thread->env = list_text(env);
  if (const Bytes cgroups = call.from_exit(P::cgroups); !cgroups.empty()) set_cgroups(*thread, cgroups);
  if (const Bytes tty = call.from_exit(P::tty); !tty.empty())
    thread->tty = static_cast<uint32_t>(to_uint(tty, 0));
  if (const Bytes vpgid = call.from_exit(P::vpgid); !vpgid.empty()) thread->vpgid = to_int(vpgid, -1);
  if (const Bytes pgid = call.from_exit(P::pgid); !pgid.empty()) thread->pgid = to_int(pgid, -1);
  if (const Bytes id = call.from_exit(P::loginuid); !id.empty())
    thread->loginuid = static_cast<uint32_t>(to_uint(id, kNoId));
  if (const Bytes uid = call.from_exit(P::uid); !uid.empty())
    set_uid(*thread, static_cast<uint32_t>(to_uint(uid, kNoId)));
  if (const Bytes gid = call.from_exit(P::gid); !gid.empty())
    set_gid(*thread, static_cast<uint32_t>(to_uint(gid, kNoId)));

  if (const Bytes trusted = call.from_exit(P::trusted_exepath); has_text(trusted)) {
    thread->exepath = executable_path(to_text(trusted));
  } else if (call.paired() && call.enter().code == ev::SYSCALL_EXECVEAT_E) {
    const std::string_view path = to_text(call.from_enter(P::pathname));
    const int64_t dirfd = to_int(call.from_enter(P::dirfd), kAtFdcwd);
    const std::string* base = directory_of(*thread, dirfd);
    const bool of_descriptor = path.empty() && (to_uint(call.from_enter(P::flags), 0) & kAtEmptyPath) != 0;
    if (path.starts_with('/')) {
      join_path("", path, scratch_);
    } else if (base == nullptr) {
      scratch_ = kNotAvailable;
    } else {
      join_path(*base, of_descriptor ? std::string_view() : path, scratch_);
    }
    thread->exepath = executable_path(scratch_);
  } else if (const Bytes filename = call.get(P::filename); has_text(filename)) {
    join_path(cwd_of(*thread), to_text(filename), scratch_);
    thread->exepath = executable_path(scratch_);
  } else if (!compat_) {
    // The path of the program before would be wrong; argv[0] stands in.
    thread->exepath.clear();
  }

  if (!compat_) {
    if (DescriptorTable* table = thread->table()) {
      table->filter([](int64_t, FdSlot& slot) { return (slot.descriptor->open_flags & kOpenCloexec) == 0; });
    }
  }
  thread->flags &= kPipeSource | kPipeDestination | kIsMainThread | kCloneInverted;
  threads_.keep_only(thread);
}

void Engine::on_proc_exit(const scap::EventView& event, Context& context) {
  Thread* thread = threads_.find(event.tid);
  context.thread = thread;
  if (thread == nullptr) return;
  threads_.end(thread);
  if (const Bytes reaper = event.param(P::reaper_tid); !reaper.empty()) {
    thread->reaper_tid = to_int(reaper, -1);
    thread->has_reaper_tid = true;
  }
  if (recent_removals_.size() >= kRemembered) recent_removals_.clear();
  recent_removals_.put(thread->tid, {thread->ptid, event.ts});
  ended_thread_ = thread;
  has_pending_ = true;
}

void Engine::on_chdir(Context& context) {
  const scap::CallView& call = *context.call;
  Thread* leader = context.thread->leader();
  if (call.result() < 0 || leader == nullptr) return;
  switch (kHandlers[context.event->code]) {
    case Handler::kFchdir:
      if (context.slot == nullptr || context.slot->descriptor->name.empty()) return;
      join_directory("", context.slot->descriptor->name, scratch_);
      break;
    default: {
      const std::string_view path = to_text(call.get(P::path));
      if (path.empty()) return;
      join_directory(leader->cwd, path, scratch_);
      break;
    }
  }
  leader->cwd = scratch_;
}

void Engine::on_set_id(Context& context, P parameter, bool user) {
  const scap::CallView& call = *context.call;
  if (call.result() != 0) return;
  const Bytes value = call.get(parameter);
  const auto id = static_cast<uint32_t>(to_uint(value, kNoId));
  // All ones leaves the id as it is.
  if (value.empty() || id == kNoId) return;
  if (user) {
    set_uid(*context.thread, id);
  } else {
    set_gid(*context.thread, id);
  }
}

void Engine::on_prctl(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0 || context.thread->group == nullptr) return;
  const auto option = to_uint(call.from_exit(P::option), 0);
  if (option == kSetChildSubreaper)
    context.thread->group->reaper = to_int(call.from_exit(P::arg2_int), 0) != 0;
}

// ---- events that are no system calls

void Engine::other(const scap::EventView& event, Context& context) {
  const auto container_of = [this, &event] {
    return containers_.intern(to_text(event.param(P::container_id)));
  };
  const auto id_of = [&event](P name) { return static_cast<uint32_t>(to_uint(event.param(name), kNoId)); };
  switch (event.code) {
    case ev::PROCEXIT_E:
    case ev::PROCEXIT_1_E: return on_proc_exit(event, context);
    case ev::CONTAINER_E:
      return containers_.add(to_text(event.param(P::id)),
                             static_cast<int32_t>(to_int(event.param(P::type), 0)),
                             to_text(event.param(P::name)), to_text(event.param(P::image)));
    case ev::CONTAINER_JSON_E:
    case ev::CONTAINER_JSON_2_E: containers_.add_json(event.param(P::json).text()); return;
    case ev::ASYNCEVENT_E:
      if (to_text(event.param(P::name)) == "container") containers_.add_json(event.param(P::data).text());
      return;
    case ev::USER_ADDED_E: return users_.add(container_of(), id_of(P::uid), to_text(event.param(P::name)));
    case ev::USER_DELETED_E: return users_.remove(container_of(), id_of(P::uid));
    case ev::GROUP_ADDED_E: return groups_.add(container_of(), id_of(P::gid), to_text(event.param(P::name)));
    case ev::GROUP_DELETED_E: return groups_.remove(container_of(), id_of(P::gid));
    default: return;
  }
}

}  // namespace sfkit::state
