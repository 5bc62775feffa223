// Routes events to their handlers and finds their thread, enter event and descriptor.

#include "state/engine.h"

#include <array>

#include "event_roles.gen.h"
#include "state/compat_texts.h"
#include "state/paths.h"
#include "state/values.h"

// Every handler in events.json must have a case here.
#pragma GCC diagnostic error "-Wswitch"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
namespace ev = scap::ev;

// The parameter that holds the call's descriptor: the first of its type after the result; -1 for
// none (spec: scap-state, section 4).
constexpr auto kFdPlaces = [] {
  std::array<int8_t, scap::kEventCount> places{};
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    places[code] = -1;
    const scap::EventInfo& info = scap::kEvents[code];
    if ((info.flags & scap::kUsesFd) == 0) continue;
    const bool is_splice = code == ev::SYSCALL_SPLICE_E || code == ev::SYSCALL_SPLICE_X;
    for (uint8_t i = static_cast<uint8_t>(code & 1); i < info.nparams; ++i) {
      if (scap::kParams[info.first_param + i].type != scap::ParamType::kFd) continue;
      places[code] = static_cast<int8_t>(is_splice ? i + 1 : i);
      break;
    }
  }
  return places;
}();

constexpr uint32_t kEpollCloexec = 1;  // flag of epoll_create1 as events number it

bool makes_fd(uint16_t code) {
  return (scap::kEvents[code].flags & scap::kCreatesFd) != 0;
}

// Whether an fcntl duplicated a descriptor.
bool duplicates(const scap::CallView& call) {
  if (call.exit().code != ev::SYSCALL_FCNTL_X || call.result() < 0) return false;
  const uint64_t command = to_uint(call.get(P::cmd), 0);
  return command == kFcntlDupfd || command == kFcntlDupfdCloexec;
}

}  // namespace

const std::array<uint8_t, scap::kEventCount> Engine::kRoutes = [] {
  std::array<uint8_t, scap::kEventCount> table{};
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    const scap::EventInfo& info = scap::kEvents[code];
    if (info.kind != scap::EventKind::kSyscall) {
      table[code] =
          kOtherHandlers[code] == OtherHandler::kNone ? Engine::kRouteNone : Engine::kRouteOther;
    } else if ((code & 1) == 0) {
      table[code] = Engine::kRouteEnter;
    } else {
      table[code] = kHandlers[code] == Handler::kNone   ? Engine::kRouteIgnoredExit
                    : kHandlers[code] == Handler::kSeen ? Engine::kRouteSeenExit
                                                        : Engine::kRouteExit;
    }
  }
  return table;
}();

Engine::Effect Engine::effect_of(uint16_t code) const {
  switch (route_of(code)) {
    case kRouteNone: return Effect::kNone;
    case kRouteOther:
      return kOtherHandlers[code] == OtherHandler::kSwitch && !follows_memory_ ? Effect::kNone
                                                                               : Effect::kOther;
    case kRouteEnter:
      return (kEnterTraits[code] & kEnterActs) == 0 ? Effect::kBeginsCall : Effect::kOther;
    case kRouteExit:
      return kHandlers[code] == Handler::kMemory && !follows_memory_ ? Effect::kEndsCall
                                                                     : Effect::kOther;
    default: return Effect::kEndsCall;
  }
}

// ---- thread, enter event and descriptor

Thread* Engine::create_thread(const scap::EventView& event) {
  const uint16_t exit_code = event.code | 1;
  if (kHandlers[exit_code] == Handler::kClone) return nullptr;
  Thread* const thread = threads_.create(event.tid);
  thread->comm = thread->exe = kNotAvailable;
  thread->last_exit = event.ts;
  return thread;
}

void Engine::find_shown_fd(Context& context) {
  const scap::EventView& event = *context.event;
  const Bytes own = kFdPlaces[event.code] < 0
                        ? Bytes()
                        : event.param(static_cast<uint32_t>(kFdPlaces[event.code]));
  context.shown_fd = own.empty() ? Thread::kNoFd : to_int(own, -1);
  Thread* thread = context.thread;
  if (context.call == nullptr) {
    if (thread != nullptr) thread->enter_fd = context.shown_fd;
    if (context.shown_fd == Thread::kNoFd && makes_fd(event.code)) context.shown_fd = -1;
  } else if (makes_fd(event.code) || duplicates(*context.call)) {
    const bool is_pair = event.code == ev::SYSCALL_PIPE_X || event.code == ev::SYSCALL_PIPE2_X ||
                         event.code == ev::SOCKET_SOCKETPAIR_X;
    const int64_t result = context.call->result();
    context.shown_fd = result < 0 ? -1 : to_int(is_pair ? event.param(P::fd2) : event.param(0), -1);
  } else if (context.shown_fd == Thread::kNoFd && thread != nullptr && thread->has_last_enter &&
             thread->last_enter + 1 == event.code && thread->enter_fd != Thread::kNoFd) {
    context.shown_fd = thread->enter_fd;
  } else if (context.shown_fd == Thread::kNoFd && kFdPlaces[event.code] >= 0) {
    context.shown_fd = -1;  // the call uses a descriptor, but the capture does not say which
  }
  context.has_shown_fd = context.shown_fd != Thread::kNoFd;
  context.shown_slot = nullptr;
  if (!context.has_shown_fd) return;
  DescriptorTable* table = context.thread == nullptr ? nullptr : context.thread->table();
  context.shown_slot = table == nullptr ? nullptr : table->find(context.shown_fd);
}

void Engine::finish_last_event() {
  has_pending_ = false;
  closed_.clear();
  new_directories_.clear();
  if (closed_table_ != nullptr) {
    closed_table_->erase(closed_fd_);
    closed_table_ = nullptr;
  }
  if (ended_thread_ != nullptr) {
    if (ended_thread_->dead) threads_.remove_ended(ended_thread_);
    ended_thread_ = nullptr;
  }
}

Thread* Engine::parent_of(Thread& thread) {
  // Children belong to the process: the thread that made them may have ended.
  Thread* leader = thread.leader();
  Thread* parent = leader == nullptr ? nullptr : leader->parent();
  if (parent == nullptr) parent = thread.parent();
  if (parent == nullptr) return nullptr;
  Thread* const parent_leader = parent->leader();
  return parent_leader == nullptr ? parent : parent_leader;
}

const SharedText& Engine::cwd_of(Thread& thread) {
  Thread* const leader = thread.leader();
  // libs 0.18.1 has one working directory for each process.
  if (compat_ && leader == nullptr) return unknown_leader_cwd_;
  const WorkingDirectory* const directory = (compat_ ? *leader : thread).directory();
  return directory == nullptr ? no_text_ : directory->text();
}

Descriptor& Engine::writable(Context& context) {
  // Descriptors in libs 0.18.1 do not share an open file description.
  if (!compat_) return *context.slot->descriptor.get();
  DescriptorTable& table = *context.thread->table();
  Descriptor& descriptor = *table.own(context.fd);
  context.slot = table.find(context.fd);
  return descriptor;
}

void Engine::note_closed(DescriptorTable& table, int64_t fd, Closing closing) {
  if (compat_) return;
  if (const FdSlot* const slot = table.find(fd)) note_closed({&table, fd, fd, closing, slot->flow});
}

void Engine::forget_fd(Context& context, int64_t fd) {
  DescriptorTable* const table = context.thread->table();
  // libs 0.18.1 keeps the stale descriptor.
  if (compat_ || table == nullptr || fd < 0) return;
  note_closed(*table, fd, Closing::kUnseen);
  table->erase(fd);
}

Descriptor* Engine::add_fd(Context& context, int64_t fd, FdType type, bool closes_on_exec) {
  if (fd < 0 || context.thread == nullptr) return nullptr;
  DescriptorTable* table = context.thread->table();
  if (table == nullptr) return nullptr;
  DescriptorRef reference = pool_.make(type);
  Descriptor* descriptor = reference.get();
  put_fd(*table, fd, std::move(reference), closes_on_exec);
  context.fd = fd;
  context.slot = table->find(fd);
  return descriptor;
}

std::string_view Engine::executable_path(std::string_view path) const {
  constexpr size_t kMaxPath = 4096;  // PATH_MAX: kernels write no longer path
  if (path.size() > kMaxPath) return {};
  return compat_ ? path : strip_deleted(path);
}

// ---- enter events

void Engine::end_run() {
  keeps_bytes_ = false;
  for (Thread* const thread : borrowers_) thread->enter.own();
  borrowers_.clear();
}

const std::array<uint8_t, scap::kEventCount> Engine::kEnterTraits = [] {
  std::array<uint8_t, scap::kEventCount> table{};
  for (uint16_t code = 0; code + 1 < scap::kEventCount; code += 2) {
    if (kHandlers[code + 1] != Handler::kNone) table[code] |= kEnterIsKept;
    if ((scap::kEvents[code].flags & scap::kOldVersion) != 0) table[code] |= kEnterIsOld;
  }
  for (const uint16_t code :
       {ev::SYSCALL_MMAP_E, ev::SYSCALL_MMAP2_E, ev::SYSCALL_SETUID_E, ev::SOCKET_CONNECT_E})
    table[code] |= kEnterActs;
  return table;
}();

void Engine::act_on_enter(const scap::EventView& event, Context& context) {
  Thread* const thread = context.thread;
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
      const int64_t fd = to_int(event.param(P::fd), -1);
      if (table == nullptr || table->find(fd) == nullptr) break;
      if (event.size() >= 2) {
        begin_connect(*table, fd, event.param(1));
      } else if (compat_) {
        begin_connect_compat(*table->own(fd));
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
    case Handler::kSeen: return;  // other routes
    case Handler::kTransfer: return resolve_pending_connect(context);
    case Handler::kOpen: return on_open(context);
    case Handler::kCreat: return on_creat(context);
    case Handler::kOpenByHandle: return on_open_by_handle(context);
    case Handler::kGetdents: return on_getdents(context);
    case Handler::kAtCall: return on_at_call(context);
    case Handler::kRename: return on_rename(context);
    case Handler::kRmdir:
    case Handler::kUnlinkat: return on_remove_directory(context);
    case Handler::kClose: return on_close(context);
    case Handler::kCloseRange: return on_close_range(context);
    case Handler::kDup: return on_dup(context);
    case Handler::kFcntl: return on_fcntl(context);
    case Handler::kPipe: return on_pipe(context);
    case Handler::kNewFd: return on_new_fd(context, kOpenCloexec);
    case Handler::kEpoll: return on_new_fd(context, kEpollCloexec);
    case Handler::kMarkedFd: return on_marked_fd(context);
    case Handler::kBpf: return on_bpf(context);
    case Handler::kOldBpf: return on_old_bpf(context);
    case Handler::kMemfd: return on_memfd(context);
    case Handler::kPidfdOpen: return on_pidfd_open(context);
    case Handler::kPidfdGetfd: return on_pidfd_getfd(context);
    case Handler::kSocket: return on_socket(context);
    case Handler::kSocketpair: return on_socketpair(context);
    case Handler::kBind: return on_bind(context);
    case Handler::kConnect: return on_connect(context);
    case Handler::kGetsockopt: return on_getsockopt(context);
    case Handler::kAccept: return on_accept(context);
    case Handler::kSend: return on_send_receive(context, false);
    case Handler::kReceive: return on_send_receive(context, true);
    case Handler::kSendMany:
      // libs 0.18.1 ignores the addresses of these calls.
      if (!compat_) on_send_receive(context, false);
      return;
    case Handler::kReceiveMany:
      if (!compat_) on_send_receive(context, true);
      return;
    case Handler::kClone: return on_clone(context);
    case Handler::kExec: return on_exec(context);
    case Handler::kChdir: return on_chdir(context);
    case Handler::kChroot: return on_chroot(context);
    case Handler::kSetuid: return on_set_id(context, P::uid, true);
    case Handler::kSetresuid: return on_set_id(context, P::euid, true);
    case Handler::kSetgid: return on_set_id(context, P::gid, false);
    case Handler::kSetresgid: return on_set_id(context, P::egid, false);
    case Handler::kSetsid: return on_setsid(context);
    case Handler::kSetpgid: return on_setpgid(context);
    case Handler::kCapset: return on_capset(context);
    case Handler::kUnshare: return on_unshare(context);
    case Handler::kSetns: return on_setns(context);
    case Handler::kPrctl: return on_prctl(context);
    case Handler::kMemory: return on_memory(context);
    case Handler::kRlimit: return on_rlimit(context);
  }
}

// ---- other events

void Engine::describe_container(Context& context, std::string_view json) {
  context.container = containers_.add_json(json, compat_);
  if (compat_ || context.container == 0) return;
  pods_.describe(containers_.at(context.container));
}

void Engine::other(const scap::EventView& event, Context& context) {
  if (containers_.is_crowded()) limit_containers();
  if (pods_.is_crowded()) pods_.forget(containers_);
  const auto container_of = [this, &event] {
    return containers_.intern(to_text(event.param(P::container_id)));
  };
  const auto id_of = [&event](P name) {
    return static_cast<uint32_t>(to_uint(event.param(name), kNoId));
  };
  switch (kOtherHandlers[event.code]) {
    case OtherHandler::kProcExit: return on_proc_exit(event, context);
    case OtherHandler::kSwitch: return on_switch(event, context);
    case OtherHandler::kContainer:
      context.container = containers_.add(
          to_text(event.param(P::id)), static_cast<int32_t>(to_int(event.param(P::type), 0)),
          to_text(event.param(P::name)), to_text(event.param(P::image)), compat_);
      return;
    case OtherHandler::kContainerJson:
      return describe_container(context, event.param(P::json).text());
    case OtherHandler::kKubernetes:
      context.thread = threads_.find(event.tid);
      // The collector has no pods, except in versions of its own that connect to the API.
      if (!compat_) context.kubernetes = &pods_.apply(to_text(event.param(P::json)));
      return;
    case OtherHandler::kAsync:
      if (to_text(event.param(P::name)) == "container")
        describe_container(context, event.param(P::data).text());
      return;
    case OtherHandler::kUserAdded:
      add_user(container_of(), id_of(P::uid), to_text(event.param(P::name)),
               to_text(event.param(P::home)), to_text(event.param(P::shell)));
      return;
    case OtherHandler::kUserDeleted: return users_.remove(container_of(), id_of(P::uid));
    case OtherHandler::kGroupAdded:
      return add_group(container_of(), id_of(P::gid), to_text(event.param(P::name)));
    case OtherHandler::kGroupDeleted: return groups_.remove(container_of(), id_of(P::gid));
    case OtherHandler::kNone: return;
  }
}

}  // namespace sfkit::state
